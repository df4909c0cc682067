"""Many images as rows of one size and one range, wherever their files lie."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from archbuild.data.dataset import Shape, chunk_slices
from archbuild.data.formats.images.picture import (
    Header,
    Source,
    UnfitPictureError,
    decode,
    decode_own,
    header_of,
    range_of,
    with_own_limits,
)
from archbuild.data.formats.images.range import Divisors, Ranges, divisors_for
from archbuild.data.formats.images.size import common_shape, is_common, too_few
from archbuild.data.guess import Guess, listed
from archbuild.data.limits import MOST_TIMES_IMAGES, allowed_bytes, check_declared
from archbuild.data.request import BYTES, ReadRequest
from archbuild.data.spill import read_part, release, room_for
from archbuild.errors import DataError

_WITH_ALPHA = 4  # channels
_PROBED = 200  # images of each depth that a survey decodes
_BYTES = (0.0, 255.0)

_log = logging.getLogger(__name__)


class Files(NamedTuple):
    """Image files in order.

    Attributes:
        names: of the files, as users know them.
        open: gives each file's path or content, in order, as often as it is called.
        stored: the bytes that they take on the disk, all together.
    """

    names: Sequence[str]
    open: Callable[[], Iterable[Source]]
    stored: int


class Stack(NamedTuple):
    """Images as rows.

    Attributes:
        values: ``(n, height, width, channels)``, in the files' own numbers where all images have
            one divisor, else float32 and divided.
        read: the places of the rows among the files; what cannot be read is left out.
        scale: the factor that ``values`` need.
        divisors: depth -> what the numbers of its images are divided by.
        guesses: the decisions.
    """

    values: np.ndarray
    read: list[int]
    scale: float
    divisors: Mapping[str, float]
    guesses: tuple[Guess, ...]


class Probe(NamedTuple):
    """Number, size and range of images, from their headers and the pixels of some.

    Attributes:
        n_images: with a sound header, and sound pixels where these were looked at.
        shape: the most common ``(height, width, channels)``, or the median one.
        is_common: whether half of the images at least have that size.
        is_scaled: whether the numbers are divided, or go from 0 to 1 as they are.
        guesses: the decisions.
    """

    n_images: int
    shape: Shape
    is_common: bool
    is_scaled: bool
    guesses: tuple[Guess, ...]


def read_stack(files: Files, request: ReadRequest) -> Stack:
    """Return all images that can be read; a warning lists the others.

    Raises:
        DataError: fewer images than are needed, a number of channels that images do not have,
            depths whose ranges cannot be compared, or more than the disk holds.
    """
    is_old = request.known is not None and request.known.scale is None
    with with_own_limits():
        headers, unfit = _headers(files, request.path)
        if is_old:  # models of earlier versions took the upper 8 bits of whatever came
            headers = [header and header._replace(depth=BYTES) for header in headers]
        shape = common_shape(headers, request, unfit)
        ranges, faults = _ranges(files, headers, 0)
        faults |= unfit
        depths = {
            header.depth for index, header in enumerate(headers) if header and index not in faults
        }
        reader = _Reader(files, headers, faults, shape, _decode_bytes if is_old else decode_own)
        read = reader.bytes if depths <= {BYTES} else reader.own
        values, rows, divisors = read(ranges, request)
    _warn(request.path, files.names, rows, headers, shape, faults)
    if len(rows) < request.least_rows:
        raise too_few(request.path, len(rows), request.least_rows, faults=faults)
    guesses = (
        *divisors.guesses,
        *_say_channels(headers, files.names, shape),
        *_say_parts(headers, shape),
    )
    scale = 1 / (divisors.shared or 1)
    return Stack(values[: len(rows)], rows, scale, divisors.by_depth, guesses)


def probe(files: Files, request: ReadRequest) -> Probe:
    """Read the headers of images, and the pixels of up to 200 of each depth.

    Raises:
        DataError: as ``read_stack``.
    """
    with with_own_limits():
        headers, unfit = _headers(files, request.path)
        ranges, faults = _ranges(files, headers, _PROBED)
        faults |= unfit
    there = [*_sound(headers, faults)]
    if len(there) < request.least_rows:
        raise too_few(request.path, len(there), request.least_rows, faults=faults)
    shape = common_shape([headers[index] for index in there], request)
    _warn(request.path, files.names, there, headers, shape, faults)
    if len(ranges) > 1:
        ranges |= {BYTES: _BYTES} if BYTES in ranges else {}
    if len({end for ends in ranges.values() for end in ends}) == 1 and len(there) <= _PROBED:
        raise DataError(
            f"all {len(there)} images in {request.path} have one colour, so there is nothing to "
            "cluster; check how they were written"
        )
    divisors = divisors_for(ranges, request)
    is_scaled = all(
        ranges[depth][0] >= 0 and ranges[depth][1] <= divisor
        for depth, divisor in divisors.by_depth.items()
    )
    guesses = (
        *divisors.guesses,
        *_say_channels(headers, files.names, shape),
        *_say_parts(headers, shape),
    )
    return Probe(len(there), shape, is_common(headers, shape), is_scaled, guesses)


def _headers(files: Files, path: Path) -> tuple[list[Header | None], dict[int, str]]:
    """Return the headers that can be read, and why images cannot be used.

    Raises:
        DataError: the images have more pixels than their files can honestly hold.
    """
    headers: list[Header | None] = []
    faults: dict[int, str] = {}
    n_bytes = 0
    for index, source in enumerate(files.open()):
        header = None
        try:
            header = header_of(source)
        except UnfitPictureError as error:
            faults[index] = str(error)
        headers.append(header)
        n_bytes += header.n_bytes if header else 0
        # what all would take, as those that were seen do: the next may decode an image
        expected = max(n_bytes, n_bytes * len(files.names) // (index + 1))
        if n_bytes > allowed_bytes(files.stored, MOST_TIMES_IMAGES):
            what = f"{path}: decoding its {len(files.names):,} images"
            check_declared(expected, files.stored, what, MOST_TIMES_IMAGES)
    return headers, faults


def _decode_bytes(source: Source, shape: Shape) -> tuple[np.ndarray, str]:
    return decode(source, shape), BYTES


@dataclass(frozen=True)
class _Reader:
    """The images that fill rows of one shape."""

    files: Files
    headers: Sequence[Header | None]
    faults: dict[int, str]
    shape: Shape
    decode: Callable[[Source, Shape], tuple[np.ndarray, str]]

    def bytes(self, ranges: Ranges, request: ReadRequest) -> tuple[np.ndarray, list[int], Divisors]:
        """Read 8-bit images; their range is that of the rows."""
        values = self._room(np.dtype(np.uint8), request)
        rows = self._fill(values, {}, is_divided=False)
        found = _range_of_rows(values[: len(rows)])
        return values, rows, divisors_for({BYTES: found}, request)

    def own(self, ranges: Ranges, request: ReadRequest) -> tuple[np.ndarray, list[int], Divisors]:
        """Read images of which some are deeper, divided where depths have different divisors."""
        is_mixed = any(header.depth == BYTES for header in self.headers if header)
        ranges = {**ranges, BYTES: _BYTES} if is_mixed else ranges
        divisors = divisors_for(ranges, request)
        values = self._room(divisors.dtype(ranges), request)
        rows = self._fill(values, divisors.by_depth, is_divided=divisors.shared is None)
        return values, rows, divisors

    def _room(self, dtype: np.dtype, request: ReadRequest) -> np.ndarray:
        count = len(self.headers)
        return room_for((count, *self.shape), dtype, f"the {count} images in {request.path}")

    def _fill(
        self, values: np.ndarray, divisors: Mapping[str, float], *, is_divided: bool
    ) -> list[int]:
        """Fill the first rows with the images that can be read, and return which these are."""
        read: list[int] = []
        for index, source in enumerate(self.files.open()):
            if self.headers[index] is None or index in self.faults:
                continue
            try:
                pixels, depth = self.decode(source, self.shape)
            except Exception as error:  # Pillow's readers have no closed list
                self.faults[index] = _reason(error)
                continue
            if depth != BYTES and self.shape[-1] == _WITH_ALPHA:
                pixels[..., -1] = divisors[depth]  # nothing of it is transparent
            values[len(read)] = pixels / divisors[depth] if is_divided else pixels
            read.append(index)
            release(values)
        return read


def _ranges(
    files: Files, headers: Sequence[Header | None], most_bytes: int
) -> tuple[dict[str, tuple[float, float]], dict[int, str]]:
    """Return the range of each depth, and why images cannot be used.

    Args:
        files: are opened one by one.
        headers: of the files.
        most_bytes: how many of the 8-bit images to look at, evenly spread.
    """
    shallow = [index for index, header in enumerate(headers) if header and header.depth == BYTES]
    some = {*shallow[:: -(-len(shallow) // most_bytes)]} if most_bytes and shallow else set()
    if not some and len(shallow) == sum(header is not None for header in headers):
        return {}, {}  # nothing to look at: the files need not be opened
    ranges: dict[str, tuple[float, float]] = {}
    faults: dict[int, str] = {}
    for index, (source, header) in enumerate(zip(files.open(), headers, strict=True)):
        if header is None or (header.depth == BYTES and index not in some):
            continue
        try:
            low, high = range_of(source)
        except Exception as error:  # Pillow's readers have no closed list
            faults[index] = _reason(error)
            continue
        least, most = ranges.get(header.depth, (low, high))
        ranges[header.depth] = min(least, low), max(most, high)
    return ranges, faults


def _range_of_rows(values: np.ndarray) -> tuple[float, float]:
    slices = chunk_slices(len(values), values[:1].nbytes)
    parts = (read_part(values, part) for part in slices)  # one at a time
    ends = [(float(part.min()), float(part.max())) for part in parts] or [(0.0, 0.0)]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _sound(headers: Sequence[Header | None], faults: Mapping[int, str]) -> dict[int, Header]:
    """Return the images that may be rows, by their place."""
    there = ((index, header) for index, header in enumerate(headers) if index not in faults)
    return {index: header for index, header in there if header}


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, UnfitPictureError) else ""


def _say_channels(
    headers: Sequence[Header | None], names: Sequence[str], shape: Shape
) -> list[Guess]:
    """Return a line where grey images get the channels of those that have colours."""
    grey = sum(header is not None and header.grey for header in headers)
    coloured = [
        name for name, header in zip(names, headers, strict=True) if header and not header.grey
    ]
    if not grey or not coloured or shape[-1] == 1:
        return []
    found = f"{shape[-1]}, as {len(coloured)} images have colours ({listed(coloured)}); {grey} are"
    return [Guess("channels", f"{found} grey. An Input of 1 channel reads all as grey")]


def _say_parts(headers: Sequence[Header | None], shape: Shape) -> tuple[Guess, ...]:
    """Return lines about what is left out of images that are read."""
    several = sum(header is not None and header.is_several for header in headers)
    cut = sum(header is not None and header.is_cut for header in headers)
    said = []
    if several:
        said.append(Guess("left out", f"{several} files hold several pictures; the first counts"))
    if cut:
        found = f"the lower 8 of 16 bits of {cut} colour images; save these as .npy to keep them"
        said.append(Guess("left out", found))
    clear = sum(header is not None and header.is_clear for header in headers)
    if clear and shape[-1] != _WITH_ALPHA:
        found = f"{clear} images may be transparent in places, which become white"
        said.append(Guess("transparency", f"{found}; an Input of 4 channels keeps it"))
    return tuple(said)


def _warn(
    path: Path,
    names: Sequence[str],
    read: Sequence[int],
    headers: Sequence[Header | None],
    shape: Shape,
    faults: Mapping[int, str],
) -> None:
    left_out = sorted({*range(len(names))} - {*read})
    why = {index: f" ({faults[index]})" for index in left_out if faults.get(index)}
    broken = [names[index] + why.get(index, "") for index in left_out]
    if broken:
        shown = ", ".join(broken[:10]) + (f" and {len(broken) - 10} more" if broken[10:] else "")
        _log.warning("%s: %d images cannot be read, left out: %s", path, len(broken), shown)
    others = sum(header is not None and header[:2] != shape[:2] for header in headers)
    if others:
        _log.warning(
            "%s: %d images of another size are resized to %d x %d", path, others, *shape[:2]
        )
