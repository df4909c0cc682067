"""Time the sampler of spatial transformers beside the backend's own image transform.

    python benchmarks/sampler.py
    python benchmarks/sampler.py --images 100 --side 100 --channels 1 --repeats 30

`keras.ops.image.affine_transform` gives images of the size of its input and, on TensorFlow, no
gradient for the map; its gradient for the image is the inverse transform, which is not the exact
one. Times are the least of all repeats, in milliseconds of the process's CPU.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from time import process_time
from typing import Any

import numpy as np

from archbuild.environment import start_keras

HEADINGS = "| what | glimpse | forward | gradient of the images | of the maps | of both |"


def main() -> None:
    options = arguments()
    start_keras()
    images, theta = inputs(options)
    print(HEADINGS)
    print("|---" * HEADINGS.count(" | ") + "|---|")
    from keras import ops

    from archbuild.layers.sampling import sample

    for downsample in (1, 2, 3, 4):
        size = (options.side // downsample,) * 2
        times = timed(lambda i, t, to=size: sample(i, t, to), images, theta, options.repeats)
        print(f"| `sample` | {size[0]} x {size[1]} | {' | '.join(times)} |", flush=True)
    pixels = in_pixels(theta, options.side)
    own = timed(ops.image.affine_transform, images, pixels, options.repeats, of_maps=False)
    print(f"| `affine_transform` | {options.side} x {options.side} | {' | '.join(own)} |")


def inputs(options: argparse.Namespace) -> tuple[Any, Any]:
    """Return random images, and maps near the identity."""
    rng = np.random.default_rng(0)
    shape = (options.images, options.side, options.side, options.channels)
    theta = np.array([1, 0, 0, 0, 1, 0]) + 0.1 * rng.normal(size=(options.images, 6))
    return rng.random(shape).astype("float32"), theta.astype("float32")


def in_pixels(theta: np.ndarray, side: int) -> np.ndarray:
    """Return maps as ``affine_transform`` takes them: eight numbers, in pixels from the corner."""
    half = (side - 1) / 2
    a, b, c, d, e, f = theta.T
    zero = np.zeros_like(a)
    down, across = half * (1 + c - a - b), half * (1 + f - d - e)
    return np.stack([a, b, down, d, e, across, zero, zero], axis=1)


def timed(
    function: Callable[..., Any], images: Any, theta: Any, repeats: int, *, of_maps: bool = True
) -> list[str]:
    """Return the times of the function and of its gradients, compiled as in training."""
    import tensorflow as tf

    given = {"images": tf.constant(images), "maps": tf.constant(theta)}

    def gradient(names: tuple[str, ...]) -> Callable[[], Any]:
        @tf.function
        def of() -> Any:
            with tf.GradientTape() as tape:
                tape.watch([given[name] for name in names])
                loss = tf.reduce_sum(function(*given.values()) ** 2)
            found = tape.gradient(loss, [given[name] for name in names])
            return [tf.convert_to_tensor(each) for each in found]

        return of

    forward = tf.function(lambda: function(*given.values()))
    wanted = [forward, gradient(("images",))]
    if of_maps:
        wanted += [gradient(("maps",)), gradient(("images", "maps"))]
    cells = [f"{1000 * least(each, repeats):.1f}" for each in wanted]
    return cells + ["none"] * (4 - len(cells))


def least(function: Callable[[], Any], repeats: int) -> float:
    """Return the least seconds of CPU of the calls after the first one."""
    import tensorflow as tf

    times = []
    for _ in range(repeats + 1):
        begun = process_time()
        tf.nest.map_structure(lambda tensor: tensor.numpy(), function())
        times.append(process_time() - begun)
    return min(times[1:])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--side", type=int, default=100)
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=20)
    return parser.parse_args()


if __name__ == "__main__":
    main()
