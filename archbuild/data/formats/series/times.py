"""Series of ``.ts`` files whose values bear time stamps: ``(0,1.5),(1,1.7):(0,2.1),...``.

Times that are whole multiples of one step become places, and a place without a value is missing.
Other times are refused: what stands between unequal steps is not for a reader to make up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from archbuild.data.columns import is_missing, number_in
from archbuild.data.formats.tables.faults import LARGEST
from archbuild.errors import DataError

_PAIR = re.compile(r"\(([^(),]+),([^(),]*)\)")
_BRACKET = re.compile(r"([()])")
_MOST_GAPS = 10  # places for each value
_NEAR = 1e-3  # of a step


class Stamped(NamedTuple):
    """The values of one line, and their times, for each channel."""

    times: list[np.ndarray]
    values: list[np.ndarray]
    where: str


def parts_of(text: str) -> list[str]:
    """Split a line with time stamps into its channels and its label."""
    parts: list[list[str]] = [[]]
    pieces = [*_BRACKET.split(text), ""]  # texts, and behind each the bracket that follows
    for words, bracket in zip(pieces[::2], pieces[1::2], strict=True):
        # in front of a closing bracket a colon is that of a time of day
        first, *others = [words] if bracket == ")" else words.split(":")
        parts[-1].append(first)
        parts += [[other] for other in others]
        parts[-1].append(bracket)
    return ["".join(part) for part in parts]


def stamped(channels: Sequence[str], where: str) -> Stamped:
    """Return the times and values of one line.

    Raises:
        DataError: something in it is no pair of a time and a number.
    """
    pairs = [_pairs(channel, where) for channel in channels]
    times = [np.array([time for time, _ in channel]) for channel in pairs]
    return Stamped(times, [np.array([value for _, value in channel]) for channel in pairs], where)


def on_steps(lines: Sequence[Stamped]) -> tuple[list[list[list[float]]], float]:
    """Return the channels of each line at equal steps, NaN where there is no value, and the step.

    Each series begins with its first time.

    Raises:
        DataError: times that do not rise, or are no multiples of the smallest step.
    """
    differences = [np.diff(times) for line in lines for times in line.times if len(times) > 1]
    step = min((float(each.min()) for each in differences), default=1.0)
    if step <= 0:
        raise DataError(
            f"{_first_falling(lines)}: the times do not rise; sort the values by time, once each"
        )
    return [_placed(line, step) for line in lines], step


def _pairs(text: str, where: str) -> list[tuple[float, float]]:
    if _PAIR.sub("", text).strip(" ,"):
        raise DataError(f"{where}: expected pairs (time,value) between commas, since @timeStamps")
    return [_pair(time.strip(), value.strip(), where) for time, value in _PAIR.findall(text)]


def _pair(time: str, value: str, where: str) -> tuple[float, float]:
    moment = _moment(time)
    number = np.nan if is_missing(value) else number_in(value)
    if moment is None or number is None or abs(number) > LARGEST:
        raise DataError(f"{where}: '({time[:30]},{value[:30]})' is no time and a finite number")
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
    start = min((float(times[0]) for times in line.times if len(times)), default=0.0)
    return [
        _one_placed((times - start) / step, values, line.where)
        for times, values in zip(line.times, line.values, strict=True)
    ]


def _one_placed(places: np.ndarray, values: np.ndarray, where: str) -> list[float]:
    whole = np.rint(places)
    if not len(places):
        return []
    if (np.abs(places - whole) > _NEAR).any() or whole[-1] > _MOST_GAPS * len(values):
        raise DataError(
            f"{where}: its times are no multiples of one step, and series are read at equal steps "
            "alone; interpolate them to such, and save them with @timeStamps false"
        )
    filled = np.full(int(whole[-1]) + 1, np.nan)
    filled[whole.astype(int)] = values
    numbers: list[float] = filled.tolist()
    return numbers


def _first_falling(lines: Sequence[Stamped]) -> str:
    return next(
        line.where for line in lines if any((np.diff(times) <= 0).any() for times in line.times)
    )
