"""The layout of a text table: title, separator, decimal sign, header, columns.

None of them is written in such a file, so each is a guess from its first lines, which is said and
which the spec's ``data`` section overrules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from archbuild.data.columns import number_in
from archbuild.data.formats.tables.csv_rows import (
    TOLD_SEPARATOR,
    Row,
    is_unfilled,
    numbered_rows,
    open_text,
    sample,
)
from archbuild.data.formats.tables.drawn import refuse_drawn
from archbuild.data.formats.tables.header import find_header
from archbuild.data.formats.tables.left_out import LeftOut
from archbuild.data.formats.tables.separator import (
    MARKS,
    SIGN,
    Cut,
    best_cut,
    cut_by,
    find_decimal,
    separator_name,
)
from archbuild.data.formats.tables.single_column import find_single_column
from archbuild.data.formats.tables.source import column_name
from archbuild.data.formats.tables.title import count_titles, say_title
from archbuild.data.guess import Guess, column_key
from archbuild.data.limits import check_columns
from archbuild.data.request import Known, ReadOptions
from archbuild.data.table_form import TableForm
from archbuild.errors import DataError

_SAMPLE = 200  # lines
_PROBED_BYTES = 2**14


@dataclass(frozen=True)
class CsvLayout:
    """The layout of one text table.

    Attributes:
        path: of the file.
        separator: between the cells.
        decimal: the decimal sign.
        columns: the names; ``1``, ``2``, ... where the file has no header.
        has_header: whether the first row is one.
        width: the cells of each row; one more than ``columns`` where all rows end with a separator.
        skip: how many lines at the top are no part of the table.
        hint: what may be wrong where rows differ in width, for messages; empty: nothing is known.
        guesses: the decisions, in words.
    """

    path: Path
    separator: str
    decimal: str
    columns: tuple[str, ...]
    has_header: bool
    width: int
    skip: int
    hint: str
    guesses: tuple[Guess, ...]


def read_layout(path: Path, options: ReadOptions, known: Known | None = None) -> CsvLayout:
    """Return the layout that the first lines show and the options say.

    Where a model reads new rows, what was settled for its training table holds, unless the lines
    cannot be read so.

    Raises:
        DataError: the file is empty, the separator that the options name is in no line, or the
            header names fewer columns than there are.
    """
    lines = _first_lines(path, options.skip_lines or 0)
    marks = (*MARKS, " ")
    check_columns(max((line.count(mark) for line in lines for mark in marks), default=0), str(path))
    refuse_drawn(path, lines)
    form = known.form if known else None
    cut, said = _find_cut(path, lines, options, form)
    rows, skip = _table_rows(path, cut, options)
    if options.skip_lines is None:
        titles = (line.strip().strip(cut.separator) for line in lines[:skip])
        said = [*say_title([title for title in titles if title], skip), *said]
    cells = [row.cells for row in rows]
    decimal, said_of_sign = find_decimal(
        cells, cut.separator, options, form.decimal if form else None
    )
    _check_told_separator(path, lines, cells, decimal, options)
    hint = _hint(lines, cut.separator)
    columns = _find_columns(path, cells, decimal, options, hint, known)
    is_said = any(guess.subject == SIGN for guess in said)
    return CsvLayout(
        path=path,
        separator=cut.separator,
        decimal=decimal,
        columns=columns.names,
        has_header=columns.has_header,
        width=columns.width,
        skip=skip,
        hint=hint,
        guesses=(*_form(path), *said, *([] if is_said else said_of_sign), *columns.guesses),
    )


class _Columns(NamedTuple):
    """The columns of a table; the fields are those of ``CsvLayout``."""

    names: tuple[str, ...]
    has_header: bool
    width: int
    guesses: tuple[Guess, ...]


def _find_columns(
    path: Path,
    rows: Sequence[Sequence[str]],
    decimal: str,
    options: ReadOptions,
    hint: str,
    known: Known | None,
) -> _Columns:
    """Return the names of the columns, and what is behind or in front of those with names."""
    first, body = rows[0], rows[1:]
    has_header, said = find_header(first, body, decimal, options, known)
    names = [column_name(cell) for cell in first]
    if not has_header:
        names = [str(number) for number in range(1, len(first) + 1)]
    width = len(body[0]) if body else len(first)
    _refuse_another_separator(path, first, width)
    names, said_of_ends = _extra_cell(names, body, width, has_header)
    if width > len(names) + bool(said_of_ends):
        raise _narrow_header(path, len(first), width, hint)
    if names[0] in options.columns:  # the index in front has a kind that the user told
        said_of_ends = [guess for guess in said_of_ends if not guess.overrule]
    return _Columns(tuple(names), has_header, width, (*said, *said_of_ends))


def _refuse_another_separator(path: Path, first: Sequence[str], width: int) -> None:
    """Refuse a header of one cell that another separator than that of the rows would cut."""
    mark = next((mark for mark in MARKS if mark in first[0]), None)
    if mark is not None and len(first) == 1 < width:
        raise DataError(
            f"{path}: the first line, '{first[0]}', has {separator_name(mark)}s where the others "
            "have another separator; write both with the same one"
        )


def is_text_table(path: Path) -> bool:
    """Return whether a file whose suffix says nothing is a text table by its first lines."""
    try:
        with path.open("rb") as file:
            text = file.read(_PROBED_BYTES).decode("utf-8-sig", "strict")
    except (OSError, UnicodeDecodeError):
        return False
    lines = text.splitlines()
    lines = lines[:-1] if len(text) == _PROBED_BYTES else lines  # the last one is cut
    lines = [line for line in lines if not is_unfilled(line)]
    is_text = "\0" not in text and len(lines) > 1
    cuts = (cut_by(lines, mark) for mark in MARKS)
    return is_text and any(cut is not None and cut.share == 1 and not cut.skip for cut in cuts)


def _form(path: Path) -> list[Guess]:
    """Return a line about a table that is none by its name."""
    if {".csv", ".tsv"} & {suffix.lower() for suffix in path.suffixes}:
        return []
    return [Guess("format", f"a text table, by what {path.name} holds; no other format is read so")]


def _first_lines(path: Path, skip: int) -> list[str]:
    """Return the first lines, blank ones in the place of those that the user leaves out."""
    with open_text(path) as file:
        lines = [*islice(file, skip), *sample(file, is_unfilled)]
    if any("\0" in line for line in lines):
        raise DataError(
            f"{path} holds NUL characters, as UTF-16 without its first two bytes and binary files "
            "do; save it as CSV, UTF-8"
        )
    return ["\n"] * min(skip, len(lines)) + lines[skip:]


def _find_cut(
    path: Path, lines: Sequence[str], options: ReadOptions, form: TableForm | None
) -> tuple[Cut, list[Guess]]:
    """Return how the table is cut: as told, as its first line says, as trained, or as fits best."""
    if options.separator is not None:
        return _cut_as_told(lines, options.separator), []
    usual = "\t" if ".tsv" in (suffix.lower() for suffix in path.suffixes) else ","
    other = f"separator={separator_name(usual)}"
    told = TOLD_SEPARATOR.match(lines[0]) if lines else None
    if told:
        other = "separator=semicolon" if told[1] == usual else other
        found = f"as the first line says (sep=), a {separator_name(told[1])}"
        return _cut_as_told(lines, told[1]), [Guess("separator", found, other)]
    as_trained = _cut_as_trained(lines, form)
    if as_trained is not None:
        return as_trained, []
    is_single, said = find_single_column(lines, options, form)
    if is_single:
        return Cut(";", 0, 1.0, 1), said
    cut = best_cut(lines) or Cut(usual, 0, 1.0, 1)
    if cut.separator != usual:
        few = "every line has" if cut.share == 1 else "most lines have"
        said = [Guess("separator", f"a {separator_name(cut.separator)}, as {few} it", other)]
    return cut, said


def _cut_as_trained(lines: Sequence[str], form: TableForm | None) -> Cut | None:
    """Return the cut by the separator of the training table where it leaves as many columns."""
    if form is None or form.separator is None:
        return None
    cut = cut_by(lines, form.separator)
    return cut if cut is not None and cut.share == 1 and cut.width in form.widths else None


def _cut_as_told(lines: Sequence[str], separator: str) -> Cut:
    return cut_by(lines, separator) or Cut(separator, 0, 1.0, 1)


def _table_rows(path: Path, cut: Cut, options: ReadOptions) -> tuple[list[Row], int]:
    """Return the first rows of the table, and how many lines are above them."""
    skip = cut.skip if options.skip_lines is None else options.skip_lines
    left_out = LeftOut()
    rows = list(islice(numbered_rows(path, cut.separator, skip, left_out), _SAMPLE))
    if not rows:
        behind = f" behind its first {skip} lines (data.skip_lines)" if skip else ""
        found = "".join(f" ({guess.found})" for guess in left_out.guesses())
        raise DataError(
            f"{path} is empty{behind}{found}; expected one line of numbers for each row"
        )
    titles = count_titles([row.cells for row in rows]) if options.skip_lines is None else 0
    return (rows[titles:], rows[titles].first - 1) if titles else (rows, skip)


def _check_told_separator(
    path: Path,
    lines: Sequence[str],
    rows: Sequence[Sequence[str]],
    decimal: str,
    options: ReadOptions,
) -> None:
    """Refuse a separator that is in no line, where another one cuts all of them alike."""
    if options.separator is None:
        return
    own, hint = cut_by(lines, options.separator), _hint(lines, options.separator)
    is_single = all(len(row) == 1 and number_in(row[0], decimal) is not None for row in rows[1:])
    if hint and not is_single and (own is None or own.skip):
        name = separator_name(options.separator)
        raise DataError(f"{path} is not cut by a {name} (data.separator: {name}); {hint}")


def _hint(lines: Sequence[str], separator: str) -> str:
    """Return what another separator would do; empty where none cuts every line alike."""
    own, best = cut_by(lines, separator), best_cut(lines)
    if best is None or best.share < 1 or best.separator == separator:
        return ""
    if own is not None and own.share == 1 and own.skip <= best.skip:
        return ""
    return f"{best.in_words}: set data.separator: {separator_name(best.separator)}"


def _narrow_header(path: Path, count: int, width: int, hint: str) -> DataError:
    cause = "; half of its commas may be decimal signs" if width == 2 * count else ""
    advice = hint or (
        "write a header with one name for each column, or name the separator (data.separator)"
    )
    return DataError(
        f"{path}: the first line has {count} cells, and the next {width}{cause}; {advice}"
    )


def _extra_cell(
    columns: list[str], body: Sequence[Sequence[str]], width: int, has_header: bool
) -> tuple[list[str], list[Guess]]:
    """Return the names for rows with one cell too many: an index in front, or a last separator."""
    ends_blank = bool(body) and all(not row[-1].strip() for row in body if row)
    same_width = width == len(columns)
    if ends_blank and width > 1 and (not same_width or not has_header or not columns[-1]):
        kept = columns[:-1] if same_width else columns
        return kept, [
            Guess(
                "columns",
                "every line ends with a separator; no column is behind it, and none is left out",
            )
        ]
    if has_header and width == len(columns) + 1:
        found = "the rows have one cell more than the header: their first names the row"
        return ["", *columns], [Guess("columns", found, column_key("", "number"))]
    return columns, []
