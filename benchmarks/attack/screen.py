"""What a command prints, and what no command may print."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Final

from archbuild.cli.ending import report
from archbuild.cli.main import cli
from benchmarks.attack.attacks import Broken

_MOST: Final = 300_000
"""Characters that a person may be shown at once."""


def command(arguments: Sequence[str]) -> str:
    """Run a command as ``archbuild`` does, and return what it printed.

    Raises:
        Broken: the output is too long, or holds characters that a terminal obeys.
        BaseException: what the command ended with, once it has been reported.
    """
    with _printed() as printed:
        error = _ending(lambda: cli(list(arguments), prog_name="archbuild", standalone_mode=False))
        if error is not None:
            report(error)
        refuse_unprintable(printed())
    if error is not None:
        raise error
    return printed()


def refuse_unprintable(text: str) -> None:
    """Make sure that a text is short, and nothing in it is more than characters and lines.

    Raises:
        Broken: it is not so.
    """
    if len(text) > _MOST:
        raise Broken(f"{len(text):,} characters are printed")
    for line in text.split("\n"):
        if not line.isprintable():
            found = next(character for character in line if not character.isprintable())
            raise Broken(f"{found!r} is printed, in {line[:80]!r}")


def _ending(work: Callable[[], object]) -> BaseException | None:
    try:
        work()
    except BaseException as error:
        return error
    return None


@contextmanager
def _printed() -> Iterator[Callable[[], str]]:
    """Collect what is printed; yield a function that returns it."""
    stream = io.StringIO()
    with redirect_stdout(stream), redirect_stderr(stream):
        yield stream.getvalue
