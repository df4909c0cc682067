from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import load_dataset
from archbuild.data.sets.mnist import FAMILY
from tests.data.conftest import found
from tests.data.writers import half_labels, row_numbers, write_halves


@pytest.mark.parametrize(
    ("place", "joint", "end"),
    [
        ("MNIST", "-", ".gz"),
        ("MNIST/raw", "-", ""),
        (".", ".", ""),
        ("mnist", "-", ""),
        ("raw", "-", ""),
    ],
)
def test_idx_files_are_found_wherever_they_usually_lie(tmp_path, place, joint, end):
    write_halves(tmp_path / place, FAMILY, joint, end)
    assert len(load_dataset("mnist", tmp_path)) == 70_000
    assert found(tmp_path, "MNIST") == (True, str(tmp_path / place))


def test_the_tum_selection_leaves_out_the_validation_rows(tmp_path):
    write_halves(tmp_path, FAMILY)
    dataset = load_dataset("MNIST-60k", tmp_path)
    expected = np.r_[0:50_000, 60_000:70_000]
    np.testing.assert_array_equal(row_numbers(dataset.values), expected)
    labels = np.concatenate([half_labels(FAMILY, half) for half in ("train", "test")])
    np.testing.assert_array_equal(dataset.labels, labels[expected])
    assert (dataset.name, dataset.arch_stem) == ("MNIST-60K", "mnist")


def test_real_mnist(real_data):
    dataset = load_dataset("MNIST", real_data)
    assert (len(dataset), dataset.shape) == (70_000, (1, 28, 28))
    counts = [6903, 7877, 6990, 7141, 6824, 6313, 6876, 7293, 6825, 6958]
    assert np.bincount(dataset.labels).tolist() == counts
