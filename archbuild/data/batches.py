"""Batches: the rows of each step of training.

The order of an epoch depends on the seed, the stage and the epoch's number alone, so a resumed run
goes through the same batches as one that was never stopped, and nothing has to be stored.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np


def epoch_batches(
    n: int, batch_size: int, seed: int, stage: str, epoch: int, most: int | None = None
) -> Iterator[np.ndarray]:
    """Return the batches of one epoch, every row once, in an order of its own.

    The last batch may be shorter; where it would hold a single row, that row joins the batch
    before, because batch normalisation has no variance to divide by.

    With ``most`` an epoch is a part of such a pass, and the next one goes on where it ends: all
    rows are seen once before any is seen again.

    Args:
        n: how many rows there are.
        batch_size: how many go together.
        seed: the run's seed, not negative.
        stage: ``pretrain`` or another name; stages with the same seed shuffle differently.
        epoch: from 0.
        most: batches of an epoch; ``None``, or as many as a pass has or more: the whole pass.

    Yields:
        ``(batch,)`` int64 row numbers.

    Raises:
        ValueError: ``batch_size`` is below 1, or ``seed`` or ``epoch`` is negative.
    """
    parts = _parts(n, batch_size, merge_single=True)
    steps = min(most or len(parts), len(parts))
    order, its_pass = np.empty(0, np.int64), -1
    for step in range(epoch * steps, (epoch + 1) * steps):
        wanted, place = divmod(step, len(parts))
        if wanted != its_pass:
            order, its_pass = _order(n, seed, stage, wanted), wanted
        yield order[parts[place]]


def _order(n: int, seed: int, stage: str, number: int) -> np.ndarray:
    """Return the order of one pass over all rows, ``(n,)`` int64."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(stage.encode()), number])
    return np.random.default_rng(sequence).permutation(n)


def labelled_batches(
    rows: np.ndarray, batch_size: int, seed: int, stage: str, epoch: int
) -> Iterator[np.ndarray]:
    """Yield batches of labelled rows without end, for the steps of one epoch.

    The rows are gone through again and again, each time in another order, and no batch has a row
    twice: rows that do not fill a last batch are passed over until they are reordered.

    Args:
        rows: ``(labelled,)`` row numbers.
        batch_size: how many go together, at most ``labelled``.
        seed: the run's seed, not negative.
        stage: as for ``epoch_batches``.
        epoch: from 0.

    Yields:
        ``(batch_size,)`` row numbers.

    Raises:
        ValueError: ``batch_size`` is not between 1 and ``labelled``.
    """
    if not 1 <= batch_size <= len(rows):
        raise ValueError(f"batch_size is {batch_size}; expected 1 to {len(rows)}")
    sequence = np.random.SeedSequence([seed, zlib.crc32(f"labelled {stage}".encode()), epoch])
    rng = np.random.default_rng(sequence)
    while True:
        order = rng.permutation(rows)
        for start in range(0, len(rows) - batch_size + 1, batch_size):
            yield order[start : start + batch_size]


def ordered_batches(n: int, batch_size: int) -> Iterator[np.ndarray]:
    """Yield every row once and in order, for encoding: ``(batch,)`` int64 row numbers.

    Raises:
        ValueError: ``batch_size`` is below 1.
    """
    for part in _parts(n, batch_size, merge_single=False):
        yield np.arange(part.start, part.stop)


def count_batches(n: int, batch_size: int, most: int | None = None) -> int:
    """Return how many batches ``epoch_batches`` gives."""
    count = len(_parts(n, batch_size, merge_single=True))
    return min(most or count, count)


def count_steps(n: int, settings: Mapping[str, Any]) -> int:
    """Return how many steps an epoch of ``n`` rows has under a stage's keys."""
    return count_batches(n, settings["batch_size"], settings["steps_per_epoch"])


def _parts(n: int, batch_size: int, *, merge_single: bool) -> list[slice]:
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be at least 1")
    starts = list(range(0, n, batch_size))
    if merge_single and len(starts) > 1 and batch_size > 1 and n % batch_size == 1:
        starts.pop()
    stops = [*starts[1:], n]
    return [slice(start, stop) for start, stop in zip(starts, stops, strict=False)]
