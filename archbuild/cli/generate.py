"""``archbuild generate``: new rows from each cluster of a trained mixture prior."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archbuild.cli.numbers import SEED, Whole
from archbuild.cli.options import backend_option, output_option
from archbuild.cli.output import refuse_own_input, tell
from archbuild.cli.run_choice import RunChoice, run_options
from archbuild.errors import DataError, UsageError

if TYPE_CHECKING:
    import numpy as np

    from archbuild.models.stage import Stage

_FORMATS = (".png", ".npy")


@click.command(no_args_is_help=True, short_help="Draw new rows from each cluster.")
@run_options()
@click.option(
    "--per-cluster",
    type=Whole(1, 100_000),
    default=10,
    show_default=True,
    metavar="N",
    help="Number of rows from each cluster.",
)
@click.option(
    "--level",
    type=Whole(1, 1_000),
    metavar="I",
    help="Only level of latents to draw, counted from 1 at the bottom; for heads with several.",
    show_default="all",
)
@click.option(
    "--draw-seed",
    type=SEED,
    default=0,
    show_default=True,
    metavar="S",
    help="Random seed of the draws.",
)
@click.option(
    "--latents",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Latents to decode in place of drawn ones, (n, latent) in a .npy file; for any head.",
)
@output_option("Picture (.png) or array (.npy) of the rows.")
@backend_option
def generate(
    choice: RunChoice,
    per_cluster: int,
    level: int | None,
    draw_seed: int,
    latents: Path | None,
    output: Path,
) -> None:
    """Draw rows from the generative process of a trained head, cluster by cluster.

    Of several heads, the one that was finished last is taken; where none is finished, the latest
    epoch of the one in training. The .npy file holds (cluster, row, ...) with channels last, in the
    units of the data; pixels go from 0 to 1. With --latents it holds (row, ...), one for each
    latent.

    With --level the levels of latents above it are at the means of their priors, those below it at
    their means given what is above.
    """
    from archbuild.environment import start_keras

    _refuse_suffix(output, latents)
    refuse_own_input(output, latents)
    if latents is not None and level is not None:
        raise UsageError("--level says what is drawn, and --latents that nothing is; leave one out")
    stage = choice.stage()
    start_keras()
    if latents is not None:
        _decode(stage, latents, output)
    else:
        _draw(stage, per_cluster, draw_seed, level, output)


def _refuse_suffix(output: Path, latents: Path | None) -> None:
    suffix = output.suffix.lower()
    if suffix not in _FORMATS:
        raise UsageError(f"--output {output}: write to a file that ends in .png or in .npy")
    if latents is not None and suffix != ".npy":
        raise UsageError(f"--output {output}: decoded latents go to a file that ends in .npy")


def _decode(stage: Stage, latents: Path, output: Path) -> None:
    from archbuild.io.atomic import write_npy
    from archbuild.io.containment import named_by_user

    rows = stage.open().decode(_read(latents))
    write_npy(named_by_user(output), rows)
    tell(f"{output}: {len(rows)} rows, decoded by {stage.path}")


def _draw(stage: Stage, per_cluster: int, draw_seed: int, level: int | None, output: Path) -> None:
    from archbuild.figures.generated import drawn_from

    model = stage.model
    rows = model.generate(per_cluster, draw_seed, level)
    title = f"{model.origin.name} · {model.plan.spec.name} · {drawn_from(stage, level)}"
    _write(rows, output, title, stage)
    tell(f"{output}: {title} ({per_cluster} each)")


def _read(latents: Path) -> np.ndarray:
    """Return the array of a ``.npy`` file.

    Raises:
        UsageError: the file's name does not end in ``.npy``.
        DataError: the file holds no array, or values that are not finite numbers.
    """
    from archbuild.data.arrays import check_finite, check_kind
    from archbuild.data.formats.arrays.npy import read_npy
    from archbuild.data.request import ReadRequest

    if latents.suffix.lower() != ".npy":
        raise UsageError(f"--latents {latents}: save the array as .npy, with numpy.save")
    if not latents.is_file():  # to open a pipe may take for ever
        raise DataError(f"--latents {latents} is no file; save the array as .npy")
    values = read_npy(ReadRequest(latents)).values
    check_kind(values, str(latents))
    check_finite(values, str(latents))
    return values


def _write(rows: np.ndarray, output: Path, title: str, stage: Stage) -> None:
    from archbuild.figures import draw_generated
    from archbuild.figures.generated import answered_classes
    from archbuild.io.atomic import write_npy
    from archbuild.io.containment import named_by_user

    if output.suffix.lower() == ".png":
        names = answered_classes(stage)
        draw_generated(rows, title, output, shares=stage.shares, row_names=names)
    else:
        write_npy(named_by_user(output), rows)
