"""The page of the mutants, and its line in the index of results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from pathlib import Path
from typing import Any, Final

from archbuild.io.atomic import write_text
from benchmarks.mutation.mutants import End
from benchmarks.mutation.records import Record, Series, identity, read_series, reasons
from benchmarks.reproduce.cells import markdown

Reasons = Mapping[tuple[str, ...], Record]

PAGE: Final = "mutation.md"
TITLE: Final = "Mutants that the tests kill"
_BEGINNING: Final = (
    "Made by `python benchmarks/mutation --room ROOM --sample N --seed S`: one small change at a "
    "time, made by the operators of Cosmic Ray (a comparison, an arithmetic operator, a number, a "
    "constant, a condition, a caught exception, a decorator, a loop) and by leaving out a "
    "statement that calls something. Places where a change is possible are drawn at random "
    "without replacement, and one of the changes of each. A mutant is killed if a test of its own "
    "room fails, or runs for far longer than all of them do without a change; the tests of "
    "other rooms are not asked. Annotations, caches and `frozen=True` are left alone. Intervals "
    "are Wilson's of 95% for the share of all places of the room."
)
_COUNTED: Final = (
    "*Killed* is of the tests as they were when the sample was drawn: what holds of mutants that "
    "nobody has looked at. *Equivalent* are survivors that change nothing a caller could see. "
    "*Killed now* counts the tests that were written for survivors of this sample (`--again`), and "
    "so is no estimate for other mutants."
)
_HEADINGS: Final = (
    "room", "places", "seed", "mutants", "killed", "of these by time", "survived", "share killed",
    "interval", "equivalent", "share of the others", "interval", "killed now", "minutes", "date",
    "machine",
)  # fmt: skip
_WIDTH: Final = 1.96  # standard deviations of an interval of 95%


def wilson(successes: int, number: int) -> tuple[float, float]:
    """Return the bounds of Wilson's interval of 95% for a share (Wilson 1927, equation 8).

    Args:
        successes: how many of the drawn ones.
        number: how many were drawn, at least 1.
    """
    share, squared = successes / number, _WIDTH**2 / number
    middle = share + squared / 2
    half = _WIDTH * sqrt(share * (1 - share) / number + squared / (4 * number))
    return (middle - half) / (1 + squared), (middle + half) / (1 + squared)


def mutation_page(series: Sequence[Series], known: Reasons) -> str:
    """Return the page: a line for each series, then every survivor with its reason.

    Args:
        series: what is recorded.
        known: what was found out about survivors.
    """
    parts = [
        f"# {TITLE}",
        _BEGINNING,
        _COUNTED,
        markdown(_HEADINGS, [list(_cells(one, known)) for one in series]),
        "Survivors, as they were when the sample was drawn:",
        *(_survivors(one, known) for one in series),
    ]
    return "\n\n".join(parts) + "\n"


def write_page(folder: Path) -> None:
    """Write the page of what is recorded below the folder of results."""
    write_text(folder / PAGE, mutation_page(read_series(folder), reasons()))


def mutation_line(folder: Path) -> list[str]:
    """Return the cells of the line in the index."""
    total = sum(len(one["mutants"]) for one in read_series(folder))
    return [f"[mutation]({PAGE})", TITLE, f"{total:,} mutants"]


def _cells(one: Series, known: Reasons) -> Iterator[str]:
    ends = Counter(mutant["end"] for mutant in one["mutants"])
    number, survived = len(one["mutants"]), _survived(one)
    killed = number - len(survived)
    equivalent = sum(known.get(identity(each), {}).get("equivalent", False) for each in survived)
    again = sum(each.get("now") in (End.KILLED, End.TIMED_OUT) for each in survived)
    yield from (one["room"], f"{one['places']:,}", str(one["seed"]), f"{number} of {one['sample']}")
    yield from (str(killed), str(ends[End.TIMED_OUT]), str(len(survived)))
    yield from _share(killed, number)
    yield str(equivalent)
    yield from _share(killed, number - equivalent)
    yield f"{killed + again} of {number - equivalent}"
    yield from (f"{one['seconds'] / 60:.1f}", one["date"], one["machine"])


def _share(killed: int, number: int) -> tuple[str, str]:
    if not number:
        return "", ""
    low, high = wilson(killed, number)
    return f"{killed / number:.0%}", f"{low:.0%} to {high:.0%}"


def _survived(one: Series) -> list[Record]:
    return [mutant for mutant in one["mutants"] if mutant["end"] == End.SURVIVED]


def _survivors(one: Series, known: Reasons) -> str:
    rows = [
        [
            f"`{each['module']}`, {each['line']}",
            f"{_code(each['before'])} → {_code(each['after'])}",
            _verdict(each, known),
        ]
        for each in _survived(one)
    ]
    title = f"## {one['room']}, seed {one['seed']}"
    return f"{title}\n\n{markdown(('place', 'change', 'why'), rows)}" if rows else f"{title}: none"


def _verdict(mutant: Mapping[str, Any], known: Reasons) -> str:
    reason = known.get(identity(mutant))
    said = [reason["why"]] if reason else []
    if mutant.get("now") in (End.KILLED, End.TIMED_OUT):
        test = mutant["by"].rpartition("::")[2].partition("[")[0]
        said.append(f"now killed by `{test}`" if test else "now ended by time")
    elif mutant.get("now") == "gone":
        said.append("the line was written anew")
    return "; ".join(said) or "not looked at yet"


def _code(lines: str) -> str:
    """Return code in one line of a table."""
    text = " ".join(lines.split())
    return f"`{text}`" if text else "nothing"
