"""What training tells while it runs; the command line decides how it looks."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

LOGGER = logging.getLogger("archbuild")


class Reporter:
    """Hears of every stage, step and epoch; this one only writes the log."""

    def stage_begins(self, stage: str, first_epoch: int, epochs: int, steps: int) -> None:
        """A stage starts at ``first_epoch`` (from 0) of ``epochs`` with ``steps`` each."""
        at = f", resumed after epoch {first_epoch}" if first_epoch else ""
        LOGGER.info("%s: %d epochs of %d steps%s", stage, epochs, steps, at)

    def step(self, stage: str) -> None:
        """One optimisation step is done."""

    def epoch_ends(self, stage: str, row: Mapping[str, Any], epochs: int) -> None:
        """An epoch is done and safe on disk; ``row`` is its line of the history."""
        LOGGER.info("%s %d/%d  %s", stage, row["epoch"], epochs, in_words(row))

    def stage_ends(self, stage: str, message: str) -> None:
        """A stage is done; ``message`` says how it ended."""
        LOGGER.info("%s: %s", stage, message)


def in_words(row: Mapping[str, Any]) -> str:
    """One line of a history, for people."""
    parts = [
        f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in row.items()
        if key != "epoch" and value is not None and not isinstance(value, list)
    ]
    return "  ".join(parts)
