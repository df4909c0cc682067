"""``archbuild predict``: the clusters of new rows, by a trained model."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archbuild.cli.folders import data_dir_option
from archbuild.cli.numbers import Whole
from archbuild.cli.run_options import RunChoice, run_options
from archbuild.errors import UsageError

if TYPE_CHECKING:
    from archbuild.data import Dataset
    from archbuild.models.model import Model, Prediction
    from archbuild.models.predictions import Part

_FORMATS = ("csv", "json", "jsonl", "parquet", "npz", "text")


class _Shard(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions only
    """``i/n``: the i-th of n parts, from 1."""

    name = "shard"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Both numbers; refused where they are none, or ``i`` is not from 1 to ``n``."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(\d+)/(\d+)", value)
        index, count = map(int, found.groups()) if found else (0, 0)
        if not 1 <= index <= count:
            self.fail(f"'{value}' is no shard; expected i/n with i from 1 to n: 2/8", param, ctx)
        return index, count


@click.command(no_args_is_help=True, short_help="Assign new rows to clusters.")
@click.option("-d", "--dataset", required=True, metavar="DATA", help="The rows: a path or a name.")
@run_options
@click.option(
    "--format",
    "kind",
    type=click.Choice(_FORMATS),
    help="Of the output (default: what FILE ends in; text on stdout).",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where the answers go (default: stdout).",
)
@click.option(
    "--messages",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write what every module of a messages head makes of DATA into DIR, as text.",
)
@click.option("--latent", is_flag=True, help="Write each row's latent too.")
@click.option(
    "--shard", type=_Shard(), default="1/1", metavar="I/N", help="Only the i-th of n parts."
)
@click.option(
    "--chunk",
    type=Whole(1, 10_000_000),
    default=4096,
    metavar="N",
    help="Rows held at a time (default: 4096); the answers do not depend on it.",
)
@data_dir_option("As in training.")
@click.option("--quiet", is_flag=True, help="Only results, warnings and errors.")
def predict(
    dataset: str,
    arch: str | None,
    head: str | None,
    seed: int,
    folder: Path | None,
    out: Path,
    kind: str | None,
    output: Path | None,
    messages: Path | None,
    latent: bool,
    shard: tuple[int, int],
    chunk: int,
    data_dir: Path | None,
    quiet: bool,
) -> None:
    """Write id, cluster, confidence and the probability of every cluster, for each row of DATA.

    DATA are read and scaled as the training data were. The model is the run of ARCH on data of that
    name, or the only run of ARCH there is. Ids are row numbers from 0, or the names of files.
    """
    from archbuild.cli.progress import reporting
    from archbuild.environment import start_keras
    from archbuild.models.predictions import Layout, save, stream

    kind = _format(kind, output)
    if messages is not None and shard[1] > 1:
        raise UsageError("--messages is of all rows, and --shard of some: give one of them")
    stage = RunChoice(dataset, arch, head, seed, folder, out).stage()
    with reporting(quiet, always_warn=True) as progress:
        start_keras()
        from archbuild.models.row_files import write_new_rows

        model = stage.open()
        rows = _load(dataset, data_dir, model)
        if messages is not None:
            files = write_new_rows(model, rows, messages)
            progress.note(f"{len(files)} files of messages in {messages}")
        first, last = (part * len(rows) // shard[1] for part in (shard[0] - 1, shard[0]))
        progress.note(
            f"{rows.name}: rows {first:,} to {last:,} of {len(rows):,}, by {stage.folder.path}"
        )
        parts = _named(model.predict(rows, first, last, chunk), rows)
        size = model.plan.latent_size if latent else 0
        layout = Layout(last - first, model.n_clusters, size, rows.ids is not None)
        if output is None:
            stream(parts, layout, kind, sys.stdout)
        else:
            save(parts, layout, kind, output)
            progress.note(f"rows in {output}: {last - first:,}")


def _format(kind: str | None, output: Path | None) -> str:
    """Return the format that was asked for, or that the file's name stands for."""
    from archbuild.models.predictions import FILES, SUFFIXES

    if output is None:
        if kind in FILES:
            raise UsageError(f"--format {kind} is no text for a terminal: name a file by --output")
        return kind or "text"
    found = kind or SUFFIXES.get(output.suffix.lower())
    if found is None:
        raise UsageError(
            f"--output {output}: say what to write with --format ({', '.join(_FORMATS)}), or let "
            f"the name end in one of {', '.join(SUFFIXES)}"
        )
    return found


def _load(dataset: str, data_dir: Path | None, model: Model) -> Dataset:
    """Read new rows like the training rows; one is enough, and labels are optional."""
    from archbuild.data import load_dataset

    shape, columns = model.plan.spec.input_shape, model.origin.columns
    return load_dataset(
        dataset, data_dir, input_shape=shape, columns=columns, least_rows=1, labels=False
    )


def _named(predictions: Iterator[Prediction], rows: Dataset) -> Iterator[Part]:
    """Return the ids of the rows beside what is said of them."""
    for prediction in predictions:
        numbers = range(prediction.start, prediction.start + len(prediction.latents))
        ids = numbers if rows.ids is None else [str(rows.ids[number]) for number in numbers]
        yield list(ids), prediction
