"""``archbuild generate``: new rows from each cluster of a trained mixture prior."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archbuild.cli.numbers import SEED, Whole

if TYPE_CHECKING:
    import numpy as np

_FORMATS = (".png", ".npy")


@click.command(no_args_is_help=True, short_help="Draw new rows from each cluster.")
@click.option("-d", "--dataset", required=True, metavar="DATASET", help="What the run was of.")
@click.option("-a", "--arch", required=True, metavar="ARCH", help="The run's spec.")
@click.option("--head", metavar="HEAD", help="A head's type, in place of the spec's.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="As the run was asked for."
)
@click.option("--seed", type=SEED, default=0, metavar="S", help="Of the run (default: 0).")
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
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A picture (.png), or the rows as an array (.npy).",
)
@click.option("--data-dir", type=click.Path(path_type=Path), metavar="DIR", help="As for the run.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    metavar="DIR",
    help="Where the run's saved_params/ is (default: here).",
)
def generate(
    dataset: str,
    arch: str,
    head: str | None,
    overrides: tuple[str, ...],
    seed: int,
    per_cluster: int,
    draw_seed: int,
    output: Path,
    data_dir: Path | None,
    out: Path,
) -> None:
    """Draw rows from the generative process of a trained head, cluster by cluster.

    Of a head that was refined and also trained from scratch, the one that was written last is
    taken; of a stage that is not finished, its latest epoch. The .npy file holds (cluster, row,
    ...) with channels last, in the units of the data; pixels go from 0 to 1.
    """
    from archbuild.cli.environment import start_keras
    from archbuild.errors import UsageError
    from archbuild.job import Job, JobRequest
    from archbuild.pictures import generated_title

    if output.suffix.lower() not in _FORMATS:
        raise UsageError(f"--output {output}: write to a file that ends in .png or in .npy")
    job = Job(JobRequest(dataset, arch, head, overrides, seed, data_dir, out))
    start_keras()
    stage, trained = job.generator()
    rows = job.feed.scaler.undo(trained.generate(per_cluster, draw_seed))
    title = generated_title(job, stage, trained)
    _write(rows, output, title)
    click.echo(f"{output}: {title} ({per_cluster} each)", err=True)


def _write(rows: np.ndarray, output: Path, title: str) -> None:
    from archbuild.figures import draw_generated
    from archbuild.runs.atomic import save_npy, write_atomic

    if output.suffix.lower() == ".png":
        draw_generated(rows, title, output)
    else:
        write_atomic(output, lambda path: save_npy(path, rows))
