"""SERKET3000: the 3,000 MNIST images of the Serket tutorial on a VAE with a Gaussian mixture."""

from __future__ import annotations

from pathlib import Path

from archbuild.data.arrays import dataset_from_arrays
from archbuild.data.dataset import Dataset, Shape
from archbuild.data.npz import read_arrays
from archbuild.data.source import DatasetSource, first_file, search_folders
from archbuild.errors import DataError

_FILE = "serket3000.npz"


def load(data: Path, input_shape: Shape | None = None) -> Dataset:
    """Grey images ``(3000, 28, 28, 1)`` uint8.

    Raises:
        DataError: the file is missing or damaged.
    """
    path = _path(data)
    if path is None:
        raise DataError(f"SERKET3000 is {find(data)[1]}")
    arrays = read_arrays(path, ["x", "y"])
    return dataset_from_arrays(
        "SERKET3000", arrays["x"], arrays["y"], arch_stem="mnist", source=str(path)
    )


def find(data: Path) -> tuple[bool, str]:
    """Whether the file is in the data folder, and where, or what to do."""
    path = _path(data)
    if path:
        return True, str(path)
    return False, (
        f"not in {data / 'SERKET3000'}; put {_FILE} there, with the arrays x (3000, 28, 28) uint8 "
        "and y (3000,)"
    )


def _path(data: Path) -> Path | None:
    return first_file(search_folders(data, "SERKET3000"), [_FILE])


SOURCE = DatasetSource(
    name="SERKET3000",
    summary="3,000 images of MNIST, 28 x 28, 10 classes, from the Serket tutorial",
    arch_stem="mnist",
    load=load,
    find=find,
)
