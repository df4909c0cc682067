"""What a table's features mean, in words."""

from __future__ import annotations

import pytest

from archbuild.data.columns import ColumnEncoding, TableEncoding

ENCODING = TableEncoding(
    (
        ColumnEncoding("age", "number", fill=3.0, gaps=True),
        ColumnEncoding("city", "category", ("a", "b")),
        ColumnEncoding("open", "boolean"),
        ColumnEncoding("name", "identifier"),
        ColumnEncoding("day", "date"),
    )
)


def test_means_are_numbers_shares_and_days():
    words = ENCODING.in_words([34.5678, 0.25, 1.0, 0.0, 0.5, 19_000.4])
    assert words == ["34.57", "25%", "100%", "0%", "50%", "2022-01-08"]


@pytest.mark.parametrize(
    ("days", "text"), [(0, "1970-01-01"), (-365, "1969-01-01"), (1e9, "1e+09"), (-8e5, "-8e+05")]
)
def test_days_beyond_the_calendar_are_numbers(days, text):
    assert ENCODING.in_words([0, 0, 0, 0, 0, days])[-1] == text
