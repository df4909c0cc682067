from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from archbuild.errors import SpecError
from archbuild.layers import LAYERS
from archbuild.layers.keras_layers import InverseMaxPool2D, SwitchedMaxPool2D
from archbuild.spec import ShapeError

Array = np.ndarray


def _pooled(x: Array, window: tuple[int, int]) -> Array:
    rows, columns = x.shape[1] // window[0], x.shape[2] // window[1]
    pooled = np.zeros((x.shape[0], rows, columns, x.shape[3]), "float32")
    for row in range(rows):
        for column in range(columns):
            pooled[:, row, column] = _window(x, row, column, window).max(axis=(1, 2))
    return pooled


def _window(x: Array, row: int, column: int, window: tuple[int, int]) -> Array:
    height, width = window
    return x[:, row * height : (row + 1) * height, column * width : (column + 1) * width]


def _gradient(x: Array, y: Array, window: tuple[int, int]) -> Array:
    """The gradient of max-pooling at ``x`` for the output gradient ``y``; ties all get it."""
    result, pooled = np.zeros_like(x), _pooled(x, window)
    for row in range(pooled.shape[1]):
        for column in range(pooled.shape[2]):
            places = _window(x, row, column, window) == pooled[:, row, column, None, None]
            target = _window(result, row, column, window)
            target += places * y[:, row, column, None, None]
    return result


def _inverse(x: Array, y: Array, window: tuple[int, int]) -> Array:
    _, switches = SwitchedMaxPool2D(window)(x)
    return np.array(convert_to_numpy(InverseMaxPool2D(window)([y, switches])))


SIZES = [((6, 8), (2, 2)), ((7, 9), (2, 2)), ((7, 11), (3, 2)), ((5, 4), (1, 4))]


@pytest.mark.parametrize(("size", "window"), SIZES)
def test_inverse_is_the_gradient_of_pooling(
    rng: np.random.Generator, size: tuple[int, int], window: tuple[int, int]
) -> None:
    count = 2 * size[0] * size[1] * 3
    x = rng.permutation(count).reshape(2, *size, 3).astype("float32")  # no ties
    y = rng.normal(size=_pooled(x, window).shape).astype("float32")
    np.testing.assert_array_equal(_inverse(x, y, window), _gradient(x, y, window))


def test_inverse_is_the_gradient_that_the_backend_computes(rng: np.random.Generator) -> None:
    tensorflow = pytest.importorskip("tensorflow")
    x = rng.permutation(2 * 7 * 9 * 3).reshape(2, 7, 9, 3).astype("float32")
    y = rng.normal(size=(2, 3, 4, 3)).astype("float32")
    tensor = tensorflow.constant(x)
    with tensorflow.GradientTape() as tape:
        tape.watch(tensor)
        pooled = tensorflow.nn.max_pool2d(tensor, 2, 2, "VALID")
    gradient = tape.gradient(pooled, tensor, output_gradients=y)
    np.testing.assert_array_equal(_inverse(x, y, (2, 2)), gradient.numpy())


@pytest.mark.parametrize(("size", "window"), SIZES)
def test_all_maxima_get_the_value_on_ties(
    rng: np.random.Generator, size: tuple[int, int], window: tuple[int, int]
) -> None:
    x = rng.integers(0, 2, size=(2, *size, 3)).astype("float32")
    y = rng.normal(size=_pooled(x, window).shape).astype("float32")
    result = _inverse(x, y, window)
    np.testing.assert_array_equal(result, _gradient(x, y, window))
    dead = _inverse(np.zeros_like(x), np.ones_like(y), window)
    rows, columns = size[0] // window[0] * window[0], size[1] // window[1] * window[1]
    assert np.all(dead[:, :rows, :columns] == 1.0)
    assert not dead[:, rows:].any()
    assert not dead[:, :, columns:].any()


def test_unpool_repeats_and_puts_zeros_back(plan_of: Callable[..., Any]) -> None:
    from archbuild.networks.builder import build_network
    from archbuild.registry import default_vocabulary

    plan = plan_of(
        {"type": "Input", "output_shape": [1, 3, 5]},
        {"type": "MaxPool2D", "filter_size": 2},
        decoder=[{"type": "Unpool2D", "filter_size": 2, "output_padding": 1}],
    )
    network = build_network(plan, default_vocabulary(), seed=0)
    value = convert_to_numpy(network.decode(np.array([[1.0, 2.0]], "float32")).value)
    np.testing.assert_array_equal(
        value[0, :, :, 0], [[1, 1, 2, 2, 0], [1, 1, 2, 2, 0], [0, 0, 0, 0, 0]]
    )


