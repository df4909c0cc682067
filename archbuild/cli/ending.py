"""Errors of a command: one message on stderr, and an exit status."""

from __future__ import annotations

import io
import sys
import traceback
from pathlib import Path
from typing import Final

import click

from archbuild import printable
from archbuild.errors import ArchbuildError, SpecError

STOPPED: Final = 130
FAILED: Final = 1

_LONGEST: Final = 400
_PACKAGE: Final = Path(__file__).resolve().parent.parent


def report(error: BaseException) -> int:
    """Print the error on stderr as text, without a traceback; return the exit status."""
    if isinstance(error, click.ClickException):
        shown = io.StringIO()
        error.show(shown)
        text = shown.getvalue().replace("\n\t", "\n    ")  # click indents choices by tabs
        click.echo(_short_lines(text), nl=False, err=True)
        return error.exit_code
    status = exit_status(error)
    if status == STOPPED and sys.stderr.isatty():
        click.echo(err=True)  # the terminal has written ^C
    click.echo(_message(error), err=True)
    return status


def exit_status(error: BaseException) -> int:
    """Return the command's exit status after the error."""
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return STOPPED
    if isinstance(error, click.ClickException):
        return error.exit_code
    return error.exit_status if isinstance(error, ArchbuildError) else FAILED


def error_text(error: BaseException) -> str:
    """Return the text of an error."""
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return "stopped"
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, ArchbuildError):
        return str(error)
    if isinstance(error, MemoryError):
        return "out of memory; try a smaller batch_size, or fewer rows"
    if isinstance(error, OSError):
        return f"{error.strerror or error}: {error.filename or 'the output'}"
    return "\n    ".join([_unforeseen(error), *getattr(error, "__notes__", ())])


def _message(error: BaseException) -> str:
    if isinstance(error, SpecError):
        # each begins with file:line:column, which editors recognise
        count = len(error.problems)
        found = "1 problem" if count == 1 else f"{count:,} problems"
        return f"{_short_lines(str(error))}\narchbuild: {found} found"
    return printable.message(f"archbuild: {error_text(error)}")


def _short_lines(text: str) -> str:
    """Return the lines of a text as they may be shown, long ones shortened."""
    return "\n".join(map(printable.shortened, printable.lines(text).split("\n")))


def _unforeseen(error: BaseException) -> str:
    """Return the report on an unexpected error."""
    text = " ".join(str(error).split())
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return (
        f"internal error: {type(error).__name__}: {short} ({_place(error)}); please report it with "
        "the command that caused it"
    )


def _place(error: BaseException) -> str:
    """Return file and line of the error, in archbuild if its traceback passes through it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    for frame in reversed(own or frames):
        return f"{Path(frame.filename).name}:{frame.lineno}"
    return "nowhere"
