"""The datasets that are known by name, and the way from a name or a path to a ``Dataset``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from archbuild.data.arrays import folder_safe
from archbuild.data.dataset import Dataset, Shape
from archbuild.data.formats.own import FORMATS, load_path, looks_like_path, split_column
from archbuild.data.sets import coil20, digits, fashion, har, mnist, serket3000, spiral, svhn
from archbuild.data.source import DatasetSource, Found, data_folder
from archbuild.errors import DataError
from archbuild.plugins import Registry, instance_of


def _named_in_capitals(thing: Any) -> DatasetSource:
    """Return the source that a plugin brings: names are looked up in capitals."""
    source = instance_of(DatasetSource)(thing)
    if source.name != source.name.upper():
        raise TypeError(f"expected a name in capitals, got '{source.name}'")
    return source


DATASETS: Mapping[str, DatasetSource] = Registry(
    "archbuild.datasets",
    (
        digits.SOURCE,
        spiral.SOURCE,
        *mnist.SOURCES,
        *fashion.SOURCES,
        coil20.SOURCE,
        serket3000.SOURCE,
        *svhn.SOURCES,
        *har.SOURCES,
    ),
    _named_in_capitals,
)
"""Every dataset that has a name, in the order in which they are listed to users."""


def load_dataset(
    name_or_path: str,
    data_dir: Path | None = None,
    *,
    input_shape: Shape | None = None,
    columns: Sequence[str] = (),
    least_rows: int = 2,
    labels: bool = True,
) -> Dataset:
    """Return a dataset by its name, in any case, or the user's own data by their path.

    Args:
        name_or_path: a name of ``DATASETS``, or a path; ``table.csv:column`` names the labels.
        data_dir: where named datasets lie; by default ``$ARCHBUILD_DATA``, else ``./datasets``.
        input_shape: the spec's Input; it chooses between versions, sizes images, and settles what
            an array's axes mean. The rows still have their own shape: see ``Dataset.fitted_to``.
        columns: of a table of the user's own, the features that are wanted, in this order; labels
            are then not looked at. By default all that it has.
        least_rows: data of the user's own with fewer are refused.
        labels: whether labels that lie in a file beside the user's own are wanted.

    Raises:
        DataError: it is not there, is damaged, or cannot be used; the message says what to do.
    """
    source = _named(name_or_path)
    if source is not None:
        return source.load(data_folder(data_dir), input_shape)
    return load_path(name_or_path, input_shape, columns, least_rows, labels=labels)


def held_out(
    name_or_path: str, data_dir: Path | None = None, *, input_shape: Shape | None = None
) -> Dataset | None:
    """Return the rows that training on a dataset leaves unseen; ``None`` if none are set aside.

    Args:
        name_or_path: what the model was trained on, as for ``load_dataset``.
        data_dir: where named datasets lie, likewise.
        input_shape: the spec's Input, likewise.

    Raises:
        DataError: the dataset has held-out rows, but they are not there or are damaged.
    """
    source = _named(name_or_path)
    if source is None or source.held_out is None:
        return None
    return load_dataset(source.held_out, data_dir, input_shape=input_shape)


def arch_stem(name_or_path: str) -> str:
    """Return the stem of the spec files made for a dataset, found without loading it.

    Raises:
        DataError: it is neither a dataset's name nor a path.
    """
    source = _named(name_or_path)
    if source is not None:
        return source.arch_stem
    path, _ = split_column(name_or_path)
    return folder_safe(path.resolve().name if path.is_dir() else path.stem)


def dataset_name(name_or_path: str) -> str:
    """Return the name that a dataset bears once it is loaded, found without loading it.

    Raises:
        DataError: it is neither a dataset's name nor a path.
    """
    source = _named(name_or_path)
    return source.name if source is not None else arch_stem(name_or_path)


def find_datasets(data_dir: Path | None = None) -> list[Found]:
    """Return for each named dataset whether it is there, and where, or how to get it."""
    folder = data_folder(data_dir)
    return [Found(name, *source.find(folder)) for name, source in DATASETS.items()]


def _named(text: str) -> DatasetSource | None:
    """Return the source of that name; ``None`` for a path."""
    source = DATASETS.get(text.upper())
    if source is not None or looks_like_path(text):
        return source
    close = get_close_matches(text.upper(), DATASETS, n=1)
    meant = f"; did you mean {close[0]}?" if close else "."
    raise DataError(
        f"there is no dataset '{text}'{meant} Known by name: {', '.join(DATASETS)}. Your own data "
        f"are given by their path: {', '.join(FORMATS)} or a folder of images (none of that name "
        f"in {Path.cwd()})"
    )
