"""The title of a table: rows above its header that are no part of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from archbuild.data.columns import is_missing, number_in
from archbuild.data.guess import Guess, listed

_MOST_TITLES = 20  # rows


def has_number(cells: Sequence[str]) -> bool:
    """Return whether one of the cells is a number, with either decimal sign."""
    return any(number_in(cell, sign) is not None for cell in cells for sign in ".,")


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row is words, none of them missing, above rows with a number."""
    first, *below = rows[:_MOST_TITLES]
    words = not any(map(is_missing, first)) and not has_number(first)
    return words and any(map(has_number, below))


def count_titles(rows: Sequence[Sequence[str]]) -> int:
    """Return how many rows at the top are a title: a single cell each, above many.

    Below it comes a header, words above numbers, or a row of three cells or more.

    Args:
        rows: the first rows, all of one width, those without a filled cell left out.
    """
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    start = next((index for index, count in enumerate(filled[: _MOST_TITLES + 1]) if count > 1), 0)
    body = filled[max(start, len(filled) // 2) :]
    usual = Counter(body).most_common(1)[0][0] if body else 0
    if not start or usual < 2 or any(map(has_number, rows[:start])):
        return 0
    first, *below = rows[start : start + 2]
    is_header = not has_number(first) and any(map(has_number, below))
    return start if is_header or (usual > 2 and filled[start] == usual) else 0


def say_title(texts: Sequence[str], skip: int, unit: str = "line") -> list[Guess]:
    """Return the line about what stands above a table.

    Args:
        texts: of the title.
        skip: the rows of the file that it takes.
        unit: the word for one of them.
    """
    if not skip:
        return []
    above = f"the first {skip} {unit}s are" if skip > 1 else f"the first {unit} is"
    found = f"{above} above the table and left out ({listed(tuple(texts), 3)})"
    return [Guess("title", found, "skip_lines=0")]
