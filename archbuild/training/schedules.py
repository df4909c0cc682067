"""Schedules: pure functions of the position in a stage."""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, pi
from typing import Any

_CYCLE_RISE = 0.3
_CYCLE_START = 0.04
_CYCLE_END = 1e-4


def learning_rate(settings: Mapping[str, Any], position: float) -> float:
    """The learning rate at a position of a stage.

    Args:
        settings: the stage's keys ``learning_rate``, ``schedule``, ``decay``, ``warm_up`` and
            ``epochs``.
        position: epochs gone, a fraction included: the third of four steps of the first epoch ends
            at 0.75.

    Returns:
        The rate: ``learning_rate`` times the schedule's factor and the linear warm-up.
        ``one_cycle`` (Smith, arXiv 1708.07120) rises from 4 % over the first 30 % of the epochs
        and falls to 0.01 %, both along half a cosine.
    """
    progress = min(position / max(settings["epochs"], 1), 1.0)
    factor = {
        "constant": lambda: 1.0,
        "exponential": lambda: settings["decay"] ** int(position),
        "cosine": lambda: _half_cosine(1.0, 0.0, progress),
        "one_cycle": lambda: _one_cycle(progress),
    }[settings["schedule"]]()
    warm_up = settings["warm_up"]
    return settings["learning_rate"] * factor * (min(position / warm_up, 1.0) if warm_up else 1.0)


def _half_cosine(start: float, end: float, progress: float) -> float:
    return end + (start - end) * 0.5 * (1.0 + cos(pi * progress))


def _one_cycle(progress: float) -> float:
    if progress < _CYCLE_RISE:
        return _half_cosine(_CYCLE_START, 1.0, progress / _CYCLE_RISE)
    return _half_cosine(1.0, _CYCLE_END, (progress - _CYCLE_RISE) / (1.0 - _CYCLE_RISE))
