"""A dataset: rows that may be larger than memory, and labels that only metrics read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from archbuild.data.columns import TableEncoding
from archbuild.data.guess import Guess
from archbuild.data.labels import UNKNOWN, labelled_rows
from archbuild.data.precision import needs_double
from archbuild.data.spill import read_part
from archbuild.data.table_form import TableForm
from archbuild.errors import DataError
from archbuild.printable import shell_word

Shape = tuple[int, ...]

_CHUNK_BYTES = 16 * 2**20


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows to cluster.

    Attributes:
        name: safe as a folder's name: ``MNIST``, or the stem of the user's file.
        values: ``(n, height, width, channels)``, ``(n, length, channels)`` or ``(n, features)``;
            any numeric dtype; may be a memory map, and is never read whole.
        labels: ``(n,)`` int64 codes ``0..C-1``, -1 where a row has none; ``(n, T)`` where each row
            has a sequence of them; or ``None``. Read by metrics, and by training under the spec's
            ``supervision`` alone.
        class_names: what the codes stand for; ``()`` without labels.
        scale: ``rows`` multiplies by it; 1/255 for uint8.
        arch_stem: the stem of the spec files made for it: ``mnist``, also for MNIST-60K.
        source: where it came from, in words.
        ids: ``(n,)`` texts that name the rows for the user: an image's path in its folder, the
            row number or ``id`` of a table; ``None``: the rows are known by their place, from 0.
        columns: the names of a table's features; ``()`` where there are none.
        guesses: the decisions that reading them took, each a line that users see.
        encoding: of a table with columns that are no plain numbers, the way from its cells to
            ``values``; ``None`` otherwise.
        gaps: whether ``values`` may be NaN: behind the end of a series, or where one is missing.
        divisors: of image files, depth -> what its numbers are divided by; ``{}`` otherwise.
        form: of a table, how it was read, so that new rows can be read alike.
    """

    name: str
    values: np.ndarray
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    scale: float = 1.0
    arch_stem: str = ""
    source: str = "memory"
    ids: np.ndarray | None = None
    columns: tuple[str, ...] = ()
    guesses: tuple[Guess, ...] = ()
    encoding: TableEncoding | None = None
    gaps: bool = False
    divisors: Mapping[str, float] = field(default_factory=dict)
    form: TableForm | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def n_classes(self) -> int | None:
        """Number of classes of the labels; ``None`` without labels."""
        return len(self.class_names) if self.labels is not None else None

    @property
    def labels_per_row(self) -> int:
        """Number of labels of a row: 1, or the length of its sequence; 0 without labels."""
        if self.labels is None:
            return 0
        return 1 if self.labels.ndim == 1 else self.labels.shape[1]

    @property
    def row_labels(self) -> np.ndarray | None:
        """The labels ``(n,)`` that clusters of rows can be compared with.

        ``None`` without labels, and where each row has a sequence of them.
        """
        return self.labels if self.labels is not None and self.labels.ndim == 1 else None

    @property
    def n_unlabelled(self) -> int:
        """Number of rows without a label; 0 where there are no labels at all."""
        if self.labels is None:
            return 0
        return len(self) - len(labelled_rows(self.labels))

    @property
    def shape(self) -> Shape:
        """One row's shape as specs write it, with the channels first."""
        return _channels_first(self.values.shape[1:])

    def rows(self, indices: Any, *, exact: bool = False) -> np.ndarray:
        """Return the rows at ``indices``, an integer array or a slice, and no others.

        Args:
            indices: of the rows.
            exact: whether float64 is given where float32 would blur a column (``is_double``).

        Returns:
            ``(len(indices), ...)`` float32 or float64, channels last, multiplied by ``scale``.
        """
        kind = np.dtype(np.float64 if exact and self.is_double else np.float32)
        rows: np.ndarray = read_part(self.values, indices).astype(kind, copy=False)
        if self.scale != 1.0:
            rows *= kind.type(self.scale)
        return rows

    def chunks(self, *, exact: bool = False) -> Iterator[np.ndarray]:
        """Yield all rows in order, as ``rows`` gives them, some 16 MiB of float32 at a time."""
        for part in chunk_slices(len(self), prod(self.values.shape[1:]) * 4):
            yield self.rows(part, exact=exact)

    @cached_property
    def is_double(self) -> bool:
        """True if float32 would blur a column or channel, as it does Unix seconds."""
        kind = self.values.dtype
        if np.can_cast(kind, np.float32):
            return False
        row_bytes = prod(self.values.shape[1:]) * kind.itemsize
        return needs_double(
            read_part(self.values, part).astype(np.float64, copy=False)
            for part in chunk_slices(len(self), row_bytes)
        )

    def refuse_constant(self) -> None:
        """Refuse rows that are all equal; reads no further than the first that differs.

        Raises:
            DataError: there is nothing to tell clusters by.
        """
        first: np.ndarray | None = None
        for rows in self.chunks(exact=True):
            first = rows[:1] if first is None else first
            if (rows != first).any():
                return
        raise DataError(
            f"all {len(self)} rows of {self.source} are equal, so there is nothing to cluster; "
            "check how the file was written, and how it is read (archbuild new --for DATA)"
        )

    def digest(self) -> str:
        """Hash shape, dtype, scale and every value by SHA-256, in hex; labels are left out."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        values = self.values
        digest = hashlib.sha256(f"{values.shape} {values.dtype.str} {float(self.scale)!r}".encode())
        for part in chunk_slices(len(self), prod(values.shape[1:]) * values.itemsize):
            digest.update(read_part(values, part).data)
        return digest.hexdigest()

    def numbered_as(self, class_names: Sequence[str]) -> Dataset:
        """Return the rows with the class codes of another dataset, where a class has its name.

        Classes that the other lacks come after its own.
        """
        if self.labels is None or self.class_names == tuple(class_names):
            return self
        names = tuple(dict.fromkeys((*class_names, *self.class_names)))
        codes = np.array([*map(names.index, self.class_names), UNKNOWN], np.int64)
        return replace(self, labels=codes[self.labels], class_names=names)

    def fitted_to(self, input_shape: Shape) -> Dataset:
        """Return the rows in the shape of a spec's Input.

        Images and series go to flat rows and back where the sizes agree; a flat row is read in the
        order height, width, channels (or length, channels). An image of one channel and a series
        change into each other where height and width are length and channels.

        Raises:
            DataError: the shapes do not agree.
        """
        wanted = tuple(input_shape)
        if wanted == self.shape:
            return self
        last = _channels_last(wanted)
        flat = len(wanted) == 1 or len(self.shape) == 1
        same_axes = _without_one_channel(last) == _without_one_channel(self.values.shape[1:])
        if prod(wanted) != prod(self.shape) or not (flat or same_axes):
            raise DataError(self._misfit(wanted))
        return replace(self, values=self.values.reshape(len(self), *last))

    def _misfit(self, wanted: Shape) -> str:
        if self.form is not None:
            return self._misfit_of_table(wanted)
        flat = f" or [{prod(self.shape)}]" if len(self.shape) > 1 else ""
        return (
            f"{self.name} has rows of shape {list(self.shape)}, and the spec's Input takes "
            f"{list(wanted)}; write output_shape: {list(self.shape)}{flat} in the Input layer, "
            "or an arch made for these data (archbuild list archs, or archbuild new --for DATA)"
        )

    def _misfit_of_table(self, wanted: Shape) -> str:
        count = f"{self.shape[0]} feature{'s' * (self.shape[0] != 1)}"
        return (
            f"{self.name} has {count} as it is read now, and the spec's Input "
            f"takes {list(wanted)}. The kinds of the columns (data.columns) and other keys of data "
            f"decide how many there are: write the spec anew, with archbuild new --for "
            f"{shell_word(self.source)} --force and the --set data.KEY=VALUE that you want, or "
            f"write output_shape: {list(self.shape)} in the Input layer"
        )


def rows_at_a_time(row_bytes: int) -> int:
    """Return how many rows make some 16 MiB; at least one."""
    return max(1, _CHUNK_BYTES // max(1, row_bytes))


def chunk_slices(n_rows: int, row_bytes: int) -> Iterator[slice]:
    """Yield slices that cover ``n_rows`` rows in order, of some 16 MiB and at least one row."""
    step = rows_at_a_time(row_bytes)
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def _channels_first(shape: Shape) -> Shape:
    return (shape[-1], *shape[:-1])


def _channels_last(shape: Shape) -> Shape:
    return (*shape[1:], shape[0])


def _without_one_channel(shape: Shape) -> Shape:
    """Return the axes of an image without its channel axis where that has one entry."""
    return shape[:2] if len(shape) == 3 and shape[2] == 1 else shape
