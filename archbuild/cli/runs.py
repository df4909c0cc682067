"""``archbuild runs``: the runs with their stages, best metrics and sizes on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from archbuild.cli.columns import in_columns
from archbuild.cli.options import json_option, out_option
from archbuild.cli.output import say, tell
from archbuild.io.documents import json_text

if TYPE_CHECKING:
    from archbuild.runs.catalogue import RunEntry, StageState

_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


@click.command(short_help="List the runs, newest first.")
@out_option
@json_option()
def runs(out: Path, as_json: bool) -> None:
    """List the runs, newest first: progress of each stage, best metrics, size on disk.

    A run of a sweep over a grid is listed with its folder, which other verbs take as --out. The
    best metrics are those with the highest accuracy, or without labels the highest silhouette.
    """
    from archbuild.runs.catalogue import find_runs

    entries = find_runs(out)
    if as_json:
        say(json_text({"runs": [entry.document() for entry in entries]}, indent=2, ascii_only=True))
    elif entries:
        headings = ("dataset", "arch", "seed", "changed", "size", "stages")
        say(in_columns([headings, *(_row(entry, out) for entry in entries)], numbers=[2, 4]))
    else:
        tell(f"no runs in {out / 'saved_params'}")


def size_text(size: int) -> str:
    """Return a number of bytes as text, in powers of 1000: ``3.2 MB``."""
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
    from archbuild.evaluation.table import method_in_words

    yield from (_stage(name, stage) for name, stage in entry.stages.items())
    if not entry.stages:
        yield "in use" if entry.in_use else "no epoch yet"
    if entry.best:
        scores = [f"{BRIEF[key]} {entry.best[key]:.4f}" for key in BRIEF if key in entry.best]
        yield f"best: {' '.join(scores)} ({entry.best['space']}, {method_in_words(entry.best)})"
    if entry.problem:
        yield f"no scores: {entry.problem}"
    if entry.out != out:
        yield f"in {entry.out}"


def _stage(name: str, stage: StageState) -> str:
    if stage.epoch is None:
        return f"{name}  {stage.state}"
    return f"{name} {stage.epoch}/{stage.epochs} {stage.state}"
