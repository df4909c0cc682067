from __future__ import annotations

import h5py
import numpy as np
import pytest
from scipy import sparse

from archbuild.data import dataset as dataset_module
from archbuild.data import limits, load_dataset
from archbuild.data.request import Known, ReadOptions
from archbuild.errors import DataError
from tests.data.formats.hdf5.anndata_files import CELLS, COUNTS, GENES, write_h5ad, write_old_h5ad

TYPES = ([0, 1, 1, 0], ["B cell", "T cell"])


def said(dataset, subject: str) -> str:
    return " / ".join(str(guess) for guess in dataset.guesses if guess.subject == subject)


def test_cells_are_rows_and_a_cell_type_is_the_label(tmp_path):
    path = write_h5ad(tmp_path / "own.h5ad", {"n": np.arange(4.0), "Cell_Type": TYPES})
    dataset = load_dataset(str(path))
    np.testing.assert_array_equal(dataset.values, COUNTS)
    assert dataset.class_names == ("B cell", "T cell")
    assert dataset.labels.tolist() == [0, 1, 1, 0]
    assert dataset.ids.tolist() == CELLS
    assert dataset.columns == tuple(GENES)
    assert "4 cells of 3 genes from X, counts" in said(dataset, "rows")
    assert "labels=none" in said(dataset, "labels")
    assert said(dataset, "left out") == "left out: columns of obs (1: 'n'); obsm ('X_pca')"


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_matrix, np.asarray])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8])
def test_matrices_of_every_layout_are_read_in_parts(tmp_path, monkeypatch, kind, dtype):
    monkeypatch.setattr(dataset_module, "_CHUNK_BYTES", 20)
    path = write_h5ad(tmp_path / "own.h5ad", X=kind(COUNTS.astype(dtype)))
    dataset = load_dataset(str(path))
    np.testing.assert_array_equal(dataset.values, COUNTS)
    assert dataset.values.dtype == (np.float64 if dtype == np.float64 else np.float32)
    assert dataset.scale == 1.0


def test_the_counts_can_be_chosen_and_log_normalised(tmp_path):
    path = write_h5ad(tmp_path / "own.h5ad", X=COUNTS - 1.5, counts=sparse.csr_matrix(COUNTS))
    first = load_dataset(str(path))
    np.testing.assert_array_equal(first.values, COUNTS - 1.5)
    assert "not 'layers/counts' [otherwise: --set data.array=layers/counts]" in said(first, "rows")
    options = ReadOptions(array="layers/counts", counts="log_normalise")
    dataset = load_dataset(str(path), options=options)
    sums = COUNTS.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(dataset.values, np.log(1 + 10_000 * COUNTS / sums), rtol=1e-6)


def test_without_x_the_counts_are_read(tmp_path):
    path = write_h5ad(tmp_path / "own.h5ad", spliced=COUNTS * 2, counts=COUNTS)
    assert "from layers/counts" in said(load_dataset(str(path)), "rows")


def test_files_of_early_versions_are_read(tmp_path):
    path = write_old_h5ad(tmp_path / "old.h5ad")
    dataset = load_dataset(str(path))
    np.testing.assert_array_equal(dataset.values, COUNTS - 1.5)
    assert dataset.class_names == ("B cell", "T cell")
    assert dataset.labels.tolist() == [1, 0, 0, 1]
    assert dataset.ids.tolist() == CELLS
    assert "obsm ('X_pca')" in said(dataset, "left out")
    raw = load_dataset(str(path), options=ReadOptions(array="raw"))
    np.testing.assert_array_equal(raw.values, COUNTS)


def test_labels_can_be_named_and_left_out(tmp_path):
    columns = {"cell_type": TYPES, "batch": np.array([1, 2, 3, 1]), "words": np.array(list("abca"))}
    path = write_h5ad(tmp_path / "own.h5ad", columns)
    assert load_dataset(f"{path}:batch").class_names == ("1", "2", "3")
    assert load_dataset(f"{path}:words").labels.tolist() == [0, 1, 2, 0]
    assert load_dataset(str(path), options=ReadOptions(labels="none")).labels is None


def test_cells_without_a_label_are_counted_and_fractions_are_none(tmp_path):
    columns = {"cell_type": ([0, -1, 1, 0], ["B", "T"]), "label": np.array([0.5, 1.5, 2.5, 0.5])}
    path = write_h5ad(tmp_path / "own.h5ad", columns)
    for dataset in (load_dataset(str(path)), load_dataset(f"{path}:cell_type")):
        assert dataset.labels.tolist() == [0, -1, 1, 0]
        found = "'cell_type' of obs, 2 classes; 1 of 4 rows have no label"
        assert found in said(dataset, "labels")
    assert "'label' of obs, since it has fractions" in said(load_dataset(str(path)), "labels")
    with pytest.raises(DataError, match="holds no classes, since it has fractions"):
        load_dataset(f"{path}:label")


