"""The tables ``obs`` and ``var`` of an AnnData file, in all forms that its versions wrote.

==================  =============================================================================
since               form
==================  =============================================================================
AnnData 0.7         a group with a dataset, or a group, for each column; texts of few values are a
                    group ``categories`` and ``codes``, or (0.7) codes that refer to categories
before              one compound dataset; the categories of a column lie in ``uns``
==================  =============================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.data.formats.hdf5.file import (
    as_texts,
    attribute,
    dataset_at,
    find,
    is_dataset,
    is_group,
    is_text,
    read,
)
from archbuild.errors import DataError

if TYPE_CHECKING:
    from h5py import File

_INDEX_FIELDS = ("index", "_index")
_RESERVED = "__categories"


class Frame:
    """A table in an AnnData file.

    Args:
        file: that is open.
        path: of the table: ``obs``, ``var``, ``raw/var``.

    Raises:
        DataError: there is no such table.
    """

    def __init__(self, file: File, path: str) -> None:
        self._file, self._path = file, path
        self._place: Any = find(file, path)
        if self._place is None:
            raise DataError(f"{file.filename} has no '{path}'; expected the layout of AnnData")
        self._is_compound = is_dataset(self._place)
        self._records = read(self._place) if self._is_compound else None
        self._index = self._find_index()
        self.columns = tuple(name for name in self._names() if name != self._index)

    @property
    def index(self) -> list[str]:
        """The names of the rows."""
        return self.texts(self._index)

    def texts(self, name: str) -> list[str]:
        """Return a column as texts, blank where a cell is missing."""
        if self._records is not None:
            cells = self._records[name]
            found = find(self._file, f"uns/{name}_categories")
            return _of_codes(cells, read(found)) if found is not None else _texts(cells)
        return self._cells_of(find(self._place, name), name)

    def _cells_of(self, column: Any, name: str) -> list[str]:
        if is_group(column):
            if attribute(column, "encoding-type") == "categorical":
                codes, names = dataset_at(column, "codes"), dataset_at(column, "categories")
                return _of_codes(read(codes), read(names))
            missing = read(dataset_at(column, "mask")).astype(bool)
            cells = np.array(_texts(read(dataset_at(column, "values"))), dtype=str)
            return [str(cell) for cell in np.where(missing, "", cells)]
        if column is None:
            raise DataError(f"{self._file.filename}: '{self._path}' has no column '{name}'")
        categories = find(self._place, f"{_RESERVED}/{name}")
        cells = read(column)
        return _texts(cells) if categories is None else _of_codes(cells, read(categories))

    def _find_index(self) -> str:
        if self._records is None:
            return str(attribute(self._place, "_index") or "_index")
        names = self._records.dtype.names or ()
        return next((name for name in _INDEX_FIELDS if name in names), names[0] if names else "")

    def _names(self) -> tuple[str, ...]:
        if self._records is not None:
            return tuple(self._records.dtype.names or ())
        order = attribute(self._place, "column-order")
        names = self._place if order is None else as_texts(order).tolist()
        return tuple(str(name) for name in names if name != _RESERVED)


def _of_codes(codes: np.ndarray, categories: np.ndarray) -> list[str]:
    """Return the texts that codes stand for; -1 stands for a missing one."""
    names = [*_texts(categories), ""]
    if codes.size and not -1 <= codes.min() <= codes.max() < len(names) - 1:
        raise ValueError("a categorical column has codes without a category")
    return [names[code] for code in codes.tolist()]


def _texts(cells: np.ndarray) -> list[str]:
    """Return cells of any kind as texts, blank for NaN."""
    if is_text(cells.dtype):
        cells = as_texts(cells)
    texts = [str(cell) for cell in cells.tolist()]
    return ["" if text == "nan" else text for text in texts]
