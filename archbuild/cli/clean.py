"""``archbuild clean``: take runs or stages away, after saying which."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archbuild.cli.columns import in_columns
from archbuild.cli.folders import out_option
from archbuild.cli.numbers import SEED
from archbuild.cli.runs import size_text
from archbuild.errors import RunError, UsageError

if TYPE_CHECKING:
    from archbuild.runs.removal import Removal


@click.command(no_args_is_help=True, short_help="Remove runs or stages, after saying which.")
@click.argument("paths", nargs=-1, metavar="[RUN]...", type=click.Path(path_type=Path))
@click.option("-d", "--dataset", metavar="NAME", help="Runs of this dataset.")
@click.option("-a", "--arch", metavar="NAME", help="Runs of this spec.")
@click.option("--seed", type=SEED, metavar="S", help="Runs with this seed.")
@click.option(
    "--stage",
    "stages",
    multiple=True,
    metavar="STAGE",
    help="Only this stage of them, such as cluster-kld; may be given several times.",
)
@click.option("--all", "everything", is_flag=True, help="Every run.")
@out_option("saved_params/ and plots/ are")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
def clean(
    paths: tuple[Path, ...],
    dataset: str | None,
    arch: str | None,
    seed: int | None,
    stages: tuple[str, ...],
    everything: bool,
    out: Path,
    yes: bool,
    dry_run: bool,
) -> None:
    """Remove runs with their pictures, or stages of them, after saying which and how big they are.

    Runs are named by their folders as 'archbuild runs' lists them, by -d, -a and --seed together,
    or all at once. Logs, tables of sweeps and what archbuild did not make stay, and so does a run
    that a process works in.
    """
    from archbuild.runs.removal import removals

    named = any(name is not None for name in (dataset, arch, seed))
    if paths and named:
        raise UsageError("name runs by their folders, or by -d, -a and --seed; not by both")
    if everything and (paths or named):
        raise UsageError("--all is every run: leave it out, or the names")
    if not (everything or paths or named or stages):
        raise UsageError("say what to remove: RUN, -d, -a, --seed, --stage or --all")
    found = removals(out, paths=paths, dataset=dataset, arch=arch, seed=seed, stages=stages)
    if not found and not everything:
        raise UsageError(
            f"nothing in {out / 'saved_params'} goes by these names; 'archbuild runs --out {out}' "
            "lists what is there"
        )
    if not found:
        click.echo(f"nothing to remove in {out / 'saved_params'}", err=True)
        return
    stay = {removal: obstacle for removal in found if (obstacle := _obstacle(removal))}
    go = [removal for removal in found if removal not in stay]
    click.echo(_listing(go, stay))
    if dry_run:
        return
    if go:
        _ask_unless(yes)
        _carry_out(go)
    if stay:
        raise RunError(f"{len(stay)} of {len(found)} stayed, as is said above")


def _obstacle(removal: Removal) -> str | None:
    """Return the reason why a run cannot be removed."""
    if removal.run.in_use():
        return "in use"
    return None if removal.reachable else "behind a symbolic link"


def _listing(go: Sequence[Removal], stay: Mapping[Removal, str]) -> str:
    """Return the lines on what goes, how large it is, and what stays."""
    rows = [(size_text(removal.size), _in_words(removal)) for removal in go]
    total = (size_text(sum(removal.size for removal in go)), "in all")
    kept = [("-", f"{_in_words(removal)} stays: {why}") for removal, why in stay.items()]
    return in_columns([*rows, total, *kept], numbers=[0])


def _in_words(removal: Removal) -> str:
    stages = ", ".join(folder.name for folder in removal.folders)
    return f"{removal.run.path}: {stages}" if removal.stages else f"{removal.run.path}"


def _ask_unless(yes: bool) -> None:
    """Let the user decide.

    Raises:
        UsageError: there is no terminal to ask on.
        Abort: the answer is no.
    """
    if not (yes or sys.stdin.isatty()):
        raise UsageError("nothing was removed: this is no terminal to ask on; add --yes")
    if not yes:
        click.confirm("remove this?", err=True, abort=True)


def _carry_out(go: Sequence[Removal]) -> None:
    size = sum(removal.size for removal in go)
    left = [path for removal in go for path in removal.carry_out()]
    click.echo(f"removed {size_text(size)}", err=True)
    for path in left:
        click.echo(f"left alone, for archbuild did not make it: {path}", err=True)
