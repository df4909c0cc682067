from __future__ import annotations

from pathlib import Path

import pytest

from archbuild.data import load_dataset
from archbuild.data.request import ReadOptions


def said(folder: Path, header: str, *rows: str, **options: object) -> str:
    path = folder / "table.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return "\n".join(map(str, load_dataset(str(path), options=ReadOptions(**options)).guesses))


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("7", "constant, 7 in every row: tells rows apart in nothing"),
        ("red", "constant, 'red' in every row"),
        ("yes", "constant, 1 in every row"),
        ("2024-01-31", "constant, one date in every row"),
    ],
)
def test_a_column_of_one_value_is_said_with_the_key_that_leaves_it_out(tmp_path, cell, words):
    rows = [f"{row / 2},{cell}" for row in range(5)]
    found = said(tmp_path, "a,b", *rows)
    assert f"column 'b': {words}" in found
    assert "[otherwise: --set data.columns.b=ignore]" in found
    assert "column 'a'" not in found


def test_a_column_with_a_gap_or_another_value_in_the_last_row_is_not_constant(tmp_path):
    assert "constant" not in said(tmp_path, "a,b,c", "1,7,7", "2,7,7", "3,,8")


def test_what_the_user_states_is_not_said(tmp_path):
    rows = [f"{row / 2},7" for row in range(5)]
    assert "constant" not in said(tmp_path, "a,b", *rows, columns={"b": "number"})


def test_many_constant_columns_are_one_line(tmp_path):
    names = [f"c{number}" for number in range(9)]
    rows = [",".join([str(row / 2), *"777777777"]) for row in range(5)]
    found = said(tmp_path, ",".join(["a", *names]), *rows)
    assert "constant columns: 'c0', 'c1', 'c2', 'c3', 'c4' and 4 more: each tells" in found
    assert found.count("constant") == 1
