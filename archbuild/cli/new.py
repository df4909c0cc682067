"""``archbuild new``: a commented spec, from a template or for given data."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archbuild.cli.numbers import Whole
from archbuild.cli.options import (
    Reading,
    data_settings,
    force_option,
    output_option,
    reading_options,
    set_option_of,
)
from archbuild.cli.output import say, tell
from archbuild.errors import UsageError
from archbuild.printable import shell_word

if TYPE_CHECKING:
    from archbuild.data.summary import DataSummary
    from archbuild.spec.template import Subject

_SUFFIXES = (".yaml", ".yml")
_AUTO = "auto"
_SEVERAL_MAPS_ROWS = 100_000  # nine maps of so many take about half an hour


class _Clusters(Whole):
    """A number of clusters, or ``auto`` for an estimate."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if value == _AUTO else super().convert(value, param, ctx)


_CLUSTERS = _Clusters(1, 10_000)


@click.command(short_help="Write a commented spec to start from.")
@click.option("--for", "data", metavar="DATA", help="Data to fit: a path, or a name.")
@click.option(
    "--kind",
    type=click.Choice(["dense", "conv", "conv1d"]),
    help="Kind of network without --for: dense for tables, conv for images, conv1d for series.",
    show_default="dense",
)
@click.option(
    "--clusters",
    type=_CLUSTERS,
    metavar="N",
    help="Number of clusters, or auto for an estimate.",
    show_default="the labels' classes, else a prompt on a terminal, else auto",
)
@set_option_of(
    "Decision about how DATA are read, such as data.columns.zip=category; repeatable.",
    "data.KEY=VALUE",
)
@reading_options
@output_option("File of the spec (.yaml).", default="named after the data; without --for, stdout")
@force_option
@click.argument("misplaced", nargs=-1, metavar="")
def new(
    misplaced: tuple[str, ...],
    data: str | None,
    kind: str | None,
    clusters: int | str | None,
    overrides: tuple[str, ...],
    reading: Reading,
    output: Path | None,
    force: bool,
) -> None:
    """Write a commented spec in YAML.

    With --for the spec fits the data, and the command that trains it is printed; with --kind it is
    a general template. Each decision about the structure of the data is printed; --set data.KEY
    decides otherwise.
    """
    _refuse_misplaced(misplaced)
    told = (*overrides, *reading.overrides())
    settled = data_settings(told, "a new spec")
    if data is None:
        if settled:
            raise UsageError("--set, --labels and --channels say how data are read: add --for DATA")
        _from_kind(kind or "dense", clusters, force, output)
    elif kind is not None:
        raise UsageError("--kind is a template, and --for derives the kind from the data: drop one")
    else:
        _for_data(data, settled, told, clusters, force, output)


def _refuse_misplaced(given: tuple[str, ...]) -> None:
    """Refuse arguments without an option, which say neither what is read nor what is written."""
    if not given:
        return
    file = shell_word(given[0])
    is_spec = Path(given[0]).suffix.lower() in _SUFFIXES
    fitting = f"--output {file}, for a spec" if is_spec else f"--for {file}, for data"
    raise UsageError(f"'{given[0]}' needs an option: archbuild new {fitting}")


def _from_kind(kind: str, clusters: int | str | None, force: bool, file: Path | None) -> None:
    from dataclasses import replace

    from archbuild.spec.template import KINDS, spec_text

    subject = KINDS[kind]
    if clusters is not None:
        subject = replace(subject, n_clusters=clusters, n_clusters_reason="as asked for")
    text = spec_text(subject)
    if file is None:
        click.echo(text, nl=False)
        return
    _refuse(file, force, f"archbuild new --kind {kind}")
    _write(file, text, force)
    tell(f"{file}: written; edit it, then: archbuild validate {file}")


def _for_data(
    data: str,
    settled: dict[str, Any],
    told: Sequence[str],
    clusters: int | str | None,
    force: bool,
    file: Path | None,
) -> None:
    from dataclasses import replace

    from archbuild.data import arch_stem
    from archbuild.data.request import ReadOptions
    from archbuild.data.summary import summarise
    from archbuild.spec.template import spec_text

    anew = _anew(data, told, clusters, file)
    file = file or Path(f"{arch_stem(data)}.yaml")
    _refuse(file, force, f"archbuild new --for {shell_word(data)}")
    summary = summarise(data, ReadOptions.of(settled))
    tell(f"{data}: {_in_words(summary)}")
    for guess in summary.guesses:
        tell(f"  {guess}")
    subject = _subject(file.stem, summary, settled, clusters)
    if any(guess.overrule for guess in summary.guesses):
        tell(f"  {anew}")
        subject = replace(subject, remarks=(*subject.remarks, anew))
    _write(file, spec_text(subject), force)
    tell(f"{file}: written; look it over, then run:")
    schedule = subject.schedule
    command = ["archbuild", "-d", data, "-a", str(file)]
    command += ["--pretrain", str(schedule.pretrain_epochs)]
    command += ["--cluster", str(schedule.cluster_epochs), "--metrics", "--report"]
    say(" ".join(map(shell_word, command)))


