from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import load_dataset
from archbuild.data.sets.mnist import FAMILY
from archbuild.data.sets.serket3000 import rows_of
from archbuild.errors import DataError
from tests.data.conftest import found
from tests.data.writers import half_labels, row_numbers, write_halves

IMAGES = np.arange(5 * 28 * 28).reshape(5, 28, 28).astype(np.uint8)


@pytest.mark.parametrize("place", ["SERKET3000", "."])
def test_the_archive_is_read(tmp_path, place):
    (tmp_path / place).mkdir(exist_ok=True)
    archive = tmp_path / place / "serket3000.npz"
    np.savez(archive, x=IMAGES, y=np.array([0, 1, 2, 1, 0], np.uint8))
    dataset = load_dataset("serket3000", tmp_path)
    assert (dataset.name, dataset.shape) == ("SERKET3000", (1, 28, 28))
    assert (dataset.arch_stem, dataset.source) == ("serket3000", str(archive))
    np.testing.assert_allclose(dataset.rows([3])[0, ..., 0], IMAGES[3] / 255, rtol=1e-6)


def test_without_the_archive_it_is_taken_from_the_training_images_of_mnist(tmp_path):
    write_halves(tmp_path / "MNIST", FAMILY)
    for path in (tmp_path / "MNIST").glob("t10k-*"):
        path.unlink()
    before = sorted(tmp_path.rglob("*"))
    dataset = load_dataset("SERKET3000", tmp_path)
    rows = row_numbers(dataset.values)
    np.testing.assert_array_equal(rows, rows_of(half_labels(FAMILY, "train")))
    np.testing.assert_array_equal(half_labels(FAMILY, "train")[rows], dataset.labels)
    assert (dataset.name, dataset.arch_stem, dataset.n_classes) == ("SERKET3000", "serket3000", 10)
    assert dataset.source == f"taken from MNIST in {tmp_path / 'MNIST'}"
    assert found(tmp_path, "SERKET3000") == (True, dataset.source)
    assert sorted(tmp_path.rglob("*")) == before  # nothing is written


def test_the_first_300_of_each_class_from_row_5000_on_in_turn():
    labels = half_labels(FAMILY, "train")
    rows = rows_of(labels)
    np.testing.assert_array_equal(labels[rows], np.tile(np.arange(10), 300))
    for code in range(10):
        own = np.flatnonzero((labels == code) & (np.arange(len(labels)) >= 5000))
        np.testing.assert_array_equal(rows[code::10], own[:300])


def test_mnist_gives_the_same_images_as_the_archive(real_data, tmp_path):
    (tmp_path / "MNIST").symlink_to(real_data / "MNIST")
    archive, taken = (load_dataset("SERKET3000", folder) for folder in (real_data, tmp_path))
    np.testing.assert_array_equal(archive.values, taken.values)
    np.testing.assert_array_equal(archive.labels, taken.labels)


def test_the_archive_wins_over_mnist(tmp_path):
    write_halves(tmp_path, FAMILY)
    np.savez(tmp_path / "serket3000.npz", x=IMAGES, y=np.array([0, 1, 2, 1, 0], np.uint8))
    assert len(load_dataset("SERKET3000", tmp_path)) == 5
    assert found(tmp_path, "SERKET3000") == (True, str(tmp_path / "serket3000.npz"))


def test_where_neither_is_there_both_ways_are_named(tmp_path):
    with pytest.raises(DataError) as caught:
        load_dataset("SERKET3000", tmp_path)
    for part in (
        f"SERKET3000 is not in {tmp_path / 'SERKET3000'}; put serket3000.npz there",
        f"or the training files of MNIST into {tmp_path / 'MNIST'}",
    ):
        assert part in str(caught.value)
    assert not found(tmp_path, "SERKET3000")[0]


def test_a_missing_array_is_named(tmp_path):
    np.savez(tmp_path / "serket3000.npz", x=np.zeros((5, 28, 28), np.uint8))
    with pytest.raises(DataError, match="no array 'y'; it has x"):
        load_dataset("SERKET3000", tmp_path)
