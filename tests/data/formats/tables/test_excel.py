from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archbuild.data import Dataset, load_dataset
from archbuild.data.request import ReadOptions
from archbuild.errors import DataError

openpyxl = pytest.importorskip("openpyxl")


def write(path: Path, *sheets: list[list[object]]) -> str:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    book.save(path)
    return str(path)


def test_a_table_is_read_as_from_csv(tmp_path):
    rows = [["id", "width", "day", "shop", "label"]]
    rows += [[f"r{i}", i / 2, date(1970, 1, 1 + i), "ab"[i % 2], "xyx"[i % 3]] for i in range(6)]
    rows[3][1] = None
    dataset = load_dataset(write(tmp_path / "own.xlsx", rows))
    assert dataset.columns == ("width", "width is missing", "day", "shop=a", "shop=b")
    np.testing.assert_allclose(dataset.values[:, 0], [0.0, 0.5, 1.3, 1.5, 2.0, 2.5], rtol=1e-6)
    assert dataset.values[:, 2].tolist() == [0, 1, 2, 3, 4, 5]
    assert dataset.ids.tolist() == [f"r{i}" for i in range(6)]
    assert dataset.class_names == ("x", "y")


def test_further_sheets_are_named_as_left_out(tmp_path):
    dataset = load_dataset(write(tmp_path / "own.xlsx", [["a"], [1], [2.5]], [["b"], [3]]))
    np.testing.assert_array_equal(dataset.values, [[1], [2.5]])
    assert any("1 more are left out" in str(guess) for guess in dataset.guesses)


def test_a_table_without_a_header_and_the_label_in_words(tmp_path):
    path = write(tmp_path / "own.xlsx", [[1.5, 2.5, "x"], [3.5, 4.5, "y"], [3.1, 4.2, "y"]])
    dataset = load_dataset(path, options=ReadOptions(header=False, labels="3"))
    np.testing.assert_allclose(dataset.values, [[1.5, 2.5], [3.5, 4.5], [3.1, 4.2]], rtol=1e-6)
    assert dataset.labels.tolist() == [0, 1, 1]


def changed(path: str, change: Callable[[Any], object]) -> str:
    """Change the first sheet of a workbook."""
    book = openpyxl.load_workbook(path)
    change(book.worksheets[0])
    book.save(path)
    return path


ROWS = [["a", "b"], *([row + 0.5, row / 4] for row in range(20))]


def said(dataset: Dataset) -> str:
    return "\n".join(map(str, dataset.guesses))


def test_another_sheet_is_read_by_the_key_that_is_printed(tmp_path):
    path = write(tmp_path / "own.xlsx", [["x"], [1], [2]], ROWS)
    assert "--set data.array=Sheet1" in said(load_dataset(path))
    assert load_dataset(path, options=ReadOptions(array="Sheet1")).columns == ("a", "b")
    with pytest.raises(DataError, match="has no sheet 'other'; its sheets are 'Sheet', 'Sheet1'"):
        load_dataset(path, options=ReadOptions(array="other"))


def test_a_hidden_or_an_empty_first_sheet_is_not_read(tmp_path):
    path = write(tmp_path / "own.xlsx", [], ROWS)
    with pytest.raises(DataError, match=r"has no rows in its sheet 'Sheet'; choose .*'Sheet1'"):
        load_dataset(path)
    changed(path, lambda sheet: setattr(sheet, "sheet_state", "hidden"))
    assert load_dataset(path).columns == ("a", "b")


def test_a_first_sheet_of_words_is_refused_with_the_sheets_that_hold_numbers(tmp_path):
    words = [["About"], ["these data"], ["were measured"], ["by hand"]]
    path = write(tmp_path / "own.xlsx", words, ROWS)
    with pytest.raises(DataError, match=r"'Sheet1' alone holds numbers: --set data\.array=Sheet1"):
        load_dataset(path)
    path = write(tmp_path / "two.xlsx", words, ROWS, words, ROWS)
    with pytest.raises(
        DataError, match=r"'Sheet1', 'Sheet3' hold numbers: --set data\.array=Sheet1"
    ):
        load_dataset(path)
    path = write(tmp_path / "none.xlsx", words, words)
    with pytest.raises(DataError, match="no sheet of the workbook holds numbers"):
        load_dataset(path)


