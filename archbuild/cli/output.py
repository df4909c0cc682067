"""The one exit of texts to the terminal, which escapes whatever a terminal would obey."""

from __future__ import annotations

from pathlib import Path

import click

from archbuild import printable
from archbuild.errors import UsageError


def say(text: str) -> None:
    """Print results on standard output: lines that were put together with care for each name."""
    click.echo(printable.lines(text))


def tell(text: str) -> None:
    """Print a message on standard error, of one line and indented ones."""
    click.echo(printable.message(text), err=True)


def refuse_own_input(output: Path | None, source: Path | None) -> None:
    """Make sure that a command does not replace the file that it reads.

    Raises:
        UsageError: both paths are of one file.
    """
    if output is None or source is None or not (output.exists() and source.exists()):
        return
    if output.samefile(source):
        raise UsageError(
            f"--output {output} is the file that is read, and would be replaced; choose another "
            "name"
        )
