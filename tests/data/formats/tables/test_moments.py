from __future__ import annotations

from pathlib import Path

import pytest

from archbuild.data import load_dataset

DAYS = [f"2024-01-{day:02d}" for day in range(1, 11)]


def said(folder: Path, header: str, rows: list[tuple[object, ...]]) -> str:
    path = folder / "table.csv"
    lines = [",".join([*map(str, row), str((7 * at) % 11 / 3)]) for at, row in enumerate(rows)]
    path.write_text("\n".join([f"{header},value", *lines]) + "\n")
    return "\n".join(map(str, load_dataset(str(path)).guesses))


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("sensor,timestamp", [(sensor, day) for sensor in range(4) for day in DAYS]),
        ("sensor,timestamp", [(sensor, day) for day in DAYS for sensor in range(4)]),
        ("sensor,timestamp", [(sensor, day) for sensor in ("a", "b") for day in DAYS]),
        ("sensor,timestamp", [(sensor, step) for sensor in (3, 1, 2) for step in range(10)]),
    ],
)
def test_a_row_for_each_moment_of_several_series_is_said(tmp_path, header, rows):
    found = said(tmp_path, header, rows)
    assert "series: 'sensor' repeats with increasing 'timestamp': each row is one moment" in found
    assert "for clusters of series write one row per series" in found


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("x,y", [(x, y) for x in range(5) for y in range(9)]),  # points of a grid
        ("shop,date", [(at % 3, f"2024-01-{at + 1:02d}") for at in range(28)]),  # one log
        ("shop,date", [(at % 3, DAYS[(7 * at) % 10]) for at in range(28)]),
        ("shop,date", [(at, DAYS[at % 10]) for at in range(28)]),
        ("shop,date", [(at % 2, DAYS[at % 10]) for at in range(12)]),
    ],
)
def test_other_tables_are_none_of_series(tmp_path, header, rows):
    assert "series" not in said(tmp_path, header, rows)
