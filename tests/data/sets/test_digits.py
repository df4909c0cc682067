from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from archbuild.data import find_datasets, load_dataset


def test_digits_are_there_without_files(tmp_path):
    dataset = load_dataset("digits", tmp_path)
    assert (len(dataset), dataset.shape, dataset.n_classes) == (1797, (1, 8, 8), 10)
    np.testing.assert_allclose(
        dataset.rows(slice(None)).reshape(1797, 64), load_digits().data / 16, rtol=1e-6
    )
    assert find_datasets(tmp_path)[0][:2] == ("DIGITS", True)
