"""The networks that are timed, as specs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Timed:
    """A network with the rows that a round trains on.

    Attributes:
        name: as ``--only`` takes it.
        label: of its line.
        shape: of a row, as specs write it.
        layers: of the encoder, behind Input.
        batch_size: rows of a step.
        rows: of a round.
        output: the non-linearity of the output.
        batch_norm: whether it follows every layer but the last.
        without: the contenders that the network cannot have.
    """

    name: str
    label: str
    shape: tuple[int, ...]
    layers: tuple[dict[str, Any], ...]
    batch_size: int
    rows: int
    output: str = "linear"
    batch_norm: bool = False
    without: tuple[str, ...] = ()

    @property
    def tree(self) -> dict[str, Any]:
        """The spec."""
        return {
            "spec_version": 1,
            "name": self.name,
            "batch_size": self.batch_size,
            "output_non_linearity": self.output,
            "use_batch_norm": self.batch_norm,
            "layers": [{"type": "Input", "output_shape": list(self.shape)}, *self.layers],
            "head": {"type": "kld", "n_clusters": 10},
            "pretrain": {"epochs": 50},
        }


def _dense(*widths: int) -> tuple[dict[str, Any], ...]:
    *hidden, last = widths
    relu = [{"type": "Dense", "num_units": width, "non_linearity": "rectify"} for width in hidden]
    return (*relu, {"type": "Dense", "num_units": last, "non_linearity": "linear"})


def _convolution(kind: str, filters: int, size: Any, **more: Any) -> dict[str, Any]:
    settings = {"num_filters": filters, "filter_size": size, "non_linearity": "rectify", **more}
    return {"type": kind, **settings}


_POOL: Final = {"type": "MaxPool2D*", "filter_size": [2, 2]}

NETWORKS: Final = (
    Timed("digits", "64-500-1000-32, DIGITS `-a 0`", (1, 8, 8), _dense(500, 1000, 32), 16, 1792),
    Timed("dense", "784-500-500-2000-10", (784,), _dense(500, 500, 2000, 10), 256, 7680),
    Timed(
        "tum",
        "TUM's network, MNIST `-a 1`",
        (1, 28, 28),
        (
            _convolution("Conv2D", 50, [5, 5]),
            _POOL,
            _convolution("Conv2D", 50, [5, 5]),
            _POOL,
            _convolution("Conv2D", 120, [4, 4]) | {"non_linearity": "linear"},
        ),
        100,
        1600,
        output="rectify",
        batch_norm=True,
        without=("gmm",),  # whose decoder would need switches of latents that are drawn
    ),
    Timed(
        "strided",
        "strided convolutions, MNIST `-a 3`",
        (1, 28, 28),
        (
            _convolution("Conv2D", 32, [5, 5], stride=2, conv_mode="same"),
            _convolution("Conv2D", 64, [5, 5], stride=2, conv_mode="same"),
            _convolution("Conv2D", 128, [3, 3], stride=2),
            {"type": "Flatten"},
            *_dense(10),
        ),
        256,
        4096,
    ),
    Timed(
        "series",
        "Conv1D, series of 128 steps",
        (1, 128),
        (
            _convolution("Conv1D", 32, 7, stride=2, conv_mode="same"),
            _convolution("Conv1D", 64, 5, stride=2, conv_mode="same"),
            _convolution("Conv1D", 128, 3, stride=2, conv_mode="same"),
            {"type": "Flatten"},
            *_dense(10),
        ),
        64,
        4096,
    ),
)