def test_a_formula_without_a_value_is_refused_by_cell(tmp_path):
    path = write(tmp_path / "own.xlsx", ROWS)
    changed(path, lambda sheet: sheet.__setitem__("B5", "=A5*2"))
    with pytest.raises(DataError, match=r"1 formulas have no value .*: B5 \(=A5\*2\); open it"):
        load_dataset(path)


@pytest.mark.parametrize("merge", [False, True])
def test_a_title_and_blank_edges_are_left_out(tmp_path, merge):
    table = [[None, None, *row] for row in ROWS]
    path = write(tmp_path / "own.xlsx", [[None, None, "My table"], [], *table])
    if merge:
        changed(path, lambda sheet: sheet.merge_cells("C1:D1"))
    dataset = load_dataset(path)
    np.testing.assert_allclose(dataset.values, ROWS[1:])
    assert "title: the first 2 rows are above the table and left out ('My table')" in said(dataset)
    assert "merged" not in said(dataset)
    told = load_dataset(path, options=ReadOptions(skip_lines=2))
    np.testing.assert_allclose(told.values, ROWS[1:])


def test_merged_cells_are_said_and_refused_in_the_header(tmp_path):
    path = changed(write(tmp_path / "own.xlsx", ROWS), lambda sheet: sheet.merge_cells("B3:B5"))
    dataset = load_dataset(path)
    assert "merged cells: 'B3:B5': all but the first cell are missing" in said(dataset)
    assert "2 of 20 cells missing" in said(dataset)
    changed(path, lambda sheet: sheet.merge_cells("A1:B1"))
    with pytest.raises(DataError, match=r"the header in row 1 has merged cells \(A1:B1\)"):
        load_dataset(path)


def test_hidden_rows_are_read_and_said(tmp_path):
    path = write(tmp_path / "own.xlsx", ROWS)
    changed(path, lambda sheet: setattr(sheet.row_dimensions[4], "hidden", True))
    dataset = load_dataset(path)
    assert len(dataset) == 20
    assert "hidden cells: rows or columns of the sheet are hidden" in said(dataset)


def test_rows_bear_the_numbers_of_the_sheet(tmp_path):
    path = write(tmp_path / "own.xlsx", [*ROWS[:5], [], [], ["#DIV/0!", 1.0], *ROWS[5:]])
    with pytest.raises(DataError, match=r"'a' holds numbers, but not in row 8 \('#DIV/0!'\)"):
        load_dataset(path)


def test_numbers_that_are_texts_may_have_decimal_commas(tmp_path):
    texts = [[a, str(b).replace(".", ",")] for a, b in ROWS[1:]]
    dataset = load_dataset(write(tmp_path / "own.xlsx", [ROWS[0], *texts]))
    np.testing.assert_allclose(dataset.values, ROWS[1:])
    assert "decimal sign: a comma" in said(dataset)


def test_damage_and_a_missing_library_are_named(tmp_path, monkeypatch):
    path = tmp_path / "own.xlsx"
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(DataError, match="cannot be read as an Excel workbook"):
        load_dataset(str(path))
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(DataError, match=r"pip install 'archbuild\[excel\]'"):
        load_dataset(str(path))


def test_blank_rows_that_shift_the_numbers_of_rows_are_named(tmp_path):
    rows: list[list[object]] = [["a", "b"], [1, 2.5], [], [3, 4.5], [], [], [5, 6.5]]
    dataset = load_dataset(write(tmp_path / "own.xlsx", rows))
    assert len(dataset) == 3
    assert any("3 of them (rows 3, 5, 6)" in str(guess) for guess in dataset.guesses)