def test_pooling_to_nothing_is_refused() -> None:
    with pytest.raises(ShapeError, match="3x2 window is larger than its 2x8 input"):
        LAYERS["MaxPool2D"].output_shape({"filter_size": [3, 2]}, (1, 2, 8))


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ({"inverse_of": 2}, "encoder layer 2 is no MaxPool2D*"),
        ({"inverse_of": 1, "filter_size": 3}, "filter_size is 3x3, but encoder layer 1 pools over"),
    ],
)
def test_an_inverse_that_fits_no_pool_is_refused(
    plan_of: Callable[..., Any], layer: dict[str, Any], words: str
) -> None:
    layers = [
        {"type": "Input", "output_shape": [1, 4, 4]},
        {"type": "MaxPool2D*", "filter_size": 2},
    ]
    with pytest.raises(SpecError) as caught:
        plan_of(*layers, decoder=[{"type": "InverseMaxPool2D", **layer}])
    (problem,) = caught.value.problems
    assert problem.path == ("decoder", 0)
    assert words in problem.message
    assert problem.advice


def test_an_inverse_takes_only_the_shape_that_the_pool_gave(plan_of: Callable[..., Any]) -> None:
    layers = [
        {"type": "Input", "output_shape": [1, 4, 4]},
        {"type": "MaxPool2D*", "filter_size": 2},
        {"type": "Dense", "num_units": 3},
    ]
    with pytest.raises(SpecError, match=r"encoder layer 1 gave \[1, 2, 2\], but \[3\] comes in"):
        plan_of(*layers, decoder=[{"type": "InverseMaxPool2D", "inverse_of": 1}])


def _network(plan_of: Callable[..., Any], *layers: dict[str, Any], **keys: Any) -> Any:
    from archbuild.networks.builder import build_network
    from archbuild.registry import default_vocabulary

    return build_network(plan_of(*layers, **keys), default_vocabulary(), seed=0)


def test_average_pooling_over_windows_that_overlap(plan_of: Callable[..., Any]) -> None:
    series = {"type": "Input", "output_shape": [1, 5]}
    pool = {"type": "AveragePool1D", "filter_size": 3, "stride": 2}
    dense, back = {"type": "Dense", "num_units": 5}, {"type": "Reshape", "output_shape": [1, 5]}
    network = _network(plan_of, series, pool, decoder=[dense, back])
    rows = np.array([[[0.0], [3.0], [6.0], [0.0], [3.0]]], "float32")
    np.testing.assert_allclose(network.predict_latents(rows), [[3.0, 3.0]])


def test_what_same_pooling_adds_is_cut_again(plan_of: Callable[..., Any]) -> None:
    series = {"type": "Input", "output_shape": [1, 5]}
    pool = {"type": "MaxPool1D", "filter_size": 2, "conv_mode": "same"}
    dense = {"type": "Dense", "num_units": 5}
    reshape = {"type": "Reshape", "output_shape": [1, 5]}
    unpool = plan_of(series, dense, reshape, pool).decoder[0]
    assert unpool.type == "Unpool1D"
    assert unpool.config == {"filter_size": 2, "output_padding": 0, "output_cropping": [1]}


def test_the_mirror_of_a_pool_may_interpolate(plan_of: Callable[..., Any]) -> None:
    image = {"type": "Input", "output_shape": [1, 5, 4]}
    pool = {"type": "MaxPool2D", "filter_size": 2, "undone_by": "bilinear"}
    conv = {"type": "Conv2D", "num_filters": 2, "filter_size": 1}
    entry = plan_of(image, conv, pool).decoder[0]
    assert (entry.type, entry.output_shape) == ("UpSample", (2, 5, 4))
    assert entry.config["interpolation"] == "bilinear"


def test_bilinear_lies_between_its_neighbours(plan_of: Callable[..., Any]) -> None:
    layers = [
        {"type": "Input", "output_shape": [1, 4]},
        {"type": "MaxPool1D", "filter_size": 2},
    ]
    network = _network(plan_of, *layers, decoder=[{"type": "UpSample", "filter_size": 2}])
    value = convert_to_numpy(network.decode(np.array([[0.0, 4.0]], "float32")).value)
    np.testing.assert_allclose(value[0, :, 0], [0.0, 1.0, 3.0, 4.0])


def test_a_global_average_needs_places() -> None:
    with pytest.raises(ShapeError, match="works on channels with places"):
        LAYERS["GlobalAveragePool"].output_shape({}, (7,))
