"""``archbuild export``: a part of a trained model, for programs without archbuild."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archbuild.cli.options import backend_option, force_option, format_option, output_option
from archbuild.cli.output import tell
from archbuild.cli.run_choice import RunChoice, run_options

if TYPE_CHECKING:
    from archbuild.models.stage import Stage

_FORMATS = ("keras", "onnx", "saved_model")
_PARTS = ("encoder", "decoder", "assign")


@click.command(no_args_is_help=True, short_help="Write a trained model for other programs.")
@run_options()
@click.option(
    "--part",
    type=click.Choice(_PARTS),
    required=True,
    help="Rows to latents, latents to rows, or rows to probabilities of the clusters.",
)
@format_option(_FORMATS)
@output_option("File (.keras, .onnx), or folder (saved_model) of the model.", folder=True)
@backend_option
@force_option
def export(choice: RunChoice, part: str, kind: str, output: Path, force: bool) -> None:
    """Write the encoder, the decoder or the assignment of a run as a model of its own.

    The model takes and returns rows as the data were read: float32, channels last, not scaled;
    pixels from 0 to 1. It computes the numbers that 'archbuild predict' prints. For a run without
    a head, the encoder and the decoder are those of the pretrained network.
    """
    from archbuild.environment import start_keras
    from archbuild.models.exports import refuse_place

    refuse_place(output, kind, force)
    stage = _stage(choice, part)
    start_keras()
    from archbuild.models import exports

    model = stage.open()
    exports.export(model, part, kind, output, force)
    tell(f"{output}: {part} of {stage.path}{stage.progress}")
    for line in exports.remarks(model.origin):
        tell(f"  {line}")


def _stage(choice: RunChoice, part: str) -> Stage:
    """Return the stage with the head; the pretrained stage of a run that has no head."""
    run = choice.run()
    if part != "assign" and choice.head is None and run.stages and run.latest() is None:
        return run.stages[0]
    return choice.stage()
