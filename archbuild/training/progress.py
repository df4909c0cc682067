"""What training tells while it runs; the command line decides how it looks."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from archbuild.evaluation.collapse import Occupancy

LOGGER = logging.getLogger("archbuild")

_OCCUPANCY = tuple(field.name for field in fields(Occupancy))


class Reporter:
    """Hears of every stage, step and epoch; this one only writes the log."""

    def note(self, message: str) -> None:
        """Something the user is to know, that is neither a result nor a fault."""
        LOGGER.info("%s", message)

    def stage_begins(self, stage: str, first_epoch: int, epochs: int, steps: int) -> None:
        """A stage starts at ``first_epoch`` (from 0) of ``epochs`` with ``steps`` each."""
        LOGGER.info("%s", beginning(stage, first_epoch, epochs, steps))

    def step(self, stage: str) -> None:
        """One optimisation step is done."""

    def epoch_ends(self, stage: str, row: Mapping[str, Any], epochs: int) -> None:
        """An epoch is done and safe on disk; ``row`` is its line of the history."""
        LOGGER.info("%s %d/%d  %s", stage, row["epoch"], epochs, in_words(row))

    def stage_ends(self, stage: str, message: str) -> None:
        """A stage is done; ``message`` says how it ended."""
        LOGGER.info("%s: %s", stage, message)


def beginning(stage: str, first_epoch: int, epochs: int, steps: int) -> str:
    """What is said when a stage begins."""
    at = f", resumed after epoch {first_epoch}" if first_epoch else ""
    return f"{stage}: {counted(epochs, 'epoch')} of {counted(steps, 'step')}{at}"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 epoch``, ``2 epochs``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def in_words(row: Mapping[str, Any]) -> str:
    """One line of a history, for people."""
    parts = [
        f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in row.items()
        if key != "epoch" and value is not None and not isinstance(value, list)
    ]
    return "  ".join(parts)


def in_parts(row: Mapping[str, Any]) -> dict[str, Any]:
    """One line of a history, for programs: ``epoch``, ``learning_rate``, ``terms``, ``occupancy``.

    ``terms`` are the loss and its parts; ``occupancy`` is ``None`` where there are no clusters yet.
    """
    rest = dict(row)
    named = {key: rest.pop(key) for key in ("epoch", "learning_rate")}
    occupancy = {key: rest.pop(key) for key in _OCCUPANCY if key in rest}
    return {**named, "terms": rest, "occupancy": occupancy or None}
