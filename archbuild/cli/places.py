"""Check the working directory, the limit of open files and the streams before a command."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Final

from archbuild.errors import UsageError

_FEWEST_FILES: Final = 32
"""So many files have to be allowed at a time; training with pictures opens some 15."""


def refuse_lost_folder() -> None:
    """Make sure that the working directory is there.

    Raises:
        UsageError: it was removed, or its path cannot be read.
    """
    try:
        os.getcwd()
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UsageError(
            f"the working directory is not there ({reason}): it was removed, or a folder above it "
            "cannot be entered; change to another (cd) and give the command again"
        ) from error


def refuse_few_files() -> None:
    """Make sure that some files may be open.

    Raises:
        UsageError: fewer than any command needs; names the limit.
    """
    with suppress(ImportError):  # a system without such limits
        import resource

        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if most != resource.RLIM_INFINITY and most < _FEWEST_FILES:
            raise UsageError(
                f"this shell allows {most} open files, and a command needs {_FEWEST_FILES} at "
                "least; raise the limit: ulimit -n 1024"
            )


def open_streams() -> None:
    """Open what of standard input, output and error is closed, on the null device.

    Otherwise the next file would have its number, and what a library prints would go there.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # has the lowest number that is free, which is this
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
