"""Series of any lengths as they are read, and as rows of one length."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np

from archbuild.data.dataset import chunk_slices
from archbuild.data.formats.series.numbers import Numbers
from archbuild.data.limits import check_declared
from archbuild.data.spill import release, room_for


class Gathered:
    """The series of one or more files: a plain list of them would be ten times as large.

    Attributes:
        numbers: the way from cells to numbers.
        labels: of the series that have one, in order.
        counts: the numbers of channels that there are.
    """

    def __init__(self) -> None:
        self.numbers = Numbers()
        self.labels: list[str] = []
        self.counts: set[int] = set()
        self._values, self._lengths = array("d"), array("q")  # of all channels, in order
        self._n_series = 0

    def __len__(self) -> int:
        return self._n_series

    def add(self, channels: Sequence[Sequence[float]], label: str | None = None) -> None:
        """Add a series: the numbers of each channel, NaN where one is missing, and its label."""
        for numbers in channels:
            self._values.extend(numbers)
            self._lengths.append(len(numbers))
        self.counts.add(len(channels))
        self._n_series += 1
        if label is not None:
            self.labels.append(label)

    def lengths(self) -> np.ndarray:
        """Return the length ``(n,)`` of each series without missing values at its end.

        All series have one number of channels.
        """
        lengths = np.asarray(self._lengths)
        there = np.flatnonzero(~np.isnan(np.asarray(self._values)))
        ends = np.cumsum(lengths)
        before = np.searchsorted(there, ends) - 1  # the last value in front of each end
        last = np.where(before < 0, -1, there[before] if there.size else -1)
        kept = np.maximum(last - (ends - lengths) + 1, 0)
        longest: np.ndarray = kept.reshape(len(self), -1).max(axis=1)
        return longest

    def padded(self, length: int, stored: int, source: str) -> np.ndarray:
        """Return the series as ``(n, length, channels)`` float64, NaN behind their ends.

        Args:
            length: longer ones are cut.
            stored: the bytes of their files.
            source: for messages.

        Raises:
            DataError: the room behind their ends is out of proportion.
        """
        (n_channels,) = self.counts
        row_bytes = length * n_channels * np.dtype(np.float64).itemsize
        what = f"{source}: {len(self):,} series at the length {length:,}"
        check_declared(len(self) * row_bytes, stored, what)
        values = room_for((len(self), length, n_channels), np.float64, source)
        lengths = np.asarray(self._lengths).reshape(len(self), n_channels)
        start = 0
        for part in chunk_slices(len(self), row_bytes):
            own = lengths[part].reshape(-1)
            stop = start + int(own.sum())
            rows = _padded(np.asarray(self._values)[start:stop], own, length)
            values[part] = rows.reshape(-1, n_channels, length).swapaxes(1, 2)
            release(values)
            start = stop
        return values


def _padded(values: np.ndarray, lengths: np.ndarray, length: int) -> np.ndarray:
    """Return values that follow one another as ``(n, length)``, NaN behind each ``lengths``."""
    if lengths.max() > length:
        places = np.arange(len(values)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        values, lengths = values[places < length], np.minimum(lengths, length)
    there = np.arange(length) < lengths[:, np.newaxis]
    rows = np.full(there.shape, np.nan)
    rows[there] = values
    return rows
