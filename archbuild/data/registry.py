"""The datasets that are known by name, and the way from a name or a path to a ``Dataset``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from archbuild.data.arrays import folder_safe
from archbuild.data.dataset import Dataset, Shape
from archbuild.data.formats.own import (
    FORMATS,
    file_stem,
    held_out_part,
    load_path,
    looks_like_path,
    split_column,
    split_part,
)
from archbuild.data.guard import reading
from archbuild.data.request import Known, ReadOptions
from archbuild.data.sets import (
    binarized_mnist,
    cluttered,
    coil20,
    digits,
    fashion,
    halfmoon,
    har,
    mnist,
    norb,
    omniglot,
    omniglot_iwae,
    serket3000,
    spiral,
    svhn,
)
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
        *halfmoon.SOURCES,
        *mnist.SOURCES,
        *binarized_mnist.SOURCES,
        *fashion.SOURCES,
        coil20.SOURCE,
        serket3000.SOURCE,
        *svhn.SOURCES,
        *norb.SOURCES,
        *har.SOURCES,
        *omniglot.SOURCES,
        *omniglot_iwae.SOURCES,
        *cluttered.SOURCES,
    ),
    _named_in_capitals,
)
"""Every dataset that has a name, in the order in which they are listed to users."""


def load_dataset(
    name_or_path: str,
    data_dir: Path | None = None,
    *,
    input_shape: Shape | None = None,
    options: ReadOptions | None = None,
    known: Known | None = None,
) -> Dataset:
    """Return a dataset by its name, in any case, or the user's own data by their path.

    Args:
        name_or_path: a name of ``DATASETS``, or a path; ``table.csv:column`` names the labels.
        data_dir: where named datasets lie; by default ``$ARCHBUILD_DATA``, else ``./datasets``.
        input_shape: the spec's Input; it chooses between versions, sizes images, and settles what
            an array's axes mean. The rows still have their own shape: see ``Dataset.fitted_to``.
        options: the user's decisions about the structure of the data; a named dataset has no
            structure to guess, and takes ``labels: none`` alone.
        known: for new rows of a trained model, the form that they are read in; labels are then
            not looked at, and one row is enough.

    Raises:
        DataError: it is not there, is damaged, or cannot be used; the message says what to do.
    """
    with reading(name_or_path, "data"):
        source = _named(name_or_path)
        if source is not None:
            return _without(source.load(data_folder(data_dir), input_shape), options)
        return load_path(name_or_path, input_shape, options, known)


def held_out(
    name_or_path: str,
    data_dir: Path | None = None,
    *,
    input_shape: Shape | None = None,
    options: ReadOptions | None = None,
    known: Known | None = None,
) -> Dataset | None:
    """Return the rows that training on a dataset leaves unseen; ``None`` if none are set aside.

    Args:
        name_or_path: what the model was trained on, as for ``load_dataset``.
        data_dir: where named datasets lie, likewise.
        input_shape: the spec's Input, likewise.
        options: likewise.
        known: the form of the training rows, in which these are read; labels are looked at.

    Raises:
        DataError: the dataset has held-out rows, but they are not there or are damaged.
    """
    with reading(name_or_path, "data"):
        return _held_out(name_or_path, data_dir, input_shape, options, known)


def _held_out(
    name_or_path: str,
    data_dir: Path | None,
    input_shape: Shape | None,
    options: ReadOptions | None,
    known: Known | None,
) -> Dataset | None:
    source = _named(name_or_path)
    if source is None:
        unseen = held_out_part(name_or_path)
        if unseen is None:
            return None
        return load_path(unseen, input_shape, options, known, labelled=True)
    if source.held_out is None:
        return None
    return load_dataset(source.held_out, data_dir, input_shape=input_shape, options=options)


def arch_stem(name_or_path: str) -> str:
    """Return the stem of the spec files made for a dataset, found without loading it.

    Raises:
        DataError: it is neither a dataset's name nor a path.
    """
    source = _named(name_or_path)
    if source is not None:
        return source.arch_stem
    return folder_safe(file_stem(split_part(split_column(name_or_path)[0])[0]))


def dataset_name(name_or_path: str) -> str:
    """Return the name that a dataset bears once it is loaded, found without loading it.

    Raises:
        DataError: it is neither a dataset's name nor a path.
    """
    source = _named(name_or_path)
    if source is not None:
        return source.name
    _, part = split_part(split_column(name_or_path)[0])
    return arch_stem(name_or_path) + (f"-{part.upper()}" if part else "")


def find_datasets(data_dir: Path | None = None) -> list[Found]:
    """Return for each named dataset whether it is there, and where, or how to get it."""
    folder = data_folder(data_dir)
    return [Found(name, *_found(source, folder)) for name, source in DATASETS.items()]


def _found(source: DatasetSource, folder: Path) -> tuple[bool, str]:
    """Return what a source says; of files that it cannot read, that they are not there."""
    try:
        with reading(f"{source.name} in {folder}", "that dataset"):
            return source.find(folder)
    except DataError as error:
        return False, str(error)


def _without(dataset: Dataset, options: ReadOptions | None) -> Dataset:
    """Return a named dataset, without its labels where the user says so."""
    if options is None or options == ReadOptions():
        return dataset
    if replace(options, labels=None) != ReadOptions() or not options.no_labels:
        raise DataError(
            f"{dataset.name} is a named dataset, whose structure is known; of the spec's data "
            "section only labels: none applies to it, so remove the other keys"
        )
    return replace(dataset, labels=None, class_names=())


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
