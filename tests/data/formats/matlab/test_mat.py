from __future__ import annotations

import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csc_matrix, csr_matrix

from archbuild.data import limits, load_dataset
from archbuild.data.request import ReadOptions
from archbuild.errors import DataError
from tests.data.writers import write_73


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
    savemat(tmp_path / "own.mat", {"pixels": np.zeros((3, 2)), "others": np.zeros((3, 2))})
    with pytest.raises(DataError, match="has the variables pixels, others; expected"):
        load_dataset(str(tmp_path / "own.mat"))


def test_the_only_variable_of_two_axes_is_taken_and_cells_are_texts(tmp_path):
    kinds = np.array(["cat", "dog", "cat"], object)[:, np.newaxis]
    variables = {"pixels": np.eye(3), "gnd": kinds, "means": np.zeros((3, 1))}
    savemat(tmp_path / "own.mat", variables)
    dataset = load_dataset(str(tmp_path / "own.mat"))
    assert dataset.class_names == ("cat", "dog")
    lines = "\n".join(map(str, dataset.guesses))
    assert "rows: the variable 'pixels', the only one of two axes or more" in lines
    assert "left out: the variables 'means'" in lines


def test_damage_in_version_7_3_is_refused(tmp_path):
    path = tmp_path / "own.mat"
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    path.write_bytes(header + bytes(400))
    with pytest.raises(DataError, match="cannot be read as an HDF5 file"):
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


def test_version_7_3_is_read_with_its_axes_in_order(tmp_path):
    values = np.arange(6.0).reshape(3, 2)
    path = write_73(
        tmp_path / "own.mat", fea=values, gnd=np.array([[2], [1], [2]]), note=np.ones((1, 1))
    )
    dataset = load_dataset(path)
    np.testing.assert_array_equal(dataset.values, values)
    assert dataset.labels.tolist() == [1, 0, 1]
    assert any("the variables 'note'" in str(guess) for guess in dataset.guesses)


def test_version_7_3_with_images_sparse_matrices_and_words(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (4, 5, 3, 7), dtype=np.uint8)
    dataset = load_dataset(write_73(tmp_path / "own.mat", X=images, y=np.arange(7)[np.newaxis]))
    np.testing.assert_array_equal(dataset.values[2], images[..., 2])
    matrix = csc_matrix(np.array([[0.0, 1.0], [2.0, 0.0], [0.0, 0.0]]))
    dataset = load_dataset(write_73(tmp_path / "two.mat", X=matrix, Y=["dog", "cat", "dog"]))
    np.testing.assert_array_equal(dataset.values, matrix.toarray())
    assert dataset.class_names == ("cat", "dog")


def test_variables_can_be_named(tmp_path):
    path = tmp_path / "own.mat"
    savemat(path, {"pixels": np.eye(3), "kind": np.array([[1, 2, 1]])})
    options = ReadOptions(array="pixels", labels="kind")
    assert load_dataset(str(path), options=options).labels.tolist() == [0, 1, 0]
    with pytest.raises(DataError, match="no variable 'pixel'; it has pixels, kind"):
        load_dataset(str(path), options=ReadOptions(array="pixel"))


def test_only_what_can_be_read_is_offered(tmp_path):
    path = tmp_path / "own.mat"
    names = np.array(["a", "b", "c"], object)
    savemat(path, {"X": np.eye(3), "names": names, "other": np.ones((3, 2))})
    (said,) = load_dataset(str(path)).guesses
    assert "'names', 'other' [otherwise: --set data.array=other]" in str(said)
    assert load_dataset(str(path), options=ReadOptions(array="other")).shape == (2,)
    savemat(path, {"X": np.eye(3), "names": names})
    assert str(load_dataset(str(path)).guesses[0]) == "left out: the variables 'names'"
