from __future__ import annotations

import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csr_matrix

from archbuild.data import limits, load_dataset
from archbuild.errors import DataError


@pytest.mark.parametrize(("value_key", "label_key"), [("X", "Y"), ("fea", "gnd"), ("data", "y")])
def test_the_usual_variables_are_found(tmp_path, value_key, label_key):
    values = np.arange(6.0).reshape(3, 2)
    path = tmp_path / "own.mat"
    savemat(path, {value_key: values, label_key: np.array([[2], [1], [2]]), "im_height": 1})
    dataset = load_dataset(str(path))
    np.testing.assert_array_equal(dataset.values, values)
    assert dataset.labels.tolist() == [1, 0, 1]


def test_a_sparse_matrix_is_written_out(tmp_path):
    values = np.array([[0.0, 1.0], [2.0, 0.0]])
    savemat(tmp_path / "own.mat", {"X": csr_matrix(values)})
    np.testing.assert_array_equal(load_dataset(str(tmp_path / "own.mat")).values, values)


def test_rows_in_the_last_axis_are_known_by_the_labels(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (4, 5, 3, 7), dtype=np.uint8)
    savemat(tmp_path / "own.mat", {"X": images, "y": np.arange(7)})
    dataset = load_dataset(str(tmp_path / "own.mat"))
    assert dataset.shape == (3, 4, 5)
    np.testing.assert_array_equal(dataset.values[2], images[..., 2])


def test_bytes_are_not_taken_for_eight_each(tmp_path, monkeypatch):
    savemat(tmp_path / "own.mat", {"X": np.zeros((100, 10), np.uint8)})
    monkeypatch.setattr(limits, "LARGEST_ARRAY", 1000)
    assert len(load_dataset(str(tmp_path / "own.mat"))) == 100
    savemat(tmp_path / "own.mat", {"X": np.zeros((100, 10), np.uint16)})
    with pytest.raises(DataError, match="the variable 'X'"):
        load_dataset(str(tmp_path / "own.mat"))


def test_other_variables_are_listed(tmp_path):
    savemat(tmp_path / "own.mat", {"pixels": np.zeros((3, 2))})
    with pytest.raises(DataError, match="has the variables pixels; expected"):
        load_dataset(str(tmp_path / "own.mat"))


def test_version_7_3_is_refused_with_the_way_out(tmp_path):
    path = tmp_path / "own.mat"
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    path.write_bytes(header + bytes(400))
    with pytest.raises(DataError, match=r"save\(\.\.\., '-v7'\)"):
        load_dataset(str(path))


def test_damage_is_refused(tmp_path):
    path = tmp_path / "own.mat"
    savemat(path, {"X": np.random.default_rng(0).normal(size=(40, 40))})
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DataError, match=r"own\.mat cannot be read as \.mat"):
        load_dataset(str(path))
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"own\.mat cannot be read as \.mat"):
        load_dataset(str(path))
