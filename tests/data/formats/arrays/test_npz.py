from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from archbuild.data import dataset as dataset_module
from archbuild.data import limits, load_dataset, spill
from archbuild.data.formats.arrays.npz import npz_headers
from archbuild.data.request import Known, ReadOptions
from archbuild.errors import DataError


def write_header(path: Path, shape: tuple[int, ...], content: bytes = b"") -> None:
    """An archive whose array ``x`` claims to be of ``shape``."""
    member = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(member, header)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", member.getvalue() + content)


@pytest.mark.parametrize(("value_key", "label_key"), [("x", "y"), ("X", "Y"), ("data", "labels")])
def test_the_usual_keys_are_found(tmp_path, value_key, label_key):
    arrays = {value_key: np.arange(6).reshape(3, 2), label_key: np.array(["b", "a", "b"])}
    np.savez_compressed(tmp_path / "own.npz", **arrays)
    dataset = load_dataset(str(tmp_path / "own.npz"))
    np.testing.assert_array_equal(dataset.values, arrays[value_key])
    assert dataset.class_names == ("a", "b")


def test_each_row_may_have_a_sequence_of_labels(tmp_path):
    np.savez(tmp_path / "own.npz", x=np.zeros((3, 2)), y=[[7, 2, 7], [2, 2, 5], [5, 7, 2]])
    dataset = load_dataset(str(tmp_path / "own.npz"))
    assert dataset.labels.tolist() == [[2, 0, 2], [0, 0, 1], [1, 2, 0]]
    assert (dataset.class_names, dataset.labels_per_row) == (("2", "5", "7"), 3)
    assert dataset.row_labels is None


def test_labels_may_be_missing(tmp_path):
    np.savez(tmp_path / "own.npz", x=np.zeros((3, 2)))
    assert load_dataset(str(tmp_path / "own.npz")).labels is None


def test_other_keys_are_listed(tmp_path):
    np.savez(tmp_path / "own.npz", pixels=np.zeros((3, 2)), who=np.zeros((3, 1)))
    with pytest.raises(DataError, match="has the arrays pixels, who; expected the data under x"):
        load_dataset(str(tmp_path / "own.npz"))


def test_headers_are_read_without_the_arrays(tmp_path):
    write_header(tmp_path / "own.npz", (10**6, 10**6))
    assert npz_headers(tmp_path / "own.npz")["x"].shape == (10**6, 10**6)


def test_an_absurd_size_is_refused_before_anything_is_allocated(tmp_path):
    write_header(tmp_path / "own.npz", (10**6, 10**6))
    with pytest.raises(DataError, match="declares 8000000000000 bytes, and 0 are there"):
        load_dataset(str(tmp_path / "own.npz"))


def test_more_than_the_disk_holds_is_refused_before_it_is_read(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "own.npz", x=np.zeros((1000, 10)))
    monkeypatch.setattr(spill, "IN_MEMORY", 1000)
    monkeypatch.setattr(limits, "LARGEST_ARRAY", 79_999)
    with pytest.raises(DataError, match=r"'x' in .* would take .* set TMPDIR"):
        load_dataset(str(tmp_path / "own.npz"))


@pytest.mark.parametrize("order", ["C", "F"])
def test_large_arrays_stay_on_disk_and_are_the_same(tmp_path, monkeypatch, order):
    values = np.asarray(np.random.default_rng(0).normal(size=(50, 3, 4)), order=order)
    np.savez_compressed(tmp_path / "own.npz", x=values)
    monkeypatch.setattr(spill, "IN_MEMORY", 1000)
    monkeypatch.setattr(dataset_module, "_CHUNK_BYTES", 999)
    dataset = load_dataset(str(tmp_path / "own.npz"))
    assert isinstance(dataset.values, np.memmap)
    np.testing.assert_array_equal(dataset.values, values)


def test_a_size_that_the_bytes_do_not_bear_out_is_refused(tmp_path):
    write_header(tmp_path / "own.npz", (1000, 10), content=bytes(80))
    with pytest.raises(DataError, match="declares 80000 bytes, and 80 are there"):
        load_dataset(str(tmp_path / "own.npz"))


def test_objects_are_refused(tmp_path):
    np.savez(tmp_path / "own.npz", x=np.array([[{}], [{}]], object))
    with pytest.raises(DataError, match="never loaded"):
        load_dataset(str(tmp_path / "own.npz"))


def test_a_damaged_archive_is_refused(tmp_path):
    path = tmp_path / "own.npz"
    np.savez(path, x=np.random.default_rng(0).normal(size=(40, 40)))
    content = bytearray(path.read_bytes())
    content[5000] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cannot be read as \.npz .*CRC"):
        load_dataset(str(path))
    path.write_bytes(content[:6000])
    with pytest.raises(DataError, match=r"cannot be read as \.npz"):
        load_dataset(str(path))


def test_the_only_array_is_taken_and_what_is_left_out_is_said(tmp_path):
    path = tmp_path / "own.npz"
    np.savez(path, features=np.ones((3, 2)), names=np.zeros(3), y=np.array([0, 1, 1]))
    dataset = load_dataset(str(path))
    assert (dataset.shape, dataset.n_classes) == ((2,), 2)
    lines = "\n".join(map(str, dataset.guesses))
    assert "the array 'features', the only one" in lines
    assert "left out: the arrays 'names'" in lines


