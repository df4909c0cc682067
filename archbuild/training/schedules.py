"""Schedules: pure functions of the position in a stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, cos, pi
from typing import Any

_CYCLE_RISE = 0.3
_CYCLE_START = 0.04
_CYCLE_END = 1e-4


@dataclass(frozen=True)
class Position:
    """A place in a stage.

    Attributes:
        steps: optimisation steps that are done when it is reached.
        steps_per_epoch: how many an epoch has.
    """

    steps: int
    steps_per_epoch: int

    @property
    def epochs(self) -> float:
        """Epochs gone, a fraction included: the third of four steps of the first ends at 0.75."""
        return self.steps / self.steps_per_epoch

    def after(self, epochs: int) -> Position:
        """Return the position counted from the end of the first ``epochs``."""
        later = max(self.steps - epochs * self.steps_per_epoch, 0)
        return Position(later, self.steps_per_epoch)

    def within(self, unit: str) -> float:
        """Return the place in ``steps`` or in ``epochs``."""
        return self.steps if unit == "steps" else self.epochs


def whole_epochs(length: float, unit: str, steps_per_epoch: int) -> int:
    """Return how many epochs it takes until ``length`` steps or epochs are done."""
    return ceil(length / steps_per_epoch if unit == "steps" else length)


def weight(schedule: float | Mapping[str, Any], position: Position) -> float:
    """Return the value of a spec's schedule (``spec/fields.py``: ``SCHEDULE_PARTS``) at a position.

    Args:
        schedule: a number stays as it is. A mapping goes from ``start`` to ``end`` as
            ``start + (end - start) (t / ramp)^power`` and stays there; with ``repeat`` it begins
            again after ``ramp + hold``. Source of the repeated form: Fu et al., arXiv 1903.10145;
            with power 3, S3VDC (Cao et al., arXiv 2005.08047).
        position: where ``t`` is read, in the schedule's own unit.
    """
    if not isinstance(schedule, Mapping):
        return float(schedule)
    time, ramp = position.within(schedule["unit"]), schedule["ramp"]
    if schedule["repeat"]:
        time %= ramp + schedule["hold"]
    risen = min(time / ramp, 1.0) ** schedule["power"]
    return float(schedule["start"] + (schedule["end"] - schedule["start"]) * risen)


def learning_rate(settings: Mapping[str, Any], position: Position) -> float:
    """Return the learning rate at a position of a stage.

    Args:
        settings: the stage's keys (``spec/stages.py``).
        position: where the step that takes the rate ends.

    Returns:
        The rate: ``learning_rate`` times the schedule's factor and the linear warm-up.
        ``one_cycle`` (Smith, arXiv 1708.07120) rises from 4 % over the first 30 % of the epochs
        and falls to 0.01 %, both along half a cosine.
    """
    epochs, highest = position.epochs, settings["learning_rate"]
    progress = min(epochs / max(settings["epochs"], 1), 1.0)
    factor = {
        "constant": lambda: 1.0,
        "exponential": lambda: _decayed(settings, position),
        "cosine": lambda: _half_cosine(1.0, 0.0, progress),
        "one_cycle": lambda: _one_cycle(progress),
        "step": lambda: _stepped(settings, epochs),
    }[settings["schedule"]]()
    warm_up = settings["warm_up"]
    return float(highest * factor * (min(epochs / warm_up, 1.0) if warm_up else 1.0))


def _decayed(settings: Mapping[str, Any], position: Position) -> float:
    times = position.steps // (settings["decay_steps"] or position.steps_per_epoch)
    lowest = settings["lowest_rate"] / settings["learning_rate"]
    return float(max(settings["decay"] ** times, lowest))


def _stepped(settings: Mapping[str, Any], epochs: float) -> float:
    times = max(epochs - settings["decay_start"], 0) // settings["decay_epochs"]
    return float(settings["decay"] ** times)


def _half_cosine(start: float, end: float, progress: float) -> float:
    return end + (start - end) * 0.5 * (1.0 + cos(pi * progress))


def _one_cycle(progress: float) -> float:
    if progress < _CYCLE_RISE:
        return _half_cosine(_CYCLE_START, 1.0, progress / _CYCLE_RISE)
    return _half_cosine(1.0, _CYCLE_END, (progress - _CYCLE_RISE) / (1.0 - _CYCLE_RISE))
