from __future__ import annotations

from pathlib import Path

import pytest

from archbuild.data.formats.tables.faults import cell_fault, fault_message

PATH = Path("table.csv")


def test_faults_are_listed_by_cause_up_to_five():
    text = fault_message(PATH, {"infinite": ["line 2"], "blank": [f"line {n}" for n in range(7)]})
    assert text.startswith("table.csv: infinite: line 2; blank: line 0, line 1")
    assert "line 4 and 2 more; fill these" in text
    assert fault_message(PATH, {}, "why") == "table.csv: why"


@pytest.mark.parametrize(
    ("cell", "kind", "advice"),
    [
        ("31.12.2021", "date", "write dates as YYYY-MM-DD"),
        ("maybe", "boolean", "write true or false, yes or no,"),
        ("3 kg", "number", "write plain numbers in these cells"),
        ("inf", "number", "fill these cells in or drop the rows"),
        ("", "number", "fill these cells in or drop the rows, or train anew with data.gaps: mask"),
    ],
)
def test_the_advice_is_for_the_cause(cell, kind, advice):
    cause, where = cell_fault(cell, kind, "line 3")
    assert f"{where}; {advice}" in fault_message(PATH, {cause: [where]})
    several = fault_message(PATH, {cause: [where], "infinite": ["line 4"]})
    assert f"line 4; {advice}" in several


@pytest.mark.parametrize(
    ("cell", "kind", "cause"),
    [
        ("", "number", "missing"),
        ("NA", "date", "missing"),
        ("x", "number", "no number"),
        ("-inf", "number", "infinite"),
        ("1e300", "number", "beyond float32"),
        ("1e400", "number", "beyond float32"),
        ("soon", "date", "no date"),
        ("maybe", "boolean", "neither true nor false"),
    ],
)
def test_the_cause_of_a_fault_is_named(cell, kind, cause):
    found, where = cell_fault(cell, kind, "line 3")
    assert cause in found
    assert where == (f"line 3 ({cell})" if cell else "line 3")


def test_an_integer_beyond_floats_is_not_called_infinite_and_is_shown_short():
    found, where = cell_fault("-" + "9" * 400, "number", "line 3")
    assert "beyond float32" in found
    assert where.startswith("line 3 (-999")
    assert len(where) < 100