def test_arrays_can_be_named(tmp_path):
    path = str(tmp_path / "own.npz")
    np.savez(path, x=np.ones((3, 2)), other=np.eye(3), kind=[1, 2, 1], size=[0.5, 1, 2])
    options = ReadOptions(array="other", labels="kind")
    dataset = load_dataset(path, options=options)
    assert dataset.shape == (3,)
    assert dataset.labels.tolist() == [0, 1, 0]
    assert "left out: the arrays 'x', 'size'" in "\n".join(map(str, dataset.guesses))
    np.savez(path, other=np.eye(3))  # new rows need no labels
    assert load_dataset(path, options=options, known=Known(scale=1.0)).labels is None
    with pytest.raises(DataError, match="no array 'kind'"):
        load_dataset(path, options=options)


def test_quantities_that_are_named_as_labels_are_refused(tmp_path):
    path = str(tmp_path / "own.npz")
    np.savez(path, x=np.ones((3, 2)), size=[0.5, 1, 2])
    with pytest.raises(DataError, match="'size' has fractions, so it names no classes"):
        load_dataset(path, options=ReadOptions(labels="size"))


def test_a_single_array_without_a_name_is_read(tmp_path):
    np.savez(tmp_path / "own.npz", np.ones((3, 2)))
    assert load_dataset(str(tmp_path / "own.npz")).shape == (2,)


def test_fractions_are_no_labels(tmp_path):
    path = tmp_path / "own.npz"
    np.savez(path, x=np.ones((3, 2)), y=np.array([0.5, 1.5, 2.0]))
    dataset = load_dataset(str(path))
    assert dataset.labels is None
    assert "'y' has fractions" in "\n".join(map(str, dataset.guesses))


def test_sparse_matrices_are_read(tmp_path):
    path = tmp_path / "own.npz"
    dense = np.diag([1.0, 2.0, 3.0])
    sparse.save_npz(path, sparse.csr_matrix(dense))
    np.testing.assert_array_equal(load_dataset(str(path)).values, dense)


def test_sparse_indices_outside_the_matrix_are_refused(tmp_path):
    path = tmp_path / "own.npz"
    matrix = sparse.csr_matrix(np.diag([1.0, 2.0, 3.0]))
    matrix.indices[1] = 900_000
    sparse.save_npz(path, matrix)
    with pytest.raises(DataError, match=r"own\.npz"):
        load_dataset(str(path))


def test_nothing_is_said_of_labels_that_are_not_wanted(tmp_path):
    np.savez(tmp_path / "own.npz", x=np.eye(3), y=np.arange(3))
    dataset = load_dataset(str(tmp_path / "own.npz"), options=ReadOptions(labels="none"))
    assert (dataset.labels, dataset.guesses) == (None, ())


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("train_images", "train_labels", "val_images", "val_labels"),
    ],
)
def test_parts_are_read_one_below_the_other(tmp_path, names):
    path = str(tmp_path / "own.npz")
    arrays = (np.eye(3), np.array([[0], [1], [1]]), 2 * np.eye(3)[:2], np.array([[1], [0]]))
    np.savez(path, **dict(zip(names, arrays, strict=True)), note=np.zeros(3))
    dataset = load_dataset(path)
    np.testing.assert_array_equal(dataset.values, np.vstack([arrays[0], arrays[2]]))
    assert dataset.labels.tolist() == [0, 1, 1, 1, 0]
    lines = "\n".join(map(str, dataset.guesses))
    assert f"'{names[0]}', '{names[2]}', one below the other" in lines
    assert f"[otherwise: --set data.array={names[0]}]" in lines
    assert "left out: the arrays 'note'" in lines
    one = load_dataset(path, options=ReadOptions(array=names[2], labels=names[3]))
    assert one.labels.tolist() == [1, 0]
    with pytest.raises(DataError, match="cannot be the labels of all"):
        load_dataset(path, options=ReadOptions(labels=names[1]))


def test_parts_without_labels_of_their_own_have_none(tmp_path):
    path = str(tmp_path / "own.npz")
    np.savez(path, x_train=np.eye(3), x_test=np.eye(3), y_train=[0, 1, 0])
    dataset = load_dataset(path)
    assert (len(dataset), dataset.labels) == (6, None)
    assert "left out: the arrays 'y_train'" in "\n".join(map(str, dataset.guesses))


def test_arrays_left_out_name_the_key_that_takes_them(tmp_path):
    np.savez(tmp_path / "own.npz", np.eye(3), np.array([0, 1, 1]))
    lines = "\n".join(map(str, load_dataset(str(tmp_path / "own.npz")).guesses))
    assert "left out: the arrays 'arr_1' [otherwise: --set data.labels=arr_1]" in lines


def test_large_parts_are_joined_on_disk(tmp_path, monkeypatch):
    parts = np.random.default_rng(0).normal(size=(2, 30, 4))
    np.savez(tmp_path / "own.npz", x_train=parts[0], x_test=parts[1])
    monkeypatch.setattr(spill, "IN_MEMORY", 100)
    monkeypatch.setattr(dataset_module, "_CHUNK_BYTES", 99)
    dataset = load_dataset(str(tmp_path / "own.npz"))
    assert isinstance(dataset.values, np.memmap)
    np.testing.assert_array_equal(dataset.values, np.vstack(parts))


@pytest.mark.parametrize(
    ("others", "key"),
    [
        ({"mean": np.full(3, 0.5)}, None),
        ({"mean": np.full(3, 0.5), "kind": np.array(["a", "b", "a"])}, "data.labels=kind"),
        ({"mean": np.full(3, 0.5), "two": np.eye(3)}, "data.array=two"),
    ],
)
def test_only_what_can_be_read_is_offered(tmp_path, others, key):
    np.savez(tmp_path / "own.npz", x=np.eye(3), **others)
    line = str(load_dataset(str(tmp_path / "own.npz")).guesses[-1])
    assert line.endswith(f" [otherwise: --set {key}]" if key else "'mean'")
