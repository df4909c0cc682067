"""``archbuild validate``: every problem of a spec file at once."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a value.")
def validate(files: tuple[Path, ...], overrides: tuple[str, ...]) -> None:
    """Check spec FILES: structure, shapes, mirror, sizes.

    Prints every problem with its place, what came, what is allowed and what to try; exit status 2
    if there is any.
    """
    from archbuild.errors import Problem, SpecError
    from archbuild.spec import validate_document
    from archbuild.vocabulary import default_vocabulary

    vocabulary = default_vocabulary()
    problems: list[Problem] = []
    for path in files:
        try:
            specs = validate_document(path, vocabulary, overrides)
        except SpecError as error:
            problems += error.problems
        else:
            names = ", ".join(spec.name for spec in specs)
            click.echo(f"{path}: valid ({names})")
    if problems:
        raise SpecError(problems)
