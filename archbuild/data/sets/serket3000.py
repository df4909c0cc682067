"""SERKET3000: the 3,000 MNIST images of the Serket tutorial on a VAE with a Gaussian mixture.

They are the first 300 of each class from MNIST's training image 5,000 on, classes in turn. Where
the file is not there, the same ones are taken from MNIST.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from archbuild.data.arrays import dataset_from_arrays
from archbuild.data.dataset import Dataset, Shape
from archbuild.data.formats.arrays.npz import read_arrays
from archbuild.data.sets import mnist
from archbuild.data.source import DatasetSource, first_file, search_folders
from archbuild.errors import DataError

FIRST = 5_000
"""The training image of MNIST that the search begins with."""

PER_CLASS = 300
"""Images that are taken of each class."""

_NAME = "SERKET3000"
_FILE = "serket3000.npz"
_ARCH_STEM = "serket3000"
_MNIST = next(source for source in mnist.SOURCES if source.name == "MNIST-TRAIN")


def load(data: Path, input_shape: Shape | None = None) -> Dataset:
    """Load grey images ``(3000, 28, 28, 1)`` uint8: from the file, or else from MNIST.

    Raises:
        DataError: neither the file nor MNIST's are there, or they are damaged.
    """
    path = _path(data)
    if path is not None:
        arrays = read_arrays(path, ["x", "y"])
        return dataset_from_arrays(
            _NAME, arrays["x"], arrays["y"], arch_stem=_ARCH_STEM, source=str(path)
        )
    if _MNIST.find(data)[0]:
        return _taken(_MNIST.load(data, input_shape))
    raise DataError(f"{_NAME} is {find(data)[1]}")


def find(data: Path) -> tuple[bool, str]:
    """Return whether the file or MNIST's are in the data folder, and where, or what to do."""
    path = _path(data)
    if path:
        return True, str(path)
    has_mnist, where = _MNIST.find(data)
    if has_mnist:
        return True, _origin(where)
    return False, (
        f"not in {data / _NAME}; put {_FILE} there, with the arrays x (3000, 28, 28) uint8 and "
        f"y (3000,), or the training files of MNIST into {data / 'MNIST'}, to have {PER_CLASS} "
        "images of each class taken from them"
    )


def rows_of(labels: np.ndarray) -> np.ndarray:
    """Return the rows of MNIST's training images, ``(300 * C,)``: the classes in turn, 0 to C-1.

    Args:
        labels: ``(n,)`` codes ``0..C-1``, at least 300 of each from row 5,000 on.
    """
    labels = labels[FIRST:]
    classes = [np.flatnonzero(labels == code) for code in range(int(labels.max()) + 1)]
    return FIRST + np.stack([rows[:PER_CLASS] for rows in classes], axis=1).ravel()


def _taken(train: Dataset) -> Dataset:
    if train.labels is None:
        raise DataError(f"{train.source} has no labels; expected MNIST's, to take rows of each")
    rows = rows_of(train.labels)
    return replace(
        train,
        name=_NAME,
        values=train.values[rows],
        labels=train.labels[rows],
        arch_stem=_ARCH_STEM,
        source=_origin(train.source),
    )


def _origin(mnist_source: str) -> str:
    return f"taken from MNIST in {mnist_source}"


def _path(data: Path) -> Path | None:
    return first_file(search_folders(data, _NAME), [_FILE])


SOURCE = DatasetSource(
    name=_NAME,
    summary="3,000 images of MNIST, 28 x 28, 10 classes, from the Serket tutorial",
    arch_stem=_ARCH_STEM,
    load=load,
    find=find,
)
