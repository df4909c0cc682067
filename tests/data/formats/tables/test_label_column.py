from __future__ import annotations

import pytest

from archbuild.data.formats.tables.label_column import label_fault


@pytest.mark.parametrize(
    ("labels", "fault"),
    [
        (["cat", "ant"] * 5, None),
        (["1", "2", "2.0"] * 5, None),
        (["1", "2"] * 5 + ["2.5"], "fractions"),
        (["1", "nan"] * 5, "fractions"),
        ([str(number) for number in range(100)], "100 different numbers in 100 rows"),
        ([str(number) for number in range(12)], None),
        ([f"row {number}" for number in range(100)], "100 different words in 100 rows"),
        ([f"row {number % 90}" for number in range(100)], "90 different words in 100 rows"),
        ([f"class {number % 40}" for number in range(100)], None),
        (["cat", "ant", "bee"], None),
    ],
)
def test_values_of_a_quantity_are_told_from_classes(labels, fault):
    found = label_fault(labels)
    assert found is None if fault is None else fault in found


@pytest.mark.parametrize("word", ["row {}", "{}"])
def test_a_column_that_the_user_names_may_differ_in_every_row(word):
    labels = [word.format(number) for number in range(100)]
    assert label_fault(labels, asked=True) is None