def _anew(data: str, told: Sequence[str], clusters: int | str | None, file: Path | None) -> str:
    """Return where the decisions that are printed belong: the layers fit what was read."""
    command = ["archbuild", "new", "--for", data]
    command += [] if clusters is None else ["--clusters", str(clusters)]
    command += [] if file is None else ["--output", str(file)]
    command += [word for text in told for word in ("--set", text)]
    written = " ".join(map(shell_word, command))
    return f"otherwise: write the spec anew, with {written} --force --set data.KEY=VALUE"


def _subject(
    name: str, summary: DataSummary, settled: dict[str, Any], clusters: int | str | None
) -> Subject:
    from archbuild.spec.template import Subject

    n_clusters, reason = _n_clusters(summary, clusters)
    columns = {**settled.get("columns", {}), **summary.columns}
    return Subject(
        name=name,
        shape=summary.shape,
        n_rows=summary.n_rows,
        title=_in_words(summary),
        scaling=summary.scaling,
        scaling_reason=summary.reason,
        size_reason=summary.size_reason,
        n_clusters=n_clusters,
        n_clusters_reason=reason,
        **_start(summary),
        remarks=tuple(map(str, summary.guesses)),
        data=settled
        | ({"counts": summary.counts} if summary.counts else {})
        | ({"columns": columns} if columns else {}),
        blocks=summary.blocks,
    )


def _start(summary: DataSummary) -> dict[str, str]:
    """Return the start that finds most with what is installed, and why."""
    from archbuild.clustering.manifold import FEWEST_ROWS
    from archbuild.clustering.starts import K_MEANS, MANIFOLD, MANIFOLD_FAST, WARD
    from archbuild.data.columns import CATEGORICAL
    from archbuild.data.counts import LOG_NORMALISE
    from archbuild.environment import installed

    if summary.counts == LOG_NORMALISE or _is_wide(summary):
        # groups of cells differ in size by a hundred times; maps cut the large ones into pieces
        return {
            "start": WARD,
            "start_reason": "also finds groups of very different size; or k-means, manifold, ...",
        }
    if set(CATEGORICAL) & set(summary.columns.values()):
        # rows of one category are neighbours, whatever else they are: a map draws its islands
        return {
            "start": K_MEANS,
            "start_reason": "weighs categories and numbers alike; or ward, manifold, ...",
        }
    if installed("umap-learn") is None or summary.n_rows < FEWEST_ROWS:
        return {}
    if summary.n_rows > _SEVERAL_MAPS_ROWS:
        return {
            "start": MANIFOLD_FAST,
            "start_reason": "clusters in one UMAP map; or manifold, ...",
        }
    reason = "clusters in UMAP maps that agree with each other; or t-sne, k-means, ..."
    return {"start": MANIFOLD, "start_reason": reason}


def _is_wide(summary: DataSummary) -> bool:
    """Return whether a table has no more rows than columns: measurements of genes, spectra."""
    return len(summary.shape) == 1 and summary.n_rows <= summary.shape[0]


def _n_clusters(summary: DataSummary, asked: int | str | None) -> tuple[int | str | None, str]:
    """Return the head's ``n_clusters``, and where it comes from."""
    if asked is None and summary.n_classes is not None and summary.n_classes > 1:
        more = "; the other rows may be of more" if summary.n_unlabelled else ""
        return None, f"from the labels: {summary.n_classes} classes{more}"
    if asked is None and sys.stdin.isatty():
        question = "How many clusters? (Enter: estimate them)"
        asked = click.prompt(question, default=_AUTO, show_default=False, type=_CLUSTERS, err=True)
    if asked in (None, _AUTO):
        return _AUTO, "estimated from the pretrained latents; or a number"
    return asked, "as asked for; or auto: estimated from the pretrained latents"


def _in_words(summary: DataSummary) -> str:
    from archbuild.spec.rendering import shape_text

    is_table = len(summary.shape) == 1
    row = f"{summary.shape[0]} numbers" if is_table else shape_text(summary.shape)
    return f"{summary.n_rows:,} rows of {row}, {_labels_in_words(summary)}"


def _labels_in_words(summary: DataSummary) -> str:
    if summary.n_classes is None:
        return "no labels"
    known = summary.n_rows - summary.n_unlabelled
    of_some = f" for {known:,} of them" if summary.n_unlabelled else ""
    return f"labels{of_some} of {summary.n_classes} class{'es' * (summary.n_classes != 1)}"


def _refuse(file: Path, force: bool, command: str) -> None:
    """Refuse a file whose name is not YAML's, and one that exists."""
    if file.suffix.lower() not in _SUFFIXES:
        raise UsageError(
            f"{file} does not end in {' or '.join(_SUFFIXES)}, and the spec is YAML, for the sake "
            f"of its comments; try: {command} --output {shell_word(file.stem or 'my-spec')}.yaml"
        )
    if file.exists() and not file.is_file():  # a pipe would be waited for
        raise UsageError(f"{file} is no file that could be replaced; choose another name")
    if file.exists() and not force:
        raise UsageError(
            f"{file} exists already; choose another name: {command} --output other.yaml, or "
            "overwrite it with --force"
        )


def _write(file: Path, text: str, force: bool) -> None:
    try:
        with file.open("w" if force else "x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"cannot write {file} ({reason}); choose another place") from None
