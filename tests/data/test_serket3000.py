from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import load_dataset
from archbuild.errors import DataError


@pytest.mark.parametrize("place", ["SERKET3000", "."])
def test_the_archive_is_read(tmp_path, place):
    (tmp_path / place).mkdir(exist_ok=True)
    images = np.arange(5 * 28 * 28).reshape(5, 28, 28).astype(np.uint8)
    np.savez(tmp_path / place / "serket3000.npz", x=images, y=np.array([0, 1, 2, 1, 0], np.uint8))
    dataset = load_dataset("serket3000", tmp_path)
    assert (dataset.name, dataset.shape, dataset.arch_stem) == ("SERKET3000", (1, 28, 28), "mnist")
    np.testing.assert_allclose(dataset.rows([3])[0, ..., 0], images[3] / 255, rtol=1e-6)


def test_a_missing_file_and_a_missing_array_are_named(tmp_path):
    with pytest.raises(DataError, match=r"not in .*SERKET3000; put serket3000\.npz there"):
        load_dataset("SERKET3000", tmp_path)
    np.savez(tmp_path / "serket3000.npz", x=np.zeros((5, 28, 28), np.uint8))
    with pytest.raises(DataError, match="no array 'y'; it has x"):
        load_dataset("SERKET3000", tmp_path)
