"""Series of ``.ts`` files whose values bear time stamps: ``(0,1.5),(1,1.7):(0,2.1),...``.

Times that are whole multiples of one step become places, and a place without a value is missing.
Other times are refused: what stands between unequal steps is not for a reader to make up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from math import inf, isfinite, nan
from operator import sub
from pathlib import Path
from typing import NamedTuple

from archbuild.data.columns import number_in
from archbuild.data.formats.series.numbers import Numbers, at_line, number_or_gap
from archbuild.errors import DataError

_PAIR = re.compile(r"\(([^(),]+),([^(),]*)\)")
_BRACKET = re.compile(r"([()])")
_MOST_GAPS = 10  # places for each value
_NEAR = 1e-3  # of a step


class Stamped(NamedTuple):
    """The values of a line, and their times, for each channel."""

    times: list[list[float]]
    values: list[list[float]]
    line: int


def parts_of(text: str) -> list[str]:
    """Split a line with time stamps into its channels and its label."""
    plain = text.split(":")
    if all([part.count("(") == part.count(")") for part in plain]):
        return plain  # no colon is that of a time of day
    parts: list[list[str]] = [[]]
    pieces = [*_BRACKET.split(text), ""]  # texts, and behind each the bracket that follows
    for words, bracket in zip(pieces[::2], pieces[1::2], strict=True):
        # in front of a closing bracket a colon is that of a time of day
        first, *others = [words] if bracket == ")" else words.split(":")
        parts[-1].append(first)
        parts += [[other] for other in others]
        parts[-1].append(bracket)
    return ["".join(part) for part in parts]


def stamped(channels: Sequence[str], line: int, numbers: Numbers) -> Stamped:
    """Return the times and values of a line.

    Raises:
        DataError: something in it is no pair of a time and a number.
    """
    times, values = [], []
    for place, channel in enumerate(channels):
        pairs = _pairs(channel, place, numbers)
        times.append([time for time, _ in pairs])
        values.append([value for _, value in pairs])
    return Stamped(times, values, line)


def on_steps(lines: Sequence[Stamped], path: Path) -> tuple[list[list[list[float]]], float]:
    """Return the channels of each line at equal steps, NaN where there is no value, and the step.

    Each series begins with its first time.

    Raises:
        DataError: times that do not rise, or are no multiples of the smallest step.
    """
    steps = (min(map(sub, times[1:], times), default=inf) for line in lines for times in line.times)
    step = min(steps, default=inf)
    step = 1.0 if step == inf else step
    if step <= 0:
        raise DataError(
            f"{path}, line {_first_falling(lines)}: the times do not rise; sort the values by "
            "time, once each"
        )
    placed = []
    for line in lines:
        try:
            placed.append(_placed(line, step))
        except DataError as error:
            raise at_line(path, line.line, error) from error
    return placed, step


def _pairs(text: str, channel: int, numbers: Numbers) -> list[tuple[float, float]]:
    if _PAIR.sub("", text).strip(" ,"):
        raise DataError("expected pairs (time,value) between commas, since @timeStamps")
    return [
        _pair(time.strip(), value.strip(), channel, numbers) for time, value in _PAIR.findall(text)
    ]


def _pair(time: str, value: str, channel: int, numbers: Numbers) -> tuple[float, float]:
    moment, number = _moment(time), number_or_gap(value)
    if moment is None or not isfinite(moment) or number is None:
        raise DataError(f"'({time[:30]},{value[:30]})' is no time and a finite number")
    numbers.note(value, number, channel)
    return moment, number


def _moment(text: str) -> float | None:
    """Return a number, or a date in ISO 8601 form as seconds."""
    number = number_in(text)
    if number is not None:
        return number
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _placed(line: Stamped, step: float) -> list[list[float]]:
    start = min([times[0] for times in line.times if times], default=0.0)
    return [
        _one_placed([(time - start) / step for time in times], values)
        for times, values in zip(line.times, line.values, strict=True)
    ]


def _one_placed(places: Sequence[float], values: Sequence[float]) -> list[float]:
    if not places:
        return []
    last = places[-1]  # the greatest, which may be infinite
    if last > _MOST_GAPS * len(values) or any(
        [abs(place - round(place)) > _NEAR for place in places]
    ):
        raise DataError(
            "its times are no multiples of one step, and series are read at equal steps alone; "
            "interpolate them to such, and save them with @timeStamps false"
        )
    filled = [nan] * (round(last) + 1)
    for place, value in zip(places, values, strict=True):
        filled[round(place)] = value
    return filled


def _first_falling(lines: Sequence[Stamped]) -> int:
    return next(
        line.line
        for line in lines
        if any(later <= time for times in line.times for time, later in pairwise(times))
    )
