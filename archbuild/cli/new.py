"""``archbuild new``: a commented spec to start from."""

from __future__ import annotations

from pathlib import Path

import click

from archbuild.errors import UsageError


@click.command()
@click.option(
    "--kind",
    type=click.Choice(["dense", "conv", "conv1d"]),
    default="dense",
    show_default=True,
    help="Dense for tables, conv for images, conv1d for series.",
)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
def new(kind: str, file: Path | None) -> None:
    """Write a commented spec to FILE, or to stdout; an existing file is never overwritten."""
    from archbuild.spec import template

    text = template(kind)
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise UsageError(f"{file} exists already; choose another name, or delete it") from None
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}; choose another place") from None
    click.echo(f"{file}: written; edit it, then: archbuild validate {file}", err=True)
