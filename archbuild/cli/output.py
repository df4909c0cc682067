"""The one exit of texts to the terminal, which escapes whatever a terminal would obey."""

from __future__ import annotations

import click

from archbuild import printable


def say(text: str) -> None:
    """Print results on standard output: lines that were put together with care for each name."""
    click.echo(printable.lines(text))


def tell(text: str) -> None:
    """Print a message on standard error, of one line and indented ones."""
    click.echo(printable.message(text), err=True)
