from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from archbuild.data import dataset as dataset_module
from archbuild.data import load_dataset, spill
from archbuild.data.request import Known, ReadOptions
from archbuild.errors import DataError
from tests.data.formats.hdf5.anndata_files import CELLS, COUNTS, write_h5ad

ROWS = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)


def write(path: Path, **arrays: Any) -> str:
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file.create_dataset(name.replace("__", "/"), data=values)
    return str(path)


def said(dataset) -> str:
    return " / ".join(map(str, dataset.guesses))


@pytest.mark.parametrize(
    ("value_key", "label_key"),
    [("X", "Y"), ("x", "y"), ("data", "labels"), ("train__data", "train__label"), ("odd", "y")],
)
@pytest.mark.parametrize("suffix", [".h5", ".hdf5"])
def test_rows_and_labels_are_found(tmp_path, value_key, label_key, suffix):
    labels = [b"b", b"a", b"b", b"b", b"a", b"c"]
    dataset = load_dataset(write(tmp_path / f"own{suffix}", **{value_key: ROWS, label_key: labels}))
    np.testing.assert_array_equal(dataset.values, ROWS)
    assert dataset.labels.tolist() == [1, 0, 1, 1, 0, 2]


def test_what_is_left_out_is_named(tmp_path):
    path = write(tmp_path / "own.h5", X=ROWS, ADT_X=ROWS[:, :2], Y=np.arange(6.0) % 2)
    dataset = load_dataset(path)
    assert dataset.shape == (4,)
    assert "left out: 1 arrays: ADT_X (6, 2) float32" in said(dataset)
    other = load_dataset(f"{path}:Y", options=ReadOptions(array="ADT_X"))
    assert other.shape == (2,)
    assert other.n_classes == 2


def test_several_candidates_are_asked_about(tmp_path):
    path = write(tmp_path / "own.h5", train__a=ROWS, test__b=ROWS[:2], note=b"text")
    with pytest.raises(DataError) as caught:
        load_dataset(path)
    assert "several arrays that may be rows" in str(caught.value)
    assert "train/a (6, 4) float32" in str(caught.value)
    assert "data.array" in str(caught.value)
    assert len(load_dataset(path, options=ReadOptions(array="test/b"))) == 2
    with pytest.raises(DataError, match=r"no array 'c'; it has .*train/a"):
        load_dataset(path, options=ReadOptions(array="c"))


def test_a_file_without_rows_names_what_is_there(tmp_path):
    with pytest.raises(DataError, match=r"no array of rows: y \(3,\) int64; expected"):
        load_dataset(write(tmp_path / "own.h5", y=np.arange(3)))


def test_labels_of_another_length_are_no_labels_unless_they_are_named(tmp_path):
    path = write(tmp_path / "own.h5", X=ROWS, y=np.arange(5))
    assert load_dataset(path).labels is None
    with pytest.raises(DataError, match="labels"):
        load_dataset(f"{path}:y")


def test_large_arrays_are_read_in_parts_onto_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(spill, "IN_MEMORY", 10)
    monkeypatch.setattr(dataset_module, "_CHUNK_BYTES", 40)
    images = np.random.default_rng(0).integers(0, 256, (7, 3, 2, 1), dtype=np.uint8)
    dataset = load_dataset(write(tmp_path / "own.h5", images=images))
    assert isinstance(dataset.values, np.memmap)
    np.testing.assert_array_equal(dataset.values, images)


def test_links_inside_the_file_are_followed_and_others_are_not(tmp_path):
    path = write(tmp_path / "own.h5", deep__rows=ROWS)
    with h5py.File(path, "r+") as file:
        file["soft"] = h5py.SoftLink("/deep/rows")
        file["circle"] = h5py.SoftLink("/circle")
        file["away"] = h5py.ExternalLink("other.h5", "/X")
    assert load_dataset(path).shape == (4,)
    assert load_dataset(path, options=ReadOptions(array="soft")).shape == (4,)
    for name in ("circle", "away"):
        with pytest.raises(DataError, match="links are not followed"):
            load_dataset(path, options=ReadOptions(array=name))


def test_values_outside_of_the_file_are_refused(tmp_path):
    np.save(tmp_path / "secret.npy", ROWS)
    path = tmp_path / "own.h5"
    with h5py.File(path, "w") as file:
        where = [(str(tmp_path / "secret.npy"), 0, h5py.h5f.UNLIMITED)]
        file.create_dataset("X", (6, 4), "f4", external=where)
    with pytest.raises(DataError, match="only points to values in other files"):
        load_dataset(str(path))


def test_an_anndata_file_is_known_by_its_content(tmp_path):
    path = write_h5ad(tmp_path / "own.h5", {"cell_type": ([0, 1, 1, 0], ["B", "T"])})
    dataset = load_dataset(str(path))
    assert dataset.class_names == ("B", "T")
    assert dataset.ids.tolist() == CELLS


def write_ten_x(path: Path, old: bool = False) -> str:
    from scipy.sparse import csc_matrix

    matrix = csc_matrix(COUNTS.T)  # genes in rows
    with h5py.File(path, "w") as file:
        group = file.create_group("GRCh38" if old else "matrix")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(matrix, name)
        group["shape"] = matrix.shape
        group["barcodes"] = np.array(CELLS, "S")
        if old:
            group["gene_names"] = np.array([b"a", b"b", b"a"])
        else:
            group["features/name"] = np.array([b"a", b"b", b"c"])
            types = [b"Gene Expression", b"Gene Expression", b"Antibody Capture"]
            group["features/feature_type"] = np.array(types)
    return str(path)


def test_matrices_of_cell_ranger_are_read(tmp_path):
    path = write_ten_x(tmp_path / "own.h5")
    dataset = load_dataset(path)
    np.testing.assert_array_equal(dataset.values, COUNTS[:, :2])
    assert dataset.columns == ("a", "b")
    assert dataset.ids.tolist() == CELLS
    assert "left out: 1 of Antibody Capture [otherwise: --set 'data.array=Antibody" in said(dataset)
    other = load_dataset(path, options=ReadOptions(array="Antibody Capture"))
    np.testing.assert_array_equal(other.values, COUNTS[:, 2:])
    with pytest.raises(DataError, match="no features of the type 'genes'"):
        load_dataset(path, options=ReadOptions(array="genes"))
    turned = load_dataset(path, known=Known(columns=("b", "a"), scale=1.0))
    np.testing.assert_array_equal(turned.values, COUNTS[:, [1, 0]])


def test_early_matrices_of_cell_ranger_are_read(tmp_path):
    dataset = load_dataset(write_ten_x(tmp_path / "own.h5", old=True))
    np.testing.assert_array_equal(dataset.values, COUNTS)
    assert dataset.columns == ("a", "b", "a-1")


def test_marks_of_classes_are_labels(tmp_path):
    with h5py.File(tmp_path / "own.h5", "w") as file:
        file["x"], file["y"] = np.eye(4, 3), np.eye(2)[[0, 1, 1, 0]]
    assert load_dataset(str(tmp_path / "own.h5")).labels.tolist() == [0, 1, 1, 0]
