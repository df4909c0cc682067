"""The options that ask for a stage: with a number of epochs, or with the spec's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from archbuild.cli.numbers import Whole

OWN_EPOCHS: Final = -1
"""As many as the spec says."""

OF_HEAD: Final = "epochs, or rounds of a head that has them"

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Epochs(Whole):
    """A number of epochs from 0, or what stands for the spec's own number."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; what stands for the spec's own cannot be typed."""
        if isinstance(value, int) and value == OWN_EPOCHS:  # typed, it would be text
            return value
        return super().convert(value, param, ctx)


def stage_option(name: str, what: str, counted: str = "epochs") -> Callable[[_Command], _Command]:
    """Return the option that asks for a stage; N counts what is ``counted``."""
    return click.option(
        name,
        metavar="[N]",
        type=Epochs(0, 1_000_000),
        is_flag=False,
        flag_value=OWN_EPOCHS,
        help=f"{what}, for N {counted}.",
    )
