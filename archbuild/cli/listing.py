"""``archbuild list``: what there is to name in a spec or on the command line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import click


@click.command("list")
@click.argument("what", type=click.Choice(["layers", "heads", "datasets", "archs"]))
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where datasets lie.")
def list_things(what: str, data_dir: Path | None) -> None:
    """List the layers, heads, datasets or archs that can be named."""
    rows = {
        "layers": _layers,
        "heads": _heads,
        "datasets": lambda: _datasets(data_dir),
        "archs": _archs,
    }[what]()
    click.echo(_columns(rows))


def _layers() -> Iterable[Sequence[str]]:
    from archbuild.vocabulary import default_vocabulary

    for name, layer in default_vocabulary().layers.items():
        yield name, ", ".join(sorted(layer.sides, reverse=True)), layer.summary


def _heads() -> Iterable[Sequence[str]]:
    from archbuild.vocabulary import default_vocabulary

    for name, head in default_vocabulary().heads.items():
        yield name, head.summary


def _datasets(data_dir: Path | None) -> Iterable[Sequence[str]]:
    from archbuild.data import find_datasets

    for name, found, where in find_datasets(data_dir):
        yield name, "found" if found else "not here", where


def _archs() -> Iterable[Sequence[str]]:
    from archbuild.spec import shipped_archs

    for path, index, name in shipped_archs():
        yield path.stem, str(index), name


def _columns(rows: Iterable[Sequence[str]]) -> str:
    table = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )
    return "\n".join(lines)
