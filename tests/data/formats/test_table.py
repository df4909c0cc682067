from __future__ import annotations

from pathlib import Path

import pytest

from archbuild.data.formats.table import fault_message, label_fault

PATH = Path("table.csv")


def test_faults_are_listed_up_to_five():
    text = fault_message(PATH, {"b": "red"}, [f"line {line}" for line in range(7)])
    assert "'b' (for instance 'red')" in text
    assert "line 4 and 2 more" in text
    assert fault_message(PATH, {}, [], "why") == "table.csv: why"


@pytest.mark.parametrize(
    ("labels", "fault"),
    [
        (["cat", "ant"] * 5, None),
        (["1", "2", "2.0"] * 5, None),
        (["1", "2"] * 5 + ["2.5"], "fractions"),
        (["1", "nan"] * 5, "fractions"),
        ([str(number) for number in range(100)], "100 different numbers in 100 rows"),
        ([str(number) for number in range(12)], None),
        ([f"class {number}" for number in range(100)], None),
    ],
)
def test_values_of_a_quantity_are_told_from_classes(labels, fault):
    found = label_fault(labels)
    assert found is None if fault is None else fault in found
