"""``archbuild runs``: what was run, how far it is, what it came to and what it takes on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from archbuild.cli.columns import in_columns
from archbuild.cli.folders import out_option
from archbuild.io.documents import json_text

if TYPE_CHECKING:
    from archbuild.runs.catalogue import RunEntry, StageState

_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


@click.command(short_help="List the runs, newest first.")
@out_option("saved_params/ is")
@click.option("--json", "as_json", is_flag=True, help="The list as one JSON document.")
def runs(out: Path, as_json: bool) -> None:
    """List the runs, newest first: how far each stage is, the best metrics, the size on disk.

    Runs of sweeps over grids are listed with the folder that they are in, to be given as --out.
    Of labelled data, the best row is that of the highest accuracy, else of the highest silhouette.
    """
    from archbuild.runs.catalogue import find_runs

    entries = find_runs(out)
    if as_json:
        click.echo(
            json_text({"runs": [entry.document() for entry in entries]}, indent=2, ascii_only=True)
        )
    elif entries:
        headings = ("dataset", "arch", "seed", "changed", "size", "stages")
        click.echo(in_columns([headings, *(_row(entry, out) for entry in entries)], numbers=[2, 4]))
    else:
        click.echo(f"no runs in {out / 'saved_params'}", err=True)


def size_text(size: int) -> str:
    """Bytes for people: ``3.2 MB``, in powers of 1000."""
    value, unit = float(size), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return (
        f"{value:.0f} {_UNITS[unit]}"
        if unit == 0 or value >= 99.5
        else (f"{value:.1f} {_UNITS[unit]}")
    )


def _row(entry: RunEntry, out: Path) -> tuple[str, ...]:
    changed = entry.changed.strftime("%Y-%m-%d %H:%M")
    about = "\n".join(_about(entry, out))
    return (entry.dataset, entry.arch, str(entry.seed), changed, size_text(entry.size), about)


def _about(entry: RunEntry, out: Path) -> Iterator[str]:
    """Return the lines of the last column."""
    from archbuild.evaluation.scores import BRIEF

    yield from (_stage(name, stage) for name, stage in entry.stages.items())
    if not entry.stages:
        yield "in use" if entry.in_use else "no epoch yet"
    if entry.best:
        scores = [f"{BRIEF[key]} {entry.best[key]:.4f}" for key in BRIEF if key in entry.best]
        yield f"best: {' '.join(scores)} ({entry.best['space']}, {entry.best['method']})"
    if entry.out != out:
        yield f"in {entry.out}"


def _stage(name: str, stage: StageState) -> str:
    if stage.epoch is None:
        return f"{name}  {stage.state}"
    return f"{name} {stage.epoch}/{stage.epochs} {stage.state}"
