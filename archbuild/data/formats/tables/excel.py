"""``.xlsx``: a sheet of an Excel workbook, the first that is visible or the one that is named."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from archbuild.data.formats.tables.excel_marks import Marks, marks_of
from archbuild.data.formats.tables.faults import NoFeatures
from archbuild.data.formats.tables.header import find_header
from archbuild.data.formats.tables.left_out import LeftOut
from archbuild.data.formats.tables.separator import find_decimal
from archbuild.data.formats.tables.source import Batch, column_name
from archbuild.data.formats.tables.table import read_table
from archbuild.data.formats.tables.title import count_titles, say_title
from archbuild.data.formats.zipped import check_members
from archbuild.data.guard import reading
from archbuild.data.guess import Guess, as_option, listed, value_key
from archbuild.data.limits import FREE_CELLS, FREE_TEXT, check_pieces
from archbuild.data.request import Arrays, ReadRequest
from archbuild.errors import DataError

_ROWS = 4096
_SAMPLE = 200
_LAST_ROW = 1_048_576
_MOST_MEMBERS = 10_000  # sheets, pictures and what else is in a workbook


def read_excel(request: ReadRequest) -> Arrays:
    """Return the features, the labels and the rows' names of a sheet.

    Raises:
        DataError: openpyxl is not installed, the file is damaged, a formula has no value, cells of
            the header are merged, or as ``read_table``.
    """
    with reading(request.path, "an Excel workbook", "save it again as .xlsx or as CSV"):
        return _read(request)


def _read(request: ReadRequest) -> Arrays:
    book = _opened(request.path, values=True)
    try:
        source = ExcelSource(request, book)
        if source.has_blanks:
            _refuse_formulas(source)
        return read_table(source, request)
    except NoFeatures as error:
        raise DataError(f"{error}{_sheets_of_numbers(book, source.sheet.title)}") from None
    finally:
        book.close()


def _opened(path: Path, *, values: bool) -> Any:
    """Open a workbook, with the values of its formulas or with the formulas themselves."""
    try:
        import openpyxl
    except ImportError as error:
        raise DataError(
            f"{path} is an Excel workbook, and reading it needs openpyxl, which is not "
            "installed: pip install 'archbuild[excel]'"
        ) from error
    with zipfile.ZipFile(path) as archive:
        check_members(archive, path, _MOST_MEMBERS, FREE_TEXT)
    return openpyxl.load_workbook(path, read_only=True, data_only=values)


class ExcelSource:
    """A sheet as a ``TableSource``.

    Rows and columns in which no cell is filled are no part of the table; rows bear the numbers
    that they have in the sheet.
    """

    def __init__(self, request: ReadRequest, book: Any) -> None:
        self.path: Path = request.path
        self.sheet, said = _chosen_sheet(book, request)
        self.places, self.has_blanks, blank = _filled_columns(self.sheet, self.path)
        self.decimal = "."
        form = request.known.form if request.known else None
        told = request.options.skip_lines
        self.above = told or 0
        sample = list(islice(self._rows(), _SAMPLE))
        self._check_rows(sample, book)
        titles = count_titles([cells for _, cells in sample]) if told is None else 0
        title, sample = sample[:titles], sample[titles:]
        self.above = sample[0][0] - 1 if titles else self.above
        said += say_title([" ".join(filter(None, cells)) for _, cells in title], self.above, "row")
        self.decimal, said_of_sign = find_decimal(
            self._words(), "\t", request.options, form.decimal if form else None
        )
        sample = list(islice(self._rows(), _SAMPLE))
        first, body = sample[0][1], [cells for _, cells in sample[1:]]
        self.has_header, said_of_header = find_header(
            first, body, self.decimal, request.options, request.known
        )
        names = [column_name(cell) for cell in first]
        numbers = map(str, range(1, len(names) + 1))
        self.columns: tuple[str, ...] = tuple(names if self.has_header else numbers)
        said_of_marks = self._say_marks(marks_of(self.path, self.sheet), sample[0][0])
        left_out = LeftOut("row")
        left_out.blank.add([number for number in blank if number > sample[0][0]])
        self.guesses: tuple[Guess, ...] = (
            *said,
            *said_of_sign,
            *said_of_header,
            *left_out.guesses(),
            *said_of_marks,
        )

    def batches(self, wanted: Sequence[int]) -> Iterator[Batch]:
        """Yield the rows as texts, some thousand at a time."""
        rows = islice(self._rows(), int(self.has_header), None)
        while part := list(islice(rows, _ROWS)):
            cells = [[row[index] for _, row in part] for index in wanted]
            yield Batch([f"row {number}" for number, _ in part], cells)

    def numbers(self, wanted: Sequence[int], n_rows: int) -> np.ndarray | None:
        """Return ``None``: the cells come as Python objects one by one, there is no faster way."""
        return None

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the number and the texts of each row of the table that holds anything."""
        for number, row in _numbered(self.sheet):
            if not row:  # there may be a million below the last filled one but one
                continue
            filled = (row[place] if place < len(row) else None for place in self.places)
            cells = [_text(cell, self.decimal) for cell in filled]
            if number > self.above and any(cells):
                yield number, cells

    def _words(self) -> list[list[str]]:
        """Return the texts of the first rows that the workbook holds as texts, not as numbers."""
        table = (row for number, row in _numbered(self.sheet) if number > self.above)
        rows = islice(table, _SAMPLE)
        return [[cell for cell in row if isinstance(cell, str)] for row in rows]

    def _check_rows(self, sample: Sequence[object], book: Any) -> None:
        if not sample:
            others = [sheet.title for sheet in book.worksheets if sheet.title != self.sheet.title]
            advice = f"; choose another one with data.array: {listed(others)}" if others else ""
            raise DataError(f"{self.path} has no rows in its sheet '{self.sheet.title}'{advice}")

    def _say_marks(self, marks: Marks, header: int) -> list[Guess]:
        """Return lines about merged and hidden cells; merged ones in the header are refused."""
        merged = [area for area in marks.merged if area.last_row >= header]
        named = [area.ref for area in merged if area.first_row <= header and self.has_header]
        if named:
            raise DataError(
                f"{self.path}: the header in row {header} has merged cells ({named[0]}); give "
                "each column a name of its own, or leave out the rows above with data.skip_lines"
            )
        said = []
        if merged:
            found = f"{listed([area.ref for area in merged])}: all but the first cell are missing"
            said.append(Guess("merged cells", f"{found}; undo it in the workbook and fill them"))
        if marks.hidden:
            found = "rows or columns of the sheet are hidden, and are read as the others are"
            said.append(Guess("hidden cells", f"{found}; delete them in the workbook otherwise"))
        return said


