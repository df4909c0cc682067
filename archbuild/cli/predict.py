"""``archbuild predict``: the clusters of new rows, by a trained model."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archbuild.cli.engine import EngineChoice, engine_options
from archbuild.cli.numbers import Whole
from archbuild.cli.options import (
    STDOUT,
    backend_option,
    data_dir_option,
    data_settings,
    format_option,
    output_option,
    quiet_option,
    set_option_of,
)
from archbuild.cli.output import refuse_own_input
from archbuild.cli.run_choice import RunChoice, run_options
from archbuild.errors import UsageError

if TYPE_CHECKING:
    from archbuild.cli.progress import Progress
    from archbuild.data import Dataset
    from archbuild.models.model import Model, Prediction
    from archbuild.models.predictions import Layout, Part

_FORMATS = ("csv", "json", "jsonl", "parquet", "npz", "h5ad", "text")


class _Shard(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions only
    """``i/n``: the i-th of n parts, from 1."""

    name = "shard"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Return both numbers; raise a usage error unless ``i`` is from 1 to ``n``."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(\d+)/(\d+)", value)
        index, count = map(int, found.groups()) if found else (0, 0)
        if not 1 <= index <= count:
            self.fail(
                f"'{value}' is not a shard; expected i/n with i from 1 to n, such as 2/8",
                param,
                ctx,
            )
        return index, count


@click.command(no_args_is_help=True, short_help="Assign new rows to clusters.")
@run_options(dataset_required=True)
@format_option(_FORMATS, "by the name of the output; text on stdout")
@output_option("File of the answers.", default=STDOUT)
@click.option(
    "--messages",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder for text files of what every module of a messages head computes for the rows.",
)
@click.option("--latent", is_flag=True, help="Latent of each row, beside its cluster.")
@click.option(
    "--shard",
    type=_Shard(),
    default="1/1",
    show_default=True,
    metavar="I/N",
    help="Part of the rows: the i-th of n.",
)
@click.option(
    "--chunk",
    type=Whole(1, 10_000_000),
    default=4096,
    show_default=True,
    metavar="N",
    help="Number of rows in memory at a time; without effect on the answers.",
)
@engine_options
@set_option_of(
    "Decision about how the file of the rows is read, such as data.header=false; repeatable.",
    "data.KEY=VALUE",
)
@data_dir_option
@backend_option
@quiet_option
def predict(
    choice: RunChoice,
    kind: str | None,
    output: Path | None,
    messages: Path | None,
    latent: bool,
    shard: tuple[int, int],
    chunk: int,
    engine: EngineChoice,
    overrides: tuple[str, ...],
    data_dir: Path | None,
    quiet: bool,
) -> None:
    """Write id, cluster, confidence and the probability of every cluster for each row of DATASET.

    A head that was trained with labels gives classes, by their names, in the place of clusters.

    The rows are read and scaled as the training data were. The model is the run of ARCH on a
    dataset of that name, or the only run of ARCH there is. Ids are row numbers from 0, the
    names of files, or a table's column of the kind identifier. Each decision about the structure
    of the file is printed; --set data.KEY decides otherwise. Warnings are printed even with
    --quiet.
    """
    from archbuild.cli.progress import reporting
    from archbuild.data.formats.own import split_column
    from archbuild.data.request import READING_KEYS
    from archbuild.environment import start_keras
    from archbuild.models.new_rows import NewRows
    from archbuild.models.ray_predictions import predict_by_ray

    kind = _format(kind, output)
    assert choice.dataset is not None  # the option is required
    refuse_own_input(output, split_column(choice.dataset)[0])
    if messages is not None and shard[1] > 1:
        raise UsageError("--messages covers all rows and --shard only some: give one of the two")
    cluster = engine.cluster()
    settled = data_settings(overrides, "new rows", READING_KEYS)
    stage = choice.stage()
    with reporting(quiet, always_warn=True) as progress:
        start_keras()
        model = stage.open()
        named = NewRows(choice.dataset, data_dir, settled)
        rows = named.load(model)
        if messages is not None:
            _write_messages(model, rows, messages, progress)
        wanted = _rows_of(shard, len(rows))
        progress.note(f"{rows.name}: {_in_words(wanted, len(rows))}, by {stage.folder.path}")
        for guess in rows.guesses:
            can_be_set = guess.key in READING_KEYS  # the model keeps the others
            progress.note(f"  {guess if can_be_set else guess._replace(overrule='')}")
        found = model.predict(rows, wanted.start, wanted.stop, chunk)
        if cluster is not None:
            asked = (wanted.start, wanted.stop, chunk)
            found = predict_by_ray(stage.folder, named, rows, cluster, *asked)
        _write(_named(found, rows), _layout(model, rows, wanted, latent), kind, output)
        if output is not None:
            progress.note(f"rows in {output}: {len(wanted):,}")


def _format(kind: str | None, output: Path | None) -> str:
    """Return the format that was asked for, or that the file's name stands for."""
    from archbuild.models.predictions import FILES, SUFFIXES

    if output is None:
        if kind in FILES:
            raise UsageError(
                f"--format {kind} is not text, so it cannot go to stdout: name a file with --output"
            )
        return kind or "text"
    found = kind or SUFFIXES.get(output.suffix.lower())
    if found is None:
        raise UsageError(
            f"--output {output}: say what to write with --format ({', '.join(_FORMATS)}), or let "
            f"the name end in one of {', '.join(SUFFIXES)}"
        )
    return found


def _write_messages(model: Model, rows: Dataset, folder: Path, progress: Progress) -> None:
    from archbuild.models.row_files import write_new_rows

    files = write_new_rows(model, rows, folder)
    progress.note(f"{len(files)} files of messages in {folder}")


def _rows_of(shard: tuple[int, int], count: int) -> range:
    """Return the numbers of the rows of a shard, of ``count`` rows in all."""
    index, shards = shard
    return range((index - 1) * count // shards, index * count // shards)


def _in_words(wanted: range, count: int) -> str:
    """Return the rows that are answered, of ``count`` in all: ``rows 0 to 9, 10 of 10``."""
    if not wanted:
        return f"no rows of {count:,}"
    first, last = wanted[0], wanted[-1]
    which = f"row {first:,}" if first == last else f"rows {first:,} to {last:,}"
    return f"{which}, {len(wanted):,} of {count:,}"


def _named(predictions: Iterator[Prediction], rows: Dataset) -> Iterator[Part]:
    """Yield the ids of the rows with their predictions, chunk by chunk."""
    for prediction in predictions:
        numbers = range(prediction.start, prediction.start + len(prediction.latents))
        ids = numbers if rows.ids is None else [str(rows.ids[number]) for number in numbers]
        yield list(ids), prediction


def _layout(model: Model, rows: Dataset, wanted: range, latent: bool) -> Layout:
    from archbuild.models.predictions import Layout

    size = model.plan.latent_size if latent else 0
    named = rows.ids is not None
    source, classes, head = Path(rows.source), model.class_names, model.assigning_head
    labels = head.labels_per_row(head.config)
    return Layout(len(wanted), model.n_clusters, size, named, source, classes, labels)


def _write(answers: Iterator[Part], layout: Layout, kind: str, output: Path | None) -> None:
    from archbuild.models.predictions import save, stream

    if output is None:
        stream(answers, layout, kind, sys.stdout)
    else:
        save(answers, layout, kind, output)
