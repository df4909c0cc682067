"""Merged cells and hidden rows of a sheet, which openpyxl does not tell while it streams."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

_CHUNK = 2**20  # bytes
_OVERLAP = 2**10  # more than a tag that is looked for
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*\bref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
_HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*\bhidden="(?:1|true)"')
_HIDDEN_COLUMN = re.compile(rb'<(?:\w+:)?col\b[^>]*\bhidden="(?:1|true)"')


class Merged(NamedTuple):
    """Cells that are shown as one: ``B2:C5``, of which the first holds the value.

    Attributes:
        ref: as Excel writes it.
        first_row: the number of its first row, from 1.
        last_row: the number of its last row.
    """

    ref: str
    first_row: int
    last_row: int


class Marks(NamedTuple):
    """Merged cells and hidden rows of a sheet.

    Attributes:
        merged: the cells that are merged, in the order of the file.
        hidden: whether rows or columns are hidden.
    """

    merged: tuple[Merged, ...]
    hidden: bool


def marks_of(path: Path, sheet: Any) -> Marks:
    """Return the marks of a sheet that openpyxl has opened for reading alone.

    Args:
        path: of the workbook, a zip file.
        sheet: of openpyxl.
    """
    merged: dict[str, Merged] = {}
    hidden = False
    with ZipFile(path) as archive, archive.open(sheet._worksheet_path) as file:
        for text in _windows(file):
            hidden = hidden or bool(_HIDDEN_ROW.search(text) or _HIDDEN_COLUMN.search(text))
            for match in _MERGED.finditer(text):
                left, top, right, bottom = (part.decode() for part in match.groups())
                ref = f"{left}{top}:{right}{bottom}"
                merged[ref] = Merged(ref, int(top), int(bottom))
    return Marks(tuple(merged.values()), hidden)


def _windows(file: Any) -> Iterator[bytes]:
    """Yield the bytes of a file in parts that overlap, so that no tag is cut in all of them."""
    rest = b""
    while part := file.read(_CHUNK):
        yield rest + part
        rest = (rest + part)[-_OVERLAP:]
