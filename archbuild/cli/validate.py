"""``archbuild validate``: every problem of a spec file at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from archbuild.spec import Spec


@click.command(no_args_is_help=True, short_help="Find every mistake in spec files.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a value of every spec."
)
def validate(files: tuple[Path, ...], overrides: tuple[str, ...]) -> None:
    """Check spec FILES: structure, shapes, mirror, sizes.

    Prints every problem with its place, what came, what is allowed and what to try; exit status 2
    if there is any.
    """
    from archbuild.errors import Problem, SpecError
    from archbuild.registry import default_vocabulary
    from archbuild.spec import validate_document

    vocabulary = default_vocabulary()
    problems: list[Problem] = []
    for path in files:
        try:
            specs = validate_document(path, vocabulary, overrides)
        except SpecError as error:
            problems += error.problems
        else:
            click.echo(_verdict(path, specs))
    if problems:
        raise SpecError(problems)


def _verdict(path: Path, specs: Sequence[Spec]) -> str:
    count = "1 spec" if len(specs) == 1 else f"{len(specs)} specs"
    names = (f"    {index} {spec.name}" for index, spec in enumerate(specs))
    return "\n".join([f"{path}: valid, {count}", *names])
