"""Encode a whole dataset, always with inference statistics and in chunks of one fixed size.

Rows as they are, or augmented views of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter

import numpy as np

from archbuild.data.batches import ordered_batches
from archbuild.data.spill import joined
from archbuild.networks.rows import ROWS_AT_ONCE, by_rows
from archbuild.training.augmentation import Augmentation
from archbuild.training.devices import current
from archbuild.training.feed import Feed, augmentation_seed
from archbuild.training.progress import LOGGER

Reader = Callable[[np.ndarray], np.ndarray]
"""From a batch to what is wanted of each row: ``Network.predict_latents``, ``Network.reader``."""
Change = Callable[[np.ndarray, np.ndarray | None], np.ndarray]
"""From rows, and what of them is present, to the changed rows."""


def encode(read: Reader, feed: Feed, chosen: np.ndarray | None = None) -> np.ndarray:
    """Apply ``read`` to all rows, or to those ``chosen`` by index; ``(n, ...)`` float32.

    A result that is large is a memory map of a temporary file (``data/spill.py``).
    """
    count, begun = len(feed) if chosen is None else len(chosen), perf_counter()

    def read_block(block: slice) -> np.ndarray:
        return by_rows(read, feed.clean(block if chosen is None else chosen[block]))

    codes = joined(_by_processes(read_block, count), count, _what(count))
    LOGGER.info("encoded %s rows in %.2f s", f"{count:,}", perf_counter() - begun)
    return codes


def _by_processes(read: Callable[[slice], np.ndarray], count: int) -> Iterator[np.ndarray]:
    """Yield the results of all blocks of rows in their order, each read by one of the processes."""
    blocks = [slice(at, min(at + ROWS_AT_ONCE, count)) for at in range(0, count, ROWS_AT_ONCE)]
    devices = current()
    if devices is None or not devices.several_hosts:
        yield from map(read, blocks)
        return
    for first in range(0, len(blocks), devices.processes):
        turn = blocks[first : first + devices.processes]
        mine = read(turn[min(devices.process, len(turn) - 1)])
        whole = np.zeros((ROWS_AT_ONCE, *mine.shape[1:]), mine.dtype)
        whole[: len(mine)] = mine
        for block, rows in zip(turn, devices.gathered(whole), strict=False):
            yield rows[: block.stop - block.start]


def encode_views(
    read: Reader,
    feed: Feed,
    augmentation: Augmentation | None,
    n_views: int,
    *,
    seed: int,
    purpose: str,
    epoch: int,
) -> Iterator[np.ndarray]:
    """Yield ``read`` of all rows, ``(n, ...)`` float32, once for each augmented view of them.

    What a view changes depends on seed, purpose, epoch and the view's number alone, and the draws
    of training stay where they are. Each chunk of rows is changed as a batch of training is.

    Args:
        read: as of ``encode``.
        feed: the rows.
        augmentation: ``StageModel.augmentation``; ``None``: each view is the rows as they are.
        n_views: how many.
        seed: of the run.
        purpose: what the views are for, such as ``self-training cluster-NAME``.
        epoch: from 0.
    """
    for view in range(n_views):
        if augmentation is None:
            yield encode(read, feed)
            continue
        drawn = augmentation_seed(seed, f"view {view} {purpose}", epoch)
        yield _encode_changed(read, feed, augmentation.drawn(drawn))


def _encode_changed(read: Reader, feed: Feed, change: Change) -> np.ndarray:
    def parts() -> Iterator[np.ndarray]:
        for indices in ordered_batches(len(feed), ROWS_AT_ONCE):
            changed = change(feed.unbinarised(indices), feed.present(indices))
            yield by_rows(read, changed)

    return joined(parts(), len(feed), _what(len(feed)))


def _what(n_rows: int) -> str:
    return f"the codes of {n_rows:,} rows"