def _chosen_sheet(book: Any, request: ReadRequest) -> tuple[Any, list[Guess]]:
    """Return the sheet that the user names, else the first that is not hidden."""
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    asked = request.options.array
    if asked is not None and asked not in sheets:
        raise DataError(
            f"{request.path} has no sheet '{asked}'; its sheets are {listed([*sheets])}"
        )
    visible = [title for title in sheets if sheets[title].sheet_state == "visible"]
    title = asked or (visible or [*sheets])[0]
    others = [name for name in sheets if name != title]
    if asked is not None or not others:
        return sheets[title], []
    found = f"'{title}', the first; {len(others)} more are left out ({listed(others)})"
    return sheets[title], [Guess("sheet", found, value_key("array", others[0]))]


def _sheets_of_numbers(book: Any, title: str) -> str:
    """Return which other sheets hold numbers, to stand behind a message; ``""`` of one sheet."""
    others = [sheet for sheet in book.worksheets if sheet.title != title]
    if not others:
        return ""
    names = [sheet.title for sheet in others if _holds_numbers(sheet)]
    if not names:
        return f". This is the sheet '{title}'; no sheet of the workbook holds numbers"
    which = f"{listed(names)} {'hold' if len(names) > 1 else 'alone holds'} numbers"
    return f". This is the sheet '{title}'; {which}: {as_option(value_key('array', names[0]))}"


def _holds_numbers(sheet: Any) -> bool:
    """Return whether two of a sheet's first rows hold a number each."""
    rows = islice(sheet.iter_rows(values_only=True), _SAMPLE)
    return sum(any(type(cell) in (int, float) for cell in row) for row in rows) > 1


def _numbered(sheet: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Yield each row with its number; rows that a sheet leaves out are blank.

    Raises:
        DataError: a row has a number that no sheet can have, so that blank ones would never end.
    """
    for number, row in enumerate(sheet.iter_rows(min_row=1, values_only=True), 1):
        if number > _LAST_ROW:
            raise DataError(f"sheet '{sheet.title}' has a row beyond {_LAST_ROW:,}, Excel's last")
        yield number, row


def _filled_columns(sheet: Any, path: Path) -> tuple[list[int], bool, list[int]]:
    """Return the columns with a filled cell, whether one has a blank one, and the blank rows.

    Blank rows are those between others, by number.

    Raises:
        DataError: there are cells out of proportion to the file, since a row has as many as the
            place of its last one says.
    """
    stored, n_cells = path.stat().st_size, 0
    sheet.reset_dimensions()  # what a workbook says about its size may be wrong
    counts: dict[int, int] = {}
    n_rows = 0
    ends: list[int] = []  # blank rows with no other behind them yet
    blank: list[int] = []
    for number, row in _numbered(sheet):
        n_cells += len(row)
        if n_cells > FREE_CELLS:
            check_pieces(0, n_cells, stored, f"{path}, blank cells included,")
        filled = [place for place, cell in enumerate(row) if cell is not None and _text(cell)]
        n_rows += bool(filled)
        if filled:
            blank += ends
            ends = []
        elif n_rows:
            ends.append(number)
        for place in filled:
            counts[place] = counts.get(place, 0) + 1
    return sorted(counts), any(count < n_rows for count in counts.values()), blank


def _refuse_formulas(source: ExcelSource) -> None:
    """Refuse formulas whose values the workbook does not hold.

    Raises:
        DataError: there are some.
    """
    book = _opened(source.path, values=False)
    try:
        sheet = book[source.sheet.title]
        pairs = zip(source.sheet.iter_rows(), sheet.iter_rows(), strict=False)
        found = [
            f"{formula.coordinate} ({formula.value})"
            for values, formulas in pairs
            for value, formula in zip(values, formulas, strict=False)
            if value.value is None and getattr(formula, "data_type", "") == "f"
        ]
    finally:
        book.close()
    if found:
        raise DataError(
            f"{source.path}, sheet '{source.sheet.title}': {len(found)} formulas have no value in "
            f"the file, as the program that wrote it did not compute them: {', '.join(found[:5])}; "
            "open it in Excel or LibreOffice and save it again"
        )


def _text(cell: Any, decimal: str = ".") -> str:
    """Return a cell as text, with the decimal sign of the texts beside it."""
    if cell is None:
        return ""
    if isinstance(cell, datetime.datetime | datetime.date):
        return cell.isoformat()
    if isinstance(cell, float):
        return repr(cell).replace(".", decimal)
    return str(cell).strip()
