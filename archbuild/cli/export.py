"""``archbuild export``: a part of a trained model, for programs without archbuild."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archbuild.cli.run_options import RunChoice, run_options

if TYPE_CHECKING:
    from archbuild.models.stage import Stage

_FORMATS = ("keras", "onnx", "saved_model")
_PARTS = ("encoder", "decoder", "assign")


@click.command(no_args_is_help=True, short_help="Write a trained model for other programs.")
@click.option("-d", "--dataset", metavar="DATASET", help="What the run was of.")
@run_options
@click.option("--format", "kind", type=click.Choice(_FORMATS), required=True, help="Of the output.")
@click.option(
    "--part",
    type=click.Choice(_PARTS),
    required=True,
    help="Rows to latents, latents to rows, or rows to the probabilities of clusters.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="PATH",
    help="A file (.keras, .onnx), or a folder for saved_model.",
)
@click.option("--force", is_flag=True, help="Replace an earlier export.")
def export(
    dataset: str | None,
    arch: str | None,
    head: str | None,
    seed: int,
    folder: Path | None,
    out: Path,
    kind: str,
    part: str,
    output: Path,
    force: bool,
) -> None:
    """Write the encoder, the decoder or the assignment of a run as a model of its own.

    Rows go in, and come out, as the data were read: float32, channels last, not scaled; pixels go
    from 0 to 1. It gives the numbers that 'archbuild predict' gives. Without a head, the encoder
    and the decoder are those of the pretrained network.
    """
    from archbuild.environment import start_keras
    from archbuild.models.exports import refuse_place

    refuse_place(output, kind, force)
    stage = _stage(RunChoice(dataset, arch, head, seed, folder, out), part)
    start_keras()
    from archbuild.models import exports

    model = stage.open()
    exports.export(model, part, kind, output, force)
    click.echo(f"{output}: {part} of {stage.path}{stage.progress}", err=True)


def _stage(choice: RunChoice, part: str) -> Stage:
    """Return the head's stage; of a run without any, the pretrained network's."""
    run = choice.run()
    if part != "assign" and choice.head is None and run.stages and run.latest() is None:
        return run.stages[0]
    return choice.stage()