def test_new_rows_are_read_in_the_genes_of_the_model(tmp_path):
    path = write_h5ad(tmp_path / "own.h5ad", X=sparse.csc_matrix(COUNTS))
    dataset = load_dataset(str(path), known=Known(columns=("c", "a"), scale=1.0))
    np.testing.assert_array_equal(dataset.values, COUNTS[:, [2, 0]])
    assert dataset.columns == ("c", "a")
    assert dataset.labels is None


def test_genes_of_one_name_are_told_apart(tmp_path):
    path = write_h5ad(tmp_path / "own.h5ad")
    with h5py.File(path, "r+") as file:
        file["var/_index"][...] = ["a", "a", "a-1"]
    dataset = load_dataset(str(path))
    assert len(set(dataset.columns)) == 3
    assert "1 genes have the name of another" in said(dataset, "genes")


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (ReadOptions(array="layers/none"), "no matrix 'layers/none'; it has X"),
        (ReadOptions(labels="typ"), "no column 'typ' in obs; its columns are: cell_type"),
    ],
)
def test_what_is_named_must_be_there(tmp_path, options, part):
    path = write_h5ad(tmp_path / "own.h5ad", {"cell_type": TYPES})
    with pytest.raises(DataError, match=part):
        load_dataset(str(path), options=options)


def test_numbers_below_0_are_no_counts(tmp_path):
    path = write_h5ad(tmp_path / "own.h5ad", X=COUNTS - 1.5)
    with pytest.raises(DataError, match=r"below 0 \(the least is -1.5\), so they are no counts"):
        load_dataset(str(path), options=ReadOptions(counts="log_normalise"))


def broken_index(file: h5py.File) -> None:
    file["X/indices"][0] = 7


def broken_pointers(file: h5py.File) -> None:
    file["X/indptr"][1] = 9


def lost_data(file: h5py.File) -> None:
    del file["X/data"]


def lost_cells(file: h5py.File) -> None:
    del file["obs"]


def another_file(file: h5py.File) -> None:
    del file["X"]
    file["X"] = h5py.ExternalLink("other.h5", "/X")


def virtual(file: h5py.File) -> None:
    del file["X"]
    layout = h5py.VirtualLayout((4, 3), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "X", (4, 3))
    file.create_virtual_dataset("X", layout)


def another_width(file: h5py.File) -> None:
    file["X"].attrs["shape"] = (4, 5)


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (broken_index, "an index lies outside"),
        (broken_pointers, "'indptr' does not fit its shape"),
        (lost_data, "'X' has no array 'data'"),
        (lost_cells, "has no 'obs'"),
        (another_file, "links are not followed"),
        (virtual, "only points to values in other files"),
        (another_width, "matrix of 4 x 5, and 4 cells in obs and 3 genes"),
    ],
)
def test_damage_and_foreign_values_are_refused(tmp_path, damage, part):
    path = write_h5ad(tmp_path / "own.h5ad", X=sparse.csr_matrix(COUNTS))
    with h5py.File(path, "r+") as file:
        damage(file)
    with pytest.raises(DataError, match=part):
        load_dataset(str(path))


def test_a_file_that_is_no_hdf5_is_refused(tmp_path):
    (tmp_path / "own.h5ad").write_bytes(b"x" * 100)
    with pytest.raises(DataError, match="cannot be read as an HDF5 file"):
        load_dataset(str(tmp_path / "own.h5ad"))
    path = write_h5ad(tmp_path / "cut.h5ad")
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DataError, match="cannot be read as an HDF5 file"):
        load_dataset(str(path))


def test_the_size_is_checked_before_anything_is_read(tmp_path, monkeypatch):
    path = write_h5ad(tmp_path / "own.h5ad")
    monkeypatch.setattr(limits, "LARGEST_ARRAY", 8)
    with pytest.raises(DataError, match="GiB"):
        load_dataset(str(path))


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_whole_numbers_that_float64_would_blur_are_refused(tmp_path, dtype):
    values = COUNTS.astype(dtype) + dtype(2**62)
    path = write_h5ad(tmp_path / "own.h5ad", X=values)
    with pytest.raises(DataError, match=f"column 0 .* goes from {values[:, 0].min()} to"):
        load_dataset(str(path))
