"""The options that name folders: where runs are kept, and where datasets lie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def out_option(what: str) -> Callable[[_Command], _Command]:
    """Return the option ``--out``, for the folder that ``what``; by default the current one."""
    return click.option(
        "--out",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(),
        metavar="DIR",
        help=f"Where {what} (default: here).",
    )


def data_dir_option(
    help_text: str = "Where datasets lie (default: $ARCHBUILD_DATA, else ./datasets).",
) -> Callable[[_Command], _Command]:
    """Return the option ``--data-dir``; without it, ``data_dir`` is ``None``."""
    return click.option(
        "--data-dir", type=click.Path(path_type=Path), metavar="DIR", help=help_text
    )
