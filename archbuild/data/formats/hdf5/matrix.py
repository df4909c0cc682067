"""Matrices as single-cell files keep them in HDF5: dense, or sparse by rows or by columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.data.dataset import chunk_slices
from archbuild.data.formats.hdf5.file import (
    attribute,
    dataset_at,
    find,
    is_dataset,
    is_group,
    is_numeric,
    read,
    refuse_elsewhere,
)
from archbuild.data.limits import MOST_TIMES_SPARSE, check_declared
from archbuild.data.precision import EXACT, blur_of_double
from archbuild.data.spill import release, room_for
from archbuild.errors import DataError

if TYPE_CHECKING:
    from h5py import Dataset, Group

_WHOLE = 2**24  # float32 holds all whole numbers below
_SPARSE = {"csr_matrix": "csr", "csc_matrix": "csc", "csr": "csr", "csc": "csc"}


@dataclass(frozen=True)
class Matrix:
    """A matrix that is read some rows or columns at a time.

    Attributes:
        place: the dataset, or the group with ``data``, ``indices`` and ``indptr``.
        shape: rows and columns.
        kind: ``dense``, ``csr`` (sparse by rows) or ``csc`` (by columns).
        parts: the names of the three parts of a sparse one.
    """

    place: Any
    shape: tuple[int, int]
    kind: str
    parts: tuple[str, str, str] = ("data", "indices", "indptr")

    @property
    def stored(self) -> Dataset:
        """The dataset with the numbers."""
        return self.place if self.kind == "dense" else dataset_at(self.place, self.parts[0])

    def rows(self, wanted: Sequence[int] | None = None) -> np.ndarray:
        """Return ``(rows, columns)``, dense: in memory, or if it is large on disk.

        Whole numbers become floats that hold them; other numbers keep their type.

        Args:
            wanted: columns, in this order; ``None``: all.

        Raises:
            DataError: the indices of a sparse matrix are broken, or it holds no numbers.
        """
        columns = np.arange(self.shape[1]) if wanted is None else np.asarray(wanted, np.intp)
        self._check_stored(len(columns))
        values = room_for((self.shape[0], len(columns)), self._kind(), self._called())
        {"dense": self._fill_dense, "csr": self._fill_rows, "csc": self._fill_columns}[self.kind](
            values, columns
        )
        return values

    def _check_stored(self, n_columns: int) -> None:
        """Refuse a shape that is out of proportion to what is stored."""
        n_bytes = self.shape[0] * n_columns * 8
        stored = self.stored.id.get_storage_size()
        if self.kind == "dense":
            check_declared(n_bytes, stored, self._called())
            return
        stored += dataset_at(self.place, self.parts[1]).id.get_storage_size()
        check_declared(n_bytes, stored, f"{self._called()}, made dense,", MOST_TIMES_SPARSE)

    def is_whole(self, most: int = 500_000) -> bool:
        """Return whether the first stored numbers are counts: whole, and none below 0."""
        stored = self.stored
        n_rows = most if stored.ndim == 1 else max(1, most // max(1, self.shape[1]))
        sample = np.asarray(stored[:n_rows])
        return bool(sample.size and (sample >= 0).all() and (sample == np.rint(sample)).all())

    def _kind(self) -> type[np.floating]:
        stored = self.stored
        refuse_elsewhere(stored)
        if not is_numeric(stored.dtype):
            raise DataError(f"{self._called()} holds {stored.dtype}; expected numbers")
        if stored.dtype.kind == "f":
            return np.float64 if stored.dtype.itemsize > 4 else np.float32
        largest = 0
        for part in chunk_slices(len(stored), stored.dtype.itemsize * max(1, stored[0:1].size)):
            rows = stored[part]
            largest = max(largest, int(rows.max(initial=0)), -int(rows.min(initial=0)))
        if largest > EXACT and self.kind == "dense":
            self._refuse_blurred(stored)
        return np.float32 if largest <= _WHOLE else np.float64

    def _refuse_blurred(self, stored: Dataset) -> None:
        row_bytes = stored.dtype.itemsize * max(1, stored[0:1].size)
        blur = blur_of_double(stored[part] for part in chunk_slices(len(stored), row_bytes))
        if blur is not None:
            raise DataError(f"{self._called()}: column {blur.column} (from 0) {blur.in_words}")

    def _fill_dense(self, values: np.ndarray, columns: np.ndarray) -> None:
        for part in chunk_slices(len(values), self.shape[1] * values.itemsize):
            values[part] = self.place[part][:, columns]
            release(values)

    def _fill_rows(self, values: np.ndarray, columns: np.ndarray) -> None:
        pointers = self._pointers(self.shape[0], self.shape[1])
        for part in chunk_slices(self.shape[0], self.shape[1] * values.itemsize):
            values[part] = self._block(pointers, part, self.shape[1])[:, columns]
            release(values)

    def _fill_columns(self, values: np.ndarray, columns: np.ndarray) -> None:
        pointers = self._pointers(self.shape[1], self.shape[0])
        for part in chunk_slices(self.shape[1], self.shape[0] * values.itemsize):
            block = self._block(pointers, part, self.shape[0])
            here = np.flatnonzero((columns >= part.start) & (columns < part.stop))
            values[:, here] = block[columns[here] - part.start].T
            release(values)

    def _pointers(self, n_lines: int, length: int) -> np.ndarray:
        """Return where each line begins, once it is known that none is longer than it can be."""
        pointers = read(dataset_at(self.place, self.parts[2])).astype(np.int64)
        numbers, places = (
            dataset_at(self.place, self.parts[0]),
            dataset_at(self.place, self.parts[1]),
        )
        sizes = np.diff(pointers)
        sound = (
            pointers.shape == (n_lines + 1,)
            and pointers[0] == 0
            and pointers[-1] <= min(len(numbers), len(places))
            and (sizes >= 0).all()
            and (sizes <= length).all()
        )
        if not sound:
            raise self._broken(f"its '{self.parts[2]}' does not fit its shape")
        return pointers

    def _block(self, pointers: np.ndarray, part: slice, length: int) -> np.ndarray:
        """Return some lines of a sparse matrix, ``(lines, length)``."""
        from scipy.sparse import csr_matrix

        first, last = pointers[part.start], pointers[part.stop]
        numbers = dataset_at(self.place, self.parts[0])[first:last]
        places = dataset_at(self.place, self.parts[1])[first:last].astype(np.int64)
        if places.size and not 0 <= places.min() <= places.max() < length:
            raise self._broken("an index lies outside")
        lines = pointers[part.start : part.stop + 1] - first
        kind = numbers.dtype if numbers.dtype.kind == "f" else np.float64
        block = csr_matrix((numbers.astype(kind), places, lines), (part.stop - part.start, length))
        dense: np.ndarray = block.toarray()
        return dense

    def _broken(self, reason: str) -> DataError:
        return DataError(
            f"{self._called()} is a sparse matrix of {self.shape[0]:,} x {self.shape[1]:,}, and "
            f"{reason}; the file is damaged, so copy or save it again"
        )

    def _called(self) -> str:
        return f"'{self.place.name.strip('/')}' in {self.place.file.filename}"


def matrix_at(place: Group, path: str) -> Matrix | None:
    """Return the matrix that a path names; ``None`` where there is no matrix."""
    found = find(place, path)
    if is_dataset(found):
        refuse_elsewhere(found)
        return Matrix(found, found.shape, "dense") if found.ndim == 2 else None
    if not is_group(found):
        return None
    encoding = attribute(found, "encoding-type") or attribute(found, "h5sparse_format")
    shape = attribute(found, "shape")
    shape = attribute(found, "h5sparse_shape") if shape is None else shape
    kind = _SPARSE.get(encoding)
    if shape is None or kind is None:
        return None
    rows, columns = (int(size) for size in shape)
    return Matrix(found, (rows, columns), kind)
