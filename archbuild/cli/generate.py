"""``archbuild generate``: new rows from each cluster of a trained mixture prior."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archbuild.cli.numbers import SEED, Whole
from archbuild.cli.run_options import RunChoice, run_options
from archbuild.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from archbuild.models.stage import Stage

_FORMATS = (".png", ".npy")


@click.command(no_args_is_help=True, short_help="Draw new rows from each cluster.")
@click.option("-d", "--dataset", metavar="DATASET", help="What the run was of.")
@run_options
@click.option(
    "--per-cluster",
    type=Whole(1, 100_000),
    default=10,
    metavar="N",
    help="How many rows of each cluster (default: 10).",
)
@click.option(
    "--draw-seed",
    type=SEED,
    default=0,
    metavar="S",
    help="Of the draws: another one gives other rows (default: 0).",
)
@click.option(
    "--latents",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Decode these latents, (n, latent) in a .npy file, and draw none; any head will do.",
)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A picture (.png), or the rows as an array (.npy).",
)
def generate(
    dataset: str | None,
    arch: str | None,
    head: str | None,
    seed: int,
    folder: Path | None,
    out: Path,
    per_cluster: int,
    draw_seed: int,
    latents: Path | None,
    output: Path,
) -> None:
    """Draw rows from the generative process of a trained head, cluster by cluster.

    Of several heads, the one that was written last is taken; of a stage that is not finished, its
    latest epoch. The .npy file holds (cluster, row, ...) with channels last, in the units of the
    data; pixels go from 0 to 1. With --latents it holds (row, ...), one for each of theirs.
    """
    from archbuild.environment import start_keras
    from archbuild.figures.generated import drawn_from
    from archbuild.io.atomic import write_npy
    from archbuild.io.containment import named_by_user

    if output.suffix.lower() not in _FORMATS:
        raise UsageError(f"--output {output}: write to a file that ends in .png or in .npy")
    if latents is not None and output.suffix.lower() != ".npy":
        raise UsageError(f"--output {output}: decoded latents go to a file that ends in .npy")
    stage = RunChoice(dataset, arch, head, seed, folder, out).stage()
    start_keras()
    model = stage.open()
    if latents is not None:
        rows = model.decode(_read(latents))
        write_npy(named_by_user(output), rows)
        click.echo(f"{output}: {len(rows)} rows, decoded by {stage.path}", err=True)
        return
    rows = model.generate(per_cluster, draw_seed)
    title = f"{model.origin.name} · {model.plan.spec.name} · {drawn_from(stage)}"
    _write(rows, output, title, stage)
    click.echo(f"{output}: {title} ({per_cluster} each)", err=True)


def _read(latents: Path) -> np.ndarray:
    """Return the array of a ``.npy`` file.

    Raises:
        UsageError: the file's name ends in something else.
        DataError: it is none, or holds something else than finite numbers.
    """
    from archbuild.data.arrays import check_finite, check_kind
    from archbuild.data.formats.npy import read_npy
    from archbuild.data.request import ReadRequest

    if latents.suffix.lower() != ".npy":
        raise UsageError(f"--latents {latents}: save the array as .npy, with numpy.save")
    values = read_npy(ReadRequest(latents)).values
    check_kind(values, str(latents))
    check_finite(values, str(latents))
    return values


def _write(rows: np.ndarray, output: Path, title: str, stage: Stage) -> None:
    from archbuild.figures import draw_generated
    from archbuild.io.atomic import write_npy
    from archbuild.io.containment import named_by_user

    if output.suffix.lower() == ".png":
        draw_generated(rows, title, output, shares=stage.shares)
    else:
        write_npy(named_by_user(output), rows)
