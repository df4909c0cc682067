"""``archbuild list``: the names that specs and the command line take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from archbuild.cli.columns import in_columns
from archbuild.cli.options import data_dir_option
from archbuild.cli.output import say


@click.command(
    "list",
    no_args_is_help=True,
    short_help="List layers, heads, datasets, archs or published models.",
    epilog="An arch is chosen by its index with its dataset (archbuild show -d MNIST -a 2), or by "
    "its name alone (archbuild show -a vade-mnist).",
)
@click.argument("what", type=click.Choice(["layers", "heads", "datasets", "archs", "published"]))
@data_dir_option
def list_things(what: str, data_dir: Path | None) -> None:
    """List the layers, heads, datasets, archs (shipped specs) or published models by name."""
    lists = {"layers": _layers, "heads": _heads, "archs": _archs, "published": _published}
    say(datasets_text(data_dir) if what == "datasets" else lists[what]())


def datasets_text(data_dir: Path | None) -> str:
    """Return every named dataset: whether it was found, a summary, its place or how to get it."""
    from archbuild.data import DATASETS, find_datasets

    return in_columns(
        (name, "found" if found else "not here", f"{DATASETS[name].summary}\n  {where}")
        for name, found, where in find_datasets(data_dir)
    )


def _layers() -> str:
    from archbuild.registry import default_vocabulary

    layers = default_vocabulary().layers
    return in_columns(
        (name, ", ".join(sorted(layer.sides, reverse=True)), layer.summary)
        for name, layer in layers.items()
    )


def _heads() -> str:
    from archbuild.registry import default_vocabulary

    heads = default_vocabulary().heads
    return in_columns(
        (name, f"{head.summary}\n  {', '.join(field.name for field in head.fields)}")
        for name, head in heads.items()
    )


def _published() -> str:
    from archbuild.models.published import find_published, published_names

    headings = ("name", "dataset", "head", "acc", "nmi", "MB", "spec and command")
    rows = []
    for name in published_names():
        model = find_published(name)
        run, scores = model.run, model.scores
        counted = (f"{scores['acc']:.3f}", f"{scores['nmi']:.3f}", f"{model.size / 1e6:.1f}")
        made = f"{run.arch}\n  {run.full_command}"
        rows.append((name, run.dataset_name, run.spec.head.type, *counted, made))
    return in_columns([headings, *rows], numbers=[3, 4, 5])


def _archs() -> str:
    headings = ("file", "#", "input", "head", "name")
    return in_columns([headings, *_arch_rows()], numbers=[1])


def _arch_rows() -> Iterator[tuple[str, str, str, str, str]]:
    """Yield a row for each spec, those of the working directory first, with aliases below it.

    An index counts in the first file of its dataset; a spec of a later file, or of a packaged file
    that belongs to no dataset, has only its name. A name that two files of a dataset have means
    the first one's spec, and is listed once.
    """
    from archbuild.data import DATASETS
    from archbuild.spec.locate import PACKAGED, default_folders, read_folders
    from archbuild.spec.names import aliases_of, entries, names

    stems = {source.arch_stem for source in DATASETS.values()}
    first: dict[str, Path] = {}
    named: dict[tuple[str, str], Path] = {}
    for path, document in read_folders(default_folders()):
        counts = first.setdefault(path.stem.lower(), path) == path
        counts = counts and (path.parent != PACKAGED or path.stem in stems)
        for index, (name, entry) in enumerate(zip(names(document), entries(document), strict=True)):
            if named.setdefault((path.stem.lower(), name), path) == path:
                called = "\n".join([name, *(f"or {alias}" for alias in aliases_of(entry))])
                yield path.stem, str(index) if counts else "-", _input(entry), _head(entry), called


def _input(entry: Any) -> str:
    """Return the input's shape of an unchecked spec; a dash where there is none."""
    from archbuild.spec.rendering import shape_text

    try:
        return shape_text(entry["layers"][0]["output_shape"])
    except (LookupError, TypeError):
        return "-"


def _head(entry: Any) -> str:
    """Return the type of an unchecked spec's head; a dash where it cannot be read."""
    from archbuild.spec.top import DEFAULT_HEAD

    try:
        return str((entry.get("head") or {}).get("type", DEFAULT_HEAD))
    except AttributeError:
        return "-"
