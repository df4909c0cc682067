"""``.xlsx``: the first sheet of an Excel workbook."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from archbuild.data.formats.header import find_header
from archbuild.data.formats.table import read_table
from archbuild.data.formats.table_source import Batch
from archbuild.data.guess import Guess
from archbuild.data.request import Arrays, ReadRequest
from archbuild.errors import DataError

_ROWS = 4096


def read_excel(request: ReadRequest) -> Arrays:
    """Return the features, the labels and the rows' names of the first sheet.

    Raises:
        DataError: openpyxl is not installed, the file is damaged, or as ``read_table``.
    """
    try:
        import openpyxl
    except ImportError as error:
        raise DataError(
            f"{request.path} is an Excel workbook, and reading it needs openpyxl, which is not "
            "installed: pip install 'archbuild[excel]'"
        ) from error
    try:
        book = openpyxl.load_workbook(request.path, read_only=True, data_only=True)
    except Exception as error:  # openpyxl's readers have no closed list
        raise DataError(
            f"{request.path} cannot be read as an Excel workbook ({error}); save it again as .xlsx "
            "or as CSV"
        ) from error
    try:
        return read_table(ExcelSource(request, book), request)
    finally:
        book.close()


class ExcelSource:
    """A sheet as a ``TableSource``."""

    def __init__(self, request: ReadRequest, book: Any) -> None:
        self.path: Path = request.path
        self.decimal = "."
        self._sheet = book.worksheets[0]
        sample = list(islice(self._cells(), 200))
        if not sample:
            raise DataError(f"{self.path} has no rows in its first sheet, '{self._sheet.title}'")
        self.has_header, said = find_header(sample[0], sample[1:], ".", request.options)
        names = [cell.strip() for cell in sample[0]]
        self.columns: tuple[str, ...] = (
            tuple(names) if self.has_header else tuple(map(str, range(1, len(names) + 1)))
        )
        others = [sheet.title for sheet in book.worksheets[1:]]
        sheet = [f"'{self._sheet.title}', the first"] if others else []
        self.guesses: tuple[Guess, ...] = (
            *(Guess("sheet", f"{name}; {len(others)} more are left out") for name in sheet),
            *said,
        )

    def batches(self, wanted: Sequence[int]) -> Iterator[Batch]:
        """Yield the rows as texts, some thousand at a time."""
        rows = enumerate(self._cells(), 1)
        if self.has_header:
            next(rows)
        while part := list(islice(rows, _ROWS)):
            cells = [[row[index] for _, row in part] for index in wanted]
            yield Batch([f"row {number}" for number, _ in part], cells)

    def numbers(self, wanted: Sequence[int], n_rows: int) -> np.ndarray | None:
        """Return ``None``: the cells come as Python objects one by one, there is no faster way."""
        return None

    def _cells(self) -> Iterator[list[str]]:
        """Yield the rows that hold anything, as texts, all of one width."""
        width = self._sheet.max_column or 0
        for row in self._sheet.iter_rows(values_only=True):
            if any(cell is not None for cell in row):
                cells = [_text(cell) for cell in row]
                yield cells + [""] * (width - len(cells))


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime.datetime | datetime.date):
        return cell.isoformat()
    return str(cell)
