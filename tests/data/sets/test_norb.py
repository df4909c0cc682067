from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archbuild.data import load_dataset
from archbuild.data.sets import norb
from archbuild.errors import DataError
from tests.data.conftest import found
from tests.data.formats.arrays.test_binary_matrix import write_matrix

N = 6
HALVES = {
    "train": "smallnorb-5x46789x9x18x6x2x96x96-training",
    "test": "smallnorb-5x01235x9x18x6x2x96x96-testing",
}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(norb, "N_PAIRS", N)


def pairs_of(half: str) -> np.ndarray:
    """``(n, 2, 96, 96)``."""
    rng = np.random.default_rng(len(half))
    return rng.integers(0, 256, (N, 2, 96, 96), dtype=np.uint8)


def write(folder: Path, half: str, *, suffix: str = ".gz", info: bool = True, **changes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    facts = np.stack([np.arange(N), np.arange(N), 2 * np.arange(N), np.arange(N)], axis=1)
    files = {"dat": pairs_of(half), "cat": np.arange(N) % 5}
    files |= {"info": facts} if info else {}
    for kind, array in (files | changes).items():
        write_matrix(folder / f"{HALVES[half]}-{kind}.mat{suffix}", array)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(
    ("name", "halves"),
    [("NORB", ["train", "test"]), ("NORB-TRAIN", ["train"]), ("NORB-TEST", ["test"])],
)
def test_a_row_is_a_pair_of_views(tmp_path, name, halves, suffix):
    for half in HALVES:
        write(tmp_path / "NORB", half, suffix=suffix)
    dataset = load_dataset(name, tmp_path)
    assert (dataset.shape, dataset.n_classes, dataset.arch_stem) == ((2, 96, 96), 5, "norb")
    pairs = np.concatenate([pairs_of(half) for half in halves])
    np.testing.assert_array_equal(dataset.values, np.moveaxis(pairs, 1, -1))
    np.testing.assert_array_equal(dataset.labels, np.tile(np.arange(N) % 5, len(halves)))
    np.testing.assert_allclose(dataset.rows([1])[0, 3, 4, 1], pairs[1, 1, 3, 4] / 255, rtol=1e-6)
    assert dataset.ids[3] == "truck 3, elevation 45, azimuth 60, light 3"
    assert found(tmp_path, name) == (True, dataset.source)


@pytest.mark.parametrize(
    ("side", "taken"), [(96, slice(0, 96)), (48, slice(1, 96, 2)), (32, slice(1, 96, 3))]
)
def test_the_input_chooses_among_three_sizes(tmp_path, side, taken):
    write(tmp_path, "train")
    expected = np.moveaxis(pairs_of("train")[:, :, taken, taken], 1, -1)
    for shape in ((2, side, side), (2 * side * side,)):
        dataset = load_dataset("NORB-TRAIN", tmp_path, input_shape=shape)
        np.testing.assert_array_equal(dataset.values, expected)


@pytest.mark.parametrize("shape", [(1, 96, 96), (2, 30, 30), (2, 96, 48), (1024,)])
def test_other_inputs_are_told_the_sizes(tmp_path, shape):
    write(tmp_path, "train")
    with pytest.raises(DataError, match=r"\[2, 96, 96\], \[2, 48, 48\], \[2, 32, 32\]"):
        load_dataset("NORB-TRAIN", tmp_path, input_shape=shape)


def test_without_the_facts_rows_have_no_names_and_the_source_says_so(tmp_path):
    write(tmp_path, "test", info=False)
    dataset = load_dataset("NORB-TEST", tmp_path)
    assert dataset.ids is None
    assert dataset.source.endswith("without smallnorb-5x01235x9x18x6x2x96x96-testing-info.mat")


def test_missing_and_other_files_are_named(tmp_path):
    write(tmp_path, "train")
    with pytest.raises(DataError, match=r"put smallnorb-\S+-testing-dat\.mat and \S+-cat\.mat"):
        load_dataset("NORB", tmp_path)
    write(tmp_path, "train", cat=np.arange(N))
    with pytest.raises(DataError, match="labels from 0 to 5, and NORB's go from 0 to 4"):
        load_dataset("NORB-TRAIN", tmp_path)
    write(tmp_path, "train", dat=pairs_of("train")[:-1])
    with pytest.raises(DataError, match=r"expected 0x1e3d4c55, 4 and \[6, 2, 96, 96\]"):
        load_dataset("NORB-TRAIN", tmp_path)
