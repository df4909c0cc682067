"""Whole numbers as options, whose bounds are in the error message and not in the help."""

from __future__ import annotations

from typing import Any, Final

import click


class Whole(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions only
    """A whole number from ``least`` to ``most``."""

    name = "whole number"

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; raise a usage error that names the bounds for anything else."""
        try:
            number = int(value)
        except ValueError:
            number = None
        if number is None or not self.least <= number <= self.most:
            self.fail(
                f"'{value}' is not a whole number from {self.least} to {self.most:,}", param, ctx
            )
        return number


SEED: Final = Whole(0, 2**32 - 1)
