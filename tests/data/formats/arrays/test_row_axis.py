from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from archbuild.data import Dataset, load_dataset
from archbuild.data.formats.arrays.row_axis import rows_first
from archbuild.data.request import ReadOptions, ReadRequest


def turned(
    shape: tuple[int, ...], labels: object = None, is_matlab: bool = False, **request: object
) -> bool:
    """Whether the last axis is taken for the rows; what is said must agree."""
    asked = ReadRequest(Path("x"), **request)
    values, said = rows_first(np.zeros(shape), labels, asked, is_matlab=is_matlab)
    is_last = values.shape == (shape[-1], *shape[:-1]) != shape
    assert bool(said) == (is_last and asked.options.rows is None)
    return is_last


@pytest.mark.parametrize(
    ("shape", "labels", "expected"),
    [
        ((5, 9), np.arange(9), True),
        ((9, 5), np.arange(9), False),
        ((4, 6, 3, 9), np.zeros((1, 9)), True),
        ((4, 9), np.eye(9, 3), True),
        ((5, 9), np.arange(7), False),
        ((9, 9), np.arange(9), False),
    ],
)
def test_the_labels_count_the_rows(shape, labels, expected):
    assert turned(shape, labels) == expected


def test_the_input_of_the_spec_settles_it():
    assert turned((3, 8, 8, 20), input_shape=(3, 8, 8))
    assert not turned((20, 3, 8, 8), input_shape=(3, 8, 8))
    assert not turned((20, 5), input_shape=(7,))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((8, 8, 20), True),
        ((8, 8, 3, 20), True),
        ((20, 8, 8), False),
        ((8, 9, 20), False),
        ((9, 5), False),
    ],
)
def test_images_of_matlab_lie_behind_one_another(shape, expected):
    assert turned(shape, is_matlab=True) == expected
    assert not turned(shape)


def test_the_user_says_which_axis_it_is():
    assert turned((5, 9), options=ReadOptions(rows="last"))
    assert not turned((5, 9), np.arange(9), options=ReadOptions(rows="first"))


def read(folder: Path, suffix: str, rows: np.ndarray, **arrays: np.ndarray) -> Dataset:
    path, options = folder / f"own{suffix}", ReadOptions()
    if suffix == ".npy":
        np.save(path, rows)
        options = ReadOptions(rows="last")
    elif suffix == ".npz":
        np.savez(path, x=rows, **arrays)
    elif suffix == ".mat":
        savemat(path, {"x": rows, **arrays})
    else:
        with h5py.File(path, "w") as file:
            file["x"], file["y"] = rows, arrays["y"]
    return load_dataset(str(path), options=options)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".mat", ".h5"])
def test_every_format_of_arrays_turns_them(tmp_path, suffix):
    rows = np.arange(15.0).reshape(3, 5)
    dataset = read(tmp_path, suffix, rows, y=np.array([0, 1, 0, 1, 1]))
    np.testing.assert_array_equal(dataset.values, rows.T)
    said = "\n".join(map(str, dataset.guesses))
    assert ("which the labels count and not the first" in said) == bool(dataset.class_names)
    assert "--set data.rows" not in said
