"""From arrays as users store them to a ``Dataset``: which axis is what, and what is refused.

The rule for arrays that do not say what they are:

===================  ==========================================================================
``(n, features)``    a table
``(n, a, b)``        images of height ``a`` and width ``b`` with one channel where they are bytes
                     or truth values, or where ``a`` is ``b`` and at least 8; else series of
                     length ``a`` with ``b`` channels
``(n, a, b, c)``     images. Two equal axes are height and width, else ``c`` is the channels,
                     unless ``a`` is 1, 3 or 4 and ``c`` is not. Where all three are equal and at
                     least 8, volumes with one channel
``(n, a, b, c, d)``  volumes, by the rule of images: three equal axes are depth, height and width
===================  ==========================================================================

The spec's Input settles it where its shape fits one reading, and ``data.channels`` says ``first``,
``last`` or, where an array has no axis of channels, ``none``. Bytes, and whole numbers in images,
are divided by the largest number of as many bits as their own maximum has: 1, 3, 7, ..., 255, ...,
65,535; ``data.divide_by`` says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from archbuild.data.columns import TableEncoding
from archbuild.data.counts import LOG_NORMALISE, log_normalised
from archbuild.data.dataset import Dataset, Shape, chunk_slices
from archbuild.data.guess import Guess
from archbuild.data.labels import encode_labels
from archbuild.data.missing import judge_missing
from archbuild.data.precision import blur_of_double
from archbuild.data.request import BYTES, Known, ReadOptions
from archbuild.data.spill import read_part
from archbuild.data.table_form import TableForm
from archbuild.errors import DataError
from archbuild.spec.top import NO_CHANNELS

_CHANNELS = (1, 3, 4)  # of images: grey, RGB, RGBA
_LARGEST_BYTE = 255
_LEAST_SIDE = 8  # pixels; square rows below it may as well be series
_NO_OPTIONS = ReadOptions()


def dataset_from_arrays(
    name: str,
    values: Any,
    labels: Any = None,
    *,
    input_shape: Shape | None = None,
    arch_stem: str | None = None,
    source: str = "memory",
    ids: Sequence[str] | np.ndarray | None = None,
    columns: Sequence[str] = (),
    least_rows: int = 2,
    options: ReadOptions = _NO_OPTIONS,
    known: Known | None = None,
    guesses: Sequence[Guess] = (),
    encoding: TableEncoding | None = None,
    gaps: bool = False,
    scale: float | None = None,
    divisors: Mapping[str, float] | None = None,
    form: TableForm | None = None,
) -> Dataset:
    """Return a checked dataset from a user's arrays.

    Args:
        name: any text; what cannot stand in a folder's name is replaced.
        values: ``(n, ...)``, two to four axes, by the rule at the head of this module.
        labels: one for each row, or a sequence, of any kind that ``encode_labels`` takes, or
            ``None``.
        input_shape: the spec's Input, which settles what the rule leaves open.
        arch_stem: the stem of the spec files made for these data; by default the name.
        source: where they came from, for messages.
        ids: one text for each row, as ``Dataset.ids``.
        columns: the names of the features, as ``Dataset.columns``.
        least_rows: fewer are refused.
        options: the user's decisions; ``channels``, ``counts``, ``divide_by`` and ``gaps`` are
            looked at.
        known: for new rows of a trained model, the form of its training rows.
        guesses: the decisions made so far.
        encoding: as ``Dataset.encoding``.
        gaps: as ``Dataset.gaps``; NaN is refused unless this, or ``options``, or ``known`` says
            so.
        scale: the factor of the values where it is settled; by default the options, the training
            rows or the range tell.
        divisors: as ``Dataset.divisors``.
        form: as ``Dataset.form``.

    Raises:
        DataError: the values are no numbers, too few, not finite, of one axis or of more than
            four, whole numbers that float64 would blur, without any value in a column, or the
            labels do not fit.
    """
    said_by_reader, gaps = gaps, gaps or options.masks_gaps or (known is not None and known.gaps)
    is_flat_anew = known is not None and np.ndim(values) == 2
    channels = None if is_flat_anew else options.channels
    array, said = _checked(values, input_shape, least_rows, source, channels=channels, gaps=gaps)
    if known is None:  # new rows may be closer to each other than those of the training
        _refuse_blurred(array, source, columns)
    if gaps:
        missing = judge_missing(array, source, columns, is_new=known is not None)
        said += [] if said_by_reader else missing
    if options.counts == LOG_NORMALISE:
        array = log_normalised(array, source)
    codes, classes = (None, ()) if labels is None else encode_labels(labels, len(array), source)
    factor, said_of_range = _scale(array, options, known) if scale is None else (scale, [])
    safe = folder_safe(name)
    return Dataset(
        name=safe,
        values=array,
        labels=codes,
        class_names=classes,
        scale=factor,
        divisors=divisors or {},
        arch_stem=arch_stem or safe,
        source=source,
        ids=None if ids is None else np.asarray(ids, str),
        columns=tuple(columns),
        guesses=(*guesses, *said, *said_of_range),
        encoding=encoding,
        gaps=gaps,
        form=form,
    )


def _checked(
    values: Any,
    input_shape: Shape | None,
    least_rows: int,
    source: str,
    *,
    channels: str | None,
    gaps: bool,
) -> tuple[np.ndarray, list[Guess]]:
    """Return the values as finite numbers with the channels last, and the decisions."""
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    check_kind(array, source)
    array, said = arrange_axes(array, input_shape, source, channels)
    _check_rows(array, least_rows, source)
    check_finite(array, source, gaps=gaps)
    return array, said


def _refuse_blurred(values: np.ndarray, source: str, columns: Sequence[str]) -> None:
    """Refuse columns or channels whose numbers float64 does not tell apart: part by part."""
    parts = chunk_slices(len(values), prod(values.shape[1:]) * values.itemsize)
    blur = blur_of_double(read_part(values, part) for part in parts)
    if blur is not None:
        name = f"'{columns[blur.column]}'" if len(columns) else f"{blur.column} (counted from 0)"
        kind = "column" if values.ndim == 2 else "channel"
        raise DataError(f"{source}: the {kind} {name} {blur.in_words}")


def _scale(
    values: np.ndarray, options: ReadOptions, known: Known | None
) -> tuple[float, list[Guess]]:
    """Return the factor of the values: the user's, the model's, or the one of their range."""
    if options.divide_by is not None:
        return 1 / options.divide_by, []
    return scale_by_range(values) if known is None else scale_as_known(values, known)


def scale_as_known(values: np.ndarray, known: Known) -> tuple[float, list[Guess]]:
    """Return the factor of new rows: that of the training rows, unless they are scaled already.

    Models of earlier versions multiplied bytes by 1/255 and nothing else.
    """
    if known.scale is None:
        return (1 / 255 if values.dtype == np.uint8 else 1.0), []
    is_deeper = known.divisors or 1 / known.scale > _LARGEST_BYTE
    if values.dtype == np.uint8 and is_deeper:
        divisor = known.divisors.get(BYTES, _LARGEST_BYTE)
        return 1 / divisor, [Guess("range", f"bytes, divided by {divisor:,.0f}")]
    if known.scale == 1.0 or values.dtype.kind != "f" or _largest(values) > 1:
        return known.scale, []
    found = f"fractions up to 1, taken as divided by {1 / known.scale:,.0f} already"
    return 1.0, [Guess("range", found)]


def _largest(values: np.ndarray) -> float:
    """Return the largest absolute value but NaN, looking at a part at a time."""
    parts = chunk_slices(len(values), prod(values.shape[1:]) * values.itemsize)
    sizes = (np.fmax.reduce(np.abs(read_part(values, part)), axis=None) for part in parts)
    return max(map(float, sizes), default=0.0)


def scale_by_range(values: np.ndarray) -> tuple[float, list[Guess]]:
    """Return the factor that brings bytes, and whole numbers in images, to 0..1.

    The divisor is the largest number of as many bits as the maximum has, whatever the type: masks
    of 0 and 1 stay as they are, and bytes of 0 to 255 are divided by 255.
    """
    whole = values.dtype.kind in "iu" and (values.ndim >= 4 or values.dtype == np.uint8)
    if not whole or not values.size:
        return 1.0, []
    low, high = 0, 0
    for part in chunk_slices(len(values), prod(values.shape[1:]) * values.itemsize):
        rows = read_part(values, part)
        low, high = min(low, int(rows.min())), max(high, int(rows.max()))
    if low < 0:
        found = f"whole numbers from {low:,} to {high:,}, used as they are"
        return 1.0, [Guess("range", found, f"divide_by={max(-low, high)}")]
    divisor = 2 ** max(1, high.bit_length()) - 1
    done = f"divided by {divisor:,}" if divisor > 1 else "used as they are"
    other = 1 if divisor > 1 else 255
    said = Guess("range", f"whole numbers up to {high:,}, {done}", f"divide_by={other}")
    return 1 / divisor, [said]


def folder_safe(name: str) -> str:
    """Return the name with all but letters, digits, ``.``, ``_`` and ``-`` replaced by ``-``."""
    return re.sub(r"[^\w.-]+", "-", name).strip(".-") or "data"


def arrange_axes(
    values: np.ndarray, input_shape: Shape | None, source: str, channels: str | None = None
) -> tuple[np.ndarray, list[Guess]]:
    """Return ``values`` with the channels last, a view, and the decisions that this took.

    Args:
        values: by the rule at the head of this module.
        input_shape: the spec's Input.
        source: for messages.
        channels: ``first``, ``last`` or ``none``, where the user says so.

    Raises:
        DataError: the values have one axis or over five, or the user speaks of channels that
            they cannot have.
    """
    _check_shape(values, source)
    wanted = tuple(input_shape or ())
    row = values.shape[1:]
    if channels is not None:
        return _as_told(values, channels, source), []
    if len(row) == 1:
        return values, []
    if len(row) == 2:
        return _arrange_two_axes(values, wanted)
    if len(row) == 3 and wanted == (1, *row):
        return values[..., np.newaxis], []
    if wanted in (row, (row[-1], *row[:-1])):
        as_it_stands = (row[-1], *row[:-1]) == wanted
        return (values if as_it_stands else np.moveaxis(values, 1, -1)), []
    if len(row) == 3 and len(set(row)) == 1 and row[0] >= _LEAST_SIDE:
        found = f"volumes of {row[0]} x {row[1]} x {row[2]} with one channel, since all are equal"
        return values[..., np.newaxis], [Guess("axes", found, "channels=last")]
    first = _is_first(row)
    place, other = ("first", "last") if first else ("last", "first")
    count = row[0] if first else row[-1]
    said = Guess("channels", f"{place}, {count} of them, in rows of {row}", f"channels={other}")
    return (np.moveaxis(values, 1, -1) if first else values), [said]


def _as_told(values: np.ndarray, channels: str, source: str) -> np.ndarray:
    """Return values with the channels last, as the user says where they are."""
    axes = values.ndim - 1
    if axes == 1 or (channels == NO_CHANNELS and axes == 4):
        raise DataError(
            f"{source} holds an array of shape {values.shape}, to which data.channels: {channels} "
            "does not apply; leave it out"
        )
    if channels == NO_CHANNELS:
        return values[..., np.newaxis]
    return np.moveaxis(values, 1, -1) if channels == "first" else values


def _is_first(row: Shape) -> bool:
    """Return whether images or volumes have their channels in front: by the axes that are equal."""
    is_tail_even = len(set(row[1:])) == 1 and row[0] != row[1] and row[1] > 1
    is_head_even = len(set(row[:-1])) == 1 and row[-1] != row[0] and row[0] > 1
    if is_tail_even or is_head_even:
        return is_tail_even
    return row[0] in _CHANNELS and row[-1] not in _CHANNELS


def _arrange_two_axes(values: np.ndarray, wanted: Shape) -> tuple[np.ndarray, list[Guess]]:
    height, width = values.shape[1:]
    if wanted == (1, height, width):
        return values[..., np.newaxis], []
    if wanted == (width, height):
        return values, []
    if wanted == (height, width):
        return values.swapaxes(1, 2), []
    reason = _reason_for_images(values)
    if reason is not None:
        found = f"images of {height} x {width} in grey, since {reason}"
        return values[..., np.newaxis], [Guess("axes", found, "channels=last")]
    found = f"series of length {height} with {width} channels (channels=none: images in grey)"
    return values, [Guess("axes", found, "channels=first")]


def _reason_for_images(values: np.ndarray) -> str | None:
    """Return why rows of two axes are images; ``None`` if they are series."""
    height, width = values.shape[1:]
    if values.dtype in (np.uint8, np.bool_):
        return "they are bytes" if values.dtype == np.uint8 else "they are truth values"
    return "they are square" if height == width >= _LEAST_SIDE else None


def check_finite(values: np.ndarray, source: str, *, gaps: bool = False) -> None:
    """Refuse infinity, numbers too large for float32, and NaN unless ``gaps``: part by part."""
    if values.dtype.kind != "f":
        return
    first, count = -1, 0
    for part in chunk_slices(len(values), prod(values.shape[1:]) * values.itemsize):
        with np.errstate(over="ignore"):
            rows = read_part(values, part).astype(np.float32, copy=False)
        sound = ~np.isinf(rows) if gaps else np.isfinite(rows)
        broken = ~sound.reshape(len(sound), -1).all(axis=1)
        if broken.any() and first < 0:
            first = part.start + int(np.argmax(broken))
        count += int(broken.sum())
    if count:
        what = "infinity" if gaps else "NaN, infinity"
        mask = "" if gaps else ", or let the loss leave NaN out (data.gaps: mask)"
        raise DataError(
            f"{source} holds {what} or numbers beyond float32 in {count} of {len(values)} rows, "
            f"the first of them row {first} (counted from 0); drop those rows or fill them in{mask}"
        )


def check_kind(values: np.ndarray, source: str) -> None:
    """Refuse what is no plain number: texts, objects, complex numbers, dates."""
    if _holds_large_integers(values):
        raise DataError(
            f"{source} holds whole numbers beyond 64 bits; subtract the least of each column, or "
            "give the numbers as float64"
        )
    if values.dtype.kind not in "biuf":
        raise DataError(
            f"{source} holds values of type {values.dtype}; clustering needs plain numbers "
            "(integers, floats or booleans), so convert or drop what is something else"
        )


def _holds_large_integers(values: np.ndarray) -> bool:
    """Return whether values are integers of Python for which NumPy has no type."""
    if values.dtype.kind != "O" or not all(type(value) is int for value in values.flat):
        return False
    return not all(-(2**63) <= value < 2**64 for value in values.flat)


def _check_shape(values: np.ndarray, source: str) -> None:
    if not 2 <= values.ndim <= 5:
        raise DataError(
            f"{source} holds an array of shape {values.shape}; expected (n, features), "
            "(n, length, channels), (n, height, width), (n, height, width, channels) or "
            "(n, depth, height, width, channels)"
            + ("; for one number per row, reshape it to (n, 1)" if values.ndim == 1 else "")
        )
    if 0 in values.shape[1:]:
        raise DataError(
            f"{source} holds an array of shape {values.shape}, with nothing in its rows; check how "
            "the file was written"
        )


def _check_rows(values: np.ndarray, least: int, source: str) -> None:
    if len(values) < least:
        raise DataError(
            f"{source} holds an array of shape {values.shape}; at least {least} rows are needed, "
            "so check how the file was written"
        )
