from __future__ import annotations

from pathlib import Path

from archbuild.data.formats.faults import fault_message

PATH = Path("table.csv")


def test_faults_are_listed_up_to_five():
    text = fault_message(PATH, {"b": "red"}, [f"line {line}" for line in range(7)])
    assert "'b' (for instance 'red')" in text
    assert "line 4 and 2 more" in text
    assert fault_message(PATH, {}, [], "why") == "table.csv: why"
