"""Small AnnData files, written after the on-disk specification with h5py alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from scipy import sparse

CELLS = [f"cell {number}" for number in range(4)]
GENES = ["a", "b", "c"]
COUNTS = np.array([[0, 2, 0], [5, 0, 0], [0, 0, 20], [1, 0, 3]])
TEXT = h5py.string_dtype()


def write_h5ad(path: Path, obs: dict[str, Any] | None = None, **matrices: Any) -> Path:
    """A file with ``X`` and ``layers/NAME`` and, under ``raw``, a matrix of the same genes."""
    matrices = matrices or {"X": COUNTS.astype(np.float32)}
    with h5py.File(path, "w") as file:
        file.attrs["encoding-type"] = "anndata"
        for name, values in matrices.items():
            where = {"X": "X", "raw": "raw/X"}.get(name, f"layers/{name}")
            write_matrix(file, where, values)
        if "raw" in matrices:
            write_frame(file, "raw/var", GENES, {})
        write_frame(file, "obs", CELLS, obs or {})
        write_frame(file, "var", GENES, {"length": np.arange(3)})
        file.create_group("obsm").create_dataset("X_pca", data=np.zeros((4, 2)))
    return path


def write_matrix(file: h5py.File, where: str, values: Any) -> None:
    if not sparse.issparse(values):
        file.create_dataset(where, data=values)
        return
    group = file.create_group(where)
    group.attrs["encoding-type"] = f"{values.format}_matrix"
    group.attrs["shape"] = values.shape
    for name in ("data", "indices", "indptr"):
        group.create_dataset(name, data=getattr(values, name))


def write_frame(file: h5py.File, where: str, index: list[str], columns: dict[str, Any]) -> None:
    """A table; a pair is a categorical column: its codes and its categories."""
    group = file.create_group(where)
    group.attrs["_index"] = "_index"
    group.attrs.create("column-order", list(columns), dtype=TEXT)
    group.create_dataset("_index", data=index, dtype=TEXT)
    for name, cells in columns.items():
        if isinstance(cells, tuple):
            column = group.create_group(name)
            column.attrs["encoding-type"] = "categorical"
            column.create_dataset("codes", data=np.array(cells[0], np.int8))
            column.create_dataset("categories", data=cells[1], dtype=TEXT)
        elif np.asarray(cells).dtype.kind == "U":
            group.create_dataset(name, data=list(cells), dtype=TEXT)
        else:
            group.create_dataset(name, data=cells)


def write_old_h5ad(path: Path) -> Path:
    """A file as AnnData 0.6 wrote it: compound tables, categories in ``uns``, ``raw.X``."""
    obs = np.zeros(4, [("index", "S8"), ("bulk_labels", "i1"), ("n_counts", "f4")])
    obs["index"], obs["bulk_labels"] = CELLS, [1, 0, 0, 1]
    var = np.zeros(3, [("index", "S4")])
    var["index"] = GENES
    with h5py.File(path, "w") as file:
        file["X"] = COUNTS - 1.5
        file["obs"], file["var"], file["raw.var"] = obs, var, var
        file["uns/bulk_labels_categories"] = np.array([b"B cell", b"T cell"])
        matrix = sparse.csr_matrix(COUNTS.astype(np.float32))
        group = file.create_group("raw.X")
        group.attrs["h5sparse_format"], group.attrs["h5sparse_shape"] = "csr", matrix.shape
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(matrix, name)
        file["obsm"] = np.zeros(4, [("X_pca", "f4", (2,))])
    return path
