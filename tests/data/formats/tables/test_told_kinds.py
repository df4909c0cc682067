from __future__ import annotations

import pytest

from archbuild.data import load_dataset
from archbuild.data.request import ReadOptions
from archbuild.errors import DataError


@pytest.mark.parametrize(
    ("kind", "cell", "form"),
    [
        ("date", "{}.01.2022", "does not hold dates .* expected the form of ISO 8601"),
        ("number", "{} kg", "does not hold numbers .* '1 kg', '2 kg', .* without units"),
        ("boolean", "shop {}", "does not hold truth values .* true and false"),
    ],
)
def test_a_column_of_another_kind_is_refused_once(tmp_path, kind, cell, form):
    path = tmp_path / "table.csv"
    path.write_text("a,b\n" + "".join(f"{cell.format(n)},{n / 2}\n" for n in range(1, 29)))
    with pytest.raises(DataError, match=form) as caught:
        load_dataset(str(path), options=ReadOptions(columns={"a": kind}))
    assert "28 of 28 cells are none" in str(caught.value)
    assert str(caught.value).endswith("leave it out with --set data.columns.a=ignore")
    assert "line" not in str(caught.value)


def test_a_few_other_cells_are_refused_by_line(tmp_path):
    path = tmp_path / "table.csv"
    days = [*(f"2022-01-{n}" for n in range(10, 29)), "soon"]
    path.write_text("a,b\n" + "".join(f"{day},{n}\n" for n, day in enumerate(days)))
    with pytest.raises(DataError, match=r"no date in ISO 8601 form .* line 21"):
        load_dataset(str(path), options=ReadOptions(columns={"a": "date"}))
