"""Rows of text as aligned columns that fit a page."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from archbuild import printable

WIDTH: Final = 100
"""Columns of the page."""

_GAP: Final = "  "
_NARROWEST: Final = 30


def in_columns(rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = ()) -> str:
    """Return a table as text; the empty string for no rows.

    Args:
        rows: cells of text, equally many in each row. The last cell may have several lines, and is
            wrapped to the page; wrapped lines keep the indentation of their line.
        numbers: the columns that are aligned to the right.
    """
    table = [
        [*(printable.one_line(str(cell)) for cell in cells), printable.lines(str(last))]
        for *cells, last in rows
    ]
    if not table:
        return ""
    widths = [max(map(len, column)) for column in list(zip(*table, strict=True))[:-1]]
    indent = sum(widths) + len(_GAP) * len(widths)
    lines = []
    for *cells, last in table:
        fitted = [
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        lines.append(_GAP.join([*fitted, _wrapped(last, indent)]).rstrip())
    return "\n".join(lines)


def _wrapped(text: str, indent: int) -> str:
    """Return the text wrapped to lines that fit beside ``indent`` columns, paths unbroken."""
    width = max(WIDTH - indent, _NARROWEST)
    lines = []
    for line in text.splitlines():
        margin = line[: len(line) - len(line.lstrip())]
        lines += textwrap.wrap(
            line,
            width,
            subsequent_indent=margin,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return ("\n" + " " * indent).join(lines)
