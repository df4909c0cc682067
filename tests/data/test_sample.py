from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import sample, spill
from archbuild.data.sample import bounded_rows, drawn_rows


def test_drawn_rows_depend_on_the_seed_and_come_once_in_order():
    drawn = drawn_rows(100, 3, 10)
    assert len(np.unique(drawn)) == len(drawn) == 10
    assert (np.diff(drawn) > 0).all()
    np.testing.assert_array_equal(drawn, drawn_rows(100, 3, 10))
    assert drawn.tolist() != drawn_rows(100, 4, 10).tolist()
    assert drawn_rows(4, 3, 10).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("count", "row_bytes", "expected"),
    [(50, 8, None), (51, 8, 50), (40, 11, 7), (40, 1000, 1)],
    ids=["within both bounds", "too many rows", "too many bytes", "rows of many bytes"],
)
def test_a_sample_stands_for_rows_beyond_the_bounds(monkeypatch, count, row_bytes, expected):
    monkeypatch.setattr(sample, "MOST_ROWS", 50)
    monkeypatch.setattr(spill, "IN_MEMORY", 400 if row_bytes > 8 else 10_000)
    monkeypatch.setattr(sample, "_SAMPLE_BYTES", 400 if row_bytes <= 8 else 80)
    found = bounded_rows(count, row_bytes, seed=0)
    assert (None if found is None else len(found)) == expected
