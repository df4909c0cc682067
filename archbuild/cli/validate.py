"""``archbuild validate``: every problem of a spec file at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archbuild.cli.options import set_option
from archbuild.cli.output import say

if TYPE_CHECKING:
    from archbuild.errors import Problem
    from archbuild.spec import Spec


@click.command(no_args_is_help=True, short_help="Find every mistake in spec files.")
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...")
@set_option
def validate(specs: tuple[str, ...], overrides: tuple[str, ...]) -> None:
    """Check the structure, shapes, mirror and size of every SPEC: a file, or the name of a spec.

    Prints every problem with its place, what was received, what is allowed and what to try. Ends
    with exit status 2 if there is a problem.
    """
    from archbuild.errors import SpecError

    problems: list[Problem] = []
    for text in specs:
        try:
            say(_verdict(text, overrides))
        except SpecError as error:
            problems += error.problems
    if problems:
        raise SpecError(problems)


def _verdict(text: str, overrides: Sequence[str]) -> str:
    """Return the text on a file without problems, or on one spec by its name.

    Raises:
        SpecError: there are problems.
    """
    from archbuild.registry import default_vocabulary
    from archbuild.spec import load_spec, validate_document

    vocabulary = default_vocabulary()
    if _is_file(text):
        return _summary(text, validate_document(Path(text), vocabulary, overrides))
    _refuse_unknown(text)
    spec = load_spec(text, vocabulary, overrides=overrides)
    return f"{text}: valid, the spec {spec.name}"


def _is_file(text: str) -> bool:
    """Return whether the text means a whole file, rather than one spec by its name."""
    from archbuild.spec.reading import KINDS

    path = Path(text)
    return path.suffix.lower() in KINDS or len(path.parts) > 1 or path.exists()


def _refuse_unknown(text: str) -> None:
    """Make sure that a name means one spec.

    Raises:
        SpecError: it means none; the problem names the closest names.
    """
    from archbuild.errors import Problem, SpecError, UsageError
    from archbuild.spec.locate import default_folders, find_arch, shipped_archs
    from archbuild.spec.values import did_you_mean

    try:
        find_arch(text, None)
    except UsageError:
        known = [name for *_, name in shipped_archs(default_folders())]
        problem = Problem(
            "there is no spec file and no spec of this name",
            source=text,
            received=text,
            allowed="a file that ends in .json, .yaml or .yml, or a name in 'archbuild list archs'",
            advice=did_you_mean(text, known) or "archbuild list archs",
        )
        raise SpecError([problem]) from None


def _summary(path: str, specs: Sequence[Spec]) -> str:
    count = "1 spec" if len(specs) == 1 else f"{len(specs)} specs"
    names = (f"    {index} {spec.name}" for index, spec in enumerate(specs))
    return "\n".join([f"{path}: valid, {count}", *names])
