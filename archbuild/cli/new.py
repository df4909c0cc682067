"""``archbuild new``: a commented spec to start from."""

from __future__ import annotations

from pathlib import Path

import click

from archbuild.errors import UsageError

_SUFFIXES = (".yaml", ".yml")


@click.command(short_help="Write a commented spec to start from.")
@click.option(
    "--kind",
    type=click.Choice(["dense", "conv", "conv1d"]),
    default="dense",
    show_default=True,
    help="Dense for tables, conv for images, conv1d for series.",
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
def new(kind: str, file: Path | None) -> None:
    """Write a commented spec to FILE, or to stdout; an existing file is never overwritten."""
    from archbuild.spec import template

    text = template(kind)
    if file is None:
        click.echo(text, nl=False)
        return
    if file.suffix.lower() not in _SUFFIXES:
        raise UsageError(
            f"{file} does not end in {' or '.join(_SUFFIXES)}, and the spec is YAML, for the sake "
            f"of its comments; try: archbuild new --kind {kind} {file.stem or 'my-spec'}.yaml"
        )
    _write(file, text)
    click.echo(f"{file}: written; edit it, then: archbuild validate {file}", err=True)


def _write(file: Path, text: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise UsageError(f"{file} exists already; choose another name, or delete it") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"cannot write {file} ({reason}); choose another place") from None
