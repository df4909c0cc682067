"""The page of the attacks, and its line in the index of results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from archbuild.io.atomic import write_text
from archbuild.io.reading import read_json
from benchmarks.attack.outcomes import Outcome
from benchmarks.reproduce.cells import markdown

RECORD: Final = "attack.json"
PAGE: Final = "attack.md"
TITLE: Final = "Hostile inputs"
_BEGINNING: Final = (
    "Made by `python benchmarks/attack`: inputs that are made by changing sound ones, given to "
    "archbuild in a child process. *Right* is success, or an error of archbuild's own. *Wrong* is "
    "any other exception, the end of the process, more than 5 seconds of processor time, 20 "
    "seconds without an answer, or more than 1 GB. What went wrong was mended, and lies in "
    "`tests/corpus`, which the tests replay; the series before and after stand here."
)
_HEADINGS: Final = (
    "attack", "seed", "first", "inputs", "success", "error of archbuild", "wrong",
    "slowest, seconds", "minutes", "date", "machine",
)  # fmt: skip


def read_series(folder: Path) -> list[dict[str, Any]]:
    """Return the series that are recorded, below the folder of results.

    Raises:
        RunError: the record is damaged.
    """
    path = folder / RECORD
    series: list[dict[str, Any]] = read_json(path)["series"] if path.exists() else []
    return sorted(series, key=lambda one: (one["attack"], one["seed"], one["first"], one["inputs"]))


def attack_page(series: Sequence[Mapping[str, Any]]) -> str:
    """Return the page: a line for each series, and how many inputs of each attack in all."""
    rows = [list(_cells(one)) for one in series]
    totals = [[name, f"{number:,}"] for name, number in _totals(series).items()]
    parts = [
        f"# {TITLE}",
        _BEGINNING,
        markdown(_HEADINGS, rows),
        "In all:",
        markdown(("attack", "inputs"), totals),
    ]
    return "\n\n".join(parts) + "\n"


def write_page(folder: Path) -> None:
    """Write the page of what is recorded below the folder of results."""
    write_text(folder / PAGE, attack_page(read_series(folder)))


def attack_line(folder: Path) -> list[str]:
    """Return the cells of the line in the index."""
    total = sum(_totals(read_series(folder)).values())
    return [f"[attack]({PAGE})", TITLE, f"{total:,} inputs"]


def _cells(one: Mapping[str, Any]) -> Iterator[str]:
    counts = one["counts"]
    right = {outcome for outcome in Outcome if outcome.is_right}
    wrong = {str(each): counts[each] for each in Outcome if each not in right and counts[each]}
    yield from (one["attack"], str(one["seed"]), str(one["first"]), f"{one['inputs']:,}")
    yield from (f"{counts[Outcome.SUCCESS]:,}", f"{counts[Outcome.REFUSED]:,}")
    yield ", ".join(f"{number} {name}" for name, number in wrong.items()) or "0"
    yield from (f"{one['slowest_seconds']:.2f}", f"{one['minutes']:.1f}", one["date"])
    yield one["machine"]


def _totals(series: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for one in series:
        totals[one["attack"]] = totals.get(one["attack"], 0) + one["inputs"]
    return totals
