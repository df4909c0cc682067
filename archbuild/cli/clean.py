"""``archbuild clean``: list runs or stages with their sizes, and remove them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archbuild.cli.columns import in_columns
from archbuild.cli.numbers import SEED
from archbuild.cli.options import gathered, out_option
from archbuild.cli.output import say, tell
from archbuild.cli.runs import size_text
from archbuild.errors import RunError, UsageError

if TYPE_CHECKING:
    from archbuild.runs.removal import Removal


@dataclass(frozen=True)
class _Selection:
    """The runs that are to be removed, or the stages of them."""

    paths: tuple[Path, ...]
    dataset: str | None
    arch: str | None
    seed: int | None
    stages: tuple[str, ...]
    everything: bool

    def check(self) -> None:
        """Make sure that runs are selected in one way.

        Raises:
            UsageError: they are selected in none, or in several.
        """
        named = any(name is not None for name in (self.dataset, self.arch, self.seed))
        if self.paths and named:
            raise UsageError("runs are named twice: give their folders, or -d, -a and --seed")
        if self.everything and (self.paths or named):
            raise UsageError("--all means every run: leave it out, or name no run")
        if not (self.everything or self.paths or named or self.stages):
            raise UsageError("nothing to remove: give RUN, -d, -a, --seed, --stage or --all")

    def find(self, out: Path) -> list[Removal]:
        """Return what the selection means in ``out``.

        Raises:
            UsageError: nothing is there by these names.
            RunError: a path is not the folder of a run.
        """
        from archbuild.runs.removal import removals

        found = removals(
            out,
            paths=self.paths,
            dataset=self.dataset,
            arch=self.arch,
            seed=self.seed,
            stages=self.stages,
        )
        if not found and not self.everything:
            raise UsageError(
                f"no run in {out / 'saved_params'} has these names; 'archbuild runs --out {out}' "
                "lists the runs that there are"
            )
        return found


@click.command(no_args_is_help=True, short_help="Remove runs, or stages of runs.")
@click.argument("paths", nargs=-1, metavar="[RUN]...", type=click.Path(path_type=Path))
@click.option("-d", "--dataset", metavar="NAME", help="Name of the runs' dataset.")
@click.option("-a", "--arch", metavar="NAME", help="Name of the runs' spec.")
@click.option("--seed", type=SEED, metavar="S", help="Random seed of the runs.")
@click.option(
    "--stage",
    "stages",
    multiple=True,
    metavar="STAGE",
    help="Stage to remove in place of whole runs, such as cluster-kld; repeatable.",
)
@click.option("--all", "everything", is_flag=True, help="Every run.")
@out_option
@click.option("--yes", is_flag=True, help="No confirmation prompt.")
@click.option("--dry-run", is_flag=True, help="List of what would be removed, and no removal.")
@gathered(_Selection, "selection")
def clean(selection: _Selection, out: Path, yes: bool, dry_run: bool) -> None:
    """Remove runs with their figures, or stages of them; list them with their sizes first.

    RUN is a folder as 'archbuild runs' lists it; -d, -a and --seed select runs by name. Logs,
    tables of sweeps, files that archbuild did not make, and runs in use are kept.
    """
    selection.check()
    found = selection.find(out)
    if not found:
        tell(f"nothing to remove in {out / 'saved_params'}")
        return
    stay = {removal: obstacle for removal in found if (obstacle := _obstacle(removal))}
    go = [removal for removal in found if removal not in stay]
    say(_listing(go, stay))
    if dry_run:
        return
    if go:
        _ask_unless(yes)
        _carry_out(go)
    if stay:
        raise RunError(f"{len(stay)} of {len(found)} were not removed; the list says why")


def _obstacle(removal: Removal) -> str | None:
    """Return the reason why a run cannot be removed."""
    if removal.run.in_use():
        return "in use"
    return None if removal.reachable else "behind a symbolic link"


def _listing(go: Sequence[Removal], stay: Mapping[Removal, str]) -> str:
    """Return the table of what is removed, with sizes, and of what is kept."""
    rows = [(size_text(removal.size), _in_words(removal)) for removal in go]
    total = (size_text(sum(removal.size for removal in go)), "in all")
    kept = [("-", f"{_in_words(removal)} stays: {why}") for removal, why in stay.items()]
    return in_columns([*rows, total, *kept], numbers=[0])


def _in_words(removal: Removal) -> str:
    stages = ", ".join(folder.name for folder in removal.folders)
    return f"{removal.run.path}: {stages}" if removal.stages else f"{removal.run.path}"


def _ask_unless(yes: bool) -> None:
    """Ask for confirmation.

    Raises:
        UsageError: there is no terminal to ask on.
        Abort: the answer is no.
    """
    if not (yes or sys.stdin.isatty()):
        raise UsageError("nothing was removed: there is no terminal for a prompt; add --yes")
    if not yes:
        click.confirm("remove this?", err=True, abort=True)


def _carry_out(go: Sequence[Removal]) -> None:
    size = sum(removal.size for removal in go)
    left = [path for removal in go for path in removal.carry_out()]
    tell(f"removed {size_text(size)}")
    for path in left:
        tell(f"kept, because archbuild did not make it: {path}")
