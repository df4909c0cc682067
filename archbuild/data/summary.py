"""The properties of data by which a spec for them is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isqrt

import numpy as np

from archbuild.data.columns import IDENTIFIER, NUMBER
from archbuild.data.counts import LOG_NORMALISE, look_like_counts
from archbuild.data.dataset import Dataset, Shape
from archbuild.data.formats.images.folder import Survey
from archbuild.data.formats.own import survey_path
from archbuild.data.formats.tables.roles import LABEL_COLUMNS, ids_place
from archbuild.data.guess import Guess
from archbuild.data.precision import extremes
from archbuild.data.registry import DATASETS, load_dataset
from archbuild.data.request import ReadOptions

_LARGEST_SIDE = 64  # pixels; a network for larger images trains for hours on two cores
_ALIKE = 0.9


@dataclass(frozen=True)
class DataSummary:
    """The properties of a dataset that decide how its spec is written.

    Attributes:
        n_rows: how many rows there are; of a folder, images with a sound header.
        shape: of a row, with the channels first; of large photographs, what to bring them to.
        n_classes: how many classes the labels name; ``None`` without labels.
        scaling: the spec's ``scaling`` that fits.
        reason: why that one fits.
        size_reason: why images have that shape, or what else rows may be; empty for the rest.
        guesses: the decisions that reading them took.
        columns: of a table, the columns that are no plain numbers: name -> kind.
        blocks: the columns of kind ``embedding``: name -> first feature, and number of features.
        n_unlabelled: how many rows have no label, where others have one.
        counts: the ``counts`` of the spec's ``data`` section; ``None`` where rows are none.
    """

    n_rows: int
    shape: Shape
    n_classes: int | None
    scaling: str
    reason: str
    size_reason: str = ""
    guesses: tuple[Guess, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    blocks: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    counts: str | None = None
    n_unlabelled: int = 0


def summarise(name_or_path: str, options: ReadOptions | None = None) -> DataSummary:
    """Summarise a dataset; a folder of images by its headers alone.

    Args:
        name_or_path: as for ``load_dataset``.
        options: the user's decisions about its structure.

    Raises:
        DataError: as ``load_dataset``, or all rows are equal.
    """
    is_named = name_or_path.upper() in DATASETS
    images = None if is_named else survey_path(name_or_path, options or ReadOptions())
    if images is not None:
        return _summarise_images(images, options)
    dataset, counts, said = _as_counts(name_or_path, options or ReadOptions())
    dataset.refuse_constant()  # as training would
    scaling, reason = ("none", _LOGARITHMS) if counts == LOG_NORMALISE else scaling_of(dataset)
    shape, size = _flat_images(dataset)
    said = (*said, *_say_flat(dataset, shape))
    return DataSummary(
        n_rows=len(dataset),
        shape=shape,
        n_classes=dataset.n_classes,
        scaling=scaling,
        reason=reason,
        size_reason=size,
        guesses=(*dataset.guesses, *said),
        columns=_kinds(dataset),
        blocks=dataset.encoding.blocks if dataset.encoding else {},
        counts=counts,
        n_unlabelled=dataset.n_unlabelled,
    )


def _kinds(dataset: Dataset) -> dict[str, str]:
    """Return the columns of a table that a spec should name, and their kinds.

    Those are no plain numbers, or identify rows though their place does not tell.
    """
    encoded = dataset.encoding.columns if dataset.encoding else ()
    kinds = {column.name: column.kind for column in encoded if column.kind != NUMBER}
    if dataset.form is not None:
        columns = dataset.form.columns
        place = ids_place(columns)
        known = {*LABEL_COLUMNS, "" if place is None else columns[place].casefold()}
        names = [name for name in dataset.form.identifiers if name.casefold() not in known]
        kinds |= dict.fromkeys(names, IDENTIFIER)
    return {name: kind for name, kind in kinds.items() if name.isprintable()}  # as a spec can hold


def _as_counts(
    name_or_path: str, options: ReadOptions
) -> tuple[Dataset, str | None, tuple[Guess, ...]]:
    """Return a dataset, log-normalised where its rows look like counts, and the decision."""
    dataset = load_dataset(name_or_path, options=options)
    is_named = name_or_path.upper() in DATASETS
    if is_named or options.counts is not None or not look_like_counts(dataset):
        return dataset, options.counts, ()
    normalised = load_dataset(name_or_path, options=replace(options, counts=LOG_NORMALISE))
    found = "whole numbers, mostly 0: each row is divided by its sum, and the logarithm is taken"
    return normalised, LOG_NORMALISE, (Guess("counts", found, "counts=none"),)


def _flat_images(dataset: Dataset) -> tuple[Shape, str]:
    """Return the shape of a row, and a remark where it may be a square image laid flat.

    Bytes are taken for one.
    """
    side = isqrt(dataset.shape[0])
    if len(dataset.shape) > 1 or side < 8 or side**2 != dataset.shape[0]:
        return dataset.shape, ""
    if dataset.values.dtype == np.uint8:
        return (1, side, side), f"[{side**2}], and no augment, if rows are no images"
    return dataset.shape, f"or [1, {side}, {side}], and augment, if rows are images"


def _say_flat(dataset: Dataset, shape: Shape) -> tuple[Guess, ...]:
    """Return a line where rows of numbers are taken for images."""
    if shape == dataset.shape:
        return ()
    found = f"rows of {dataset.shape[0]} bytes are taken for square ones, {shape[1]} x {shape[2]}"
    otherwise = f"write output_shape: [{dataset.shape[0]}] in Input, and no augment, otherwise"
    return (Guess("images", f"{found}; {otherwise}"),)


def _summarise_images(found: Survey, options: ReadOptions | None) -> DataSummary:
    channels, height, width = found.shape
    shrink = min(1.0, _LARGEST_SIDE / max(height, width))
    shape = (channels, max(1, round(height * shrink)), max(1, round(width * shrink)))
    size = f"the {'most common' if found.is_common else 'median'} size, {height} x {width}"
    size += ", brought down" if shrink < 1 else ""
    n_classes = None if options and options.no_labels else found.n_classes
    scaling, reason = ("none", _SCALED) if found.is_scaled else ("minmax", _RAW)
    unlabelled = 0 if n_classes is None else found.n_unlabelled
    seen = DataSummary(found.n_images, shape, n_classes, scaling, reason, size, found.guesses)
    return replace(seen, n_unlabelled=unlabelled)


_SCALED = "the images are read as 0 to 1"
_RAW = "numbers of the images' own, brought to 0 to 1"
_BYTES = "whole numbers are read as 0 to 1"
# 10X PBMC: standardised, genes that were hardly counted are as loud as those that tell cells apart
_LOGARITHMS = "logarithms of counts share one unit; standardise makes rare columns loud"


def scaling_of(dataset: Dataset) -> tuple[str, str]:
    """Return the scaling that brings the features to one size, and the reason."""
    if dataset.scale != 1.0:
        return "none", _BYTES
    low, high = extremes(dataset.chunks(exact=True))
    spread = (high - low)[high > low]
    lowest, highest = float(low.min()), float(high.max())
    alike = spread.size and np.median(spread) >= _ALIKE * (highest - lowest)
    is_series = dataset.values.ndim == 3
    if lowest >= 0 and highest <= 1 and (alike or dataset.values.ndim == 4):
        return "none", "the values go from 0 to 1 as they are"
    if dataset.values.ndim == 4 or (alike and not is_series):
        return "minmax", f"the values share one range, {lowest:.4g} to {highest:.4g}"
    if spread.size > 1:
        return "standardise", f"ranges go from {spread.min():.2g} to {spread.max():.2g} in width"
    return "standardise", "to mean 0 and spread 1"
