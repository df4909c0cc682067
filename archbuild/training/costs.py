"""The costs of a stage, measured on a few steps, a part of the rows and one checkpoint.

Nothing of it is kept: the trainer that is measured is thrown away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import cycle
from math import ceil, prod
from statistics import median
from time import perf_counter
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np

from archbuild.data.spill import joined
from archbuild.evaluation.collapse import occupancy
from archbuild.heads.base import Head
from archbuild.networks.rows import ROWS_AT_ONCE
from archbuild.runs.stage import StageFolder
from archbuild.training.encoding import encode, encode_views
from archbuild.training.feed import Feed, generator
from archbuild.training.head_stage import HeadTrainer
from archbuild.training.stage import StageTrainer
from archbuild.training.steps import together

_Result = TypeVar("_Result")

_CALLS: Final = 5
_SECONDS_OF_A_CALL: Final = 0.5
_ENCODED: Final = 4 * ROWS_AT_ONCE


@dataclass(frozen=True)
class Costs:
    """Seconds and bytes of the parts of a stage.

    Attributes:
        startup: seconds of the first calls, in which graphs are traced and compiled.
        step: seconds of a step of training.
        encoding: seconds of encoding all rows once.
        refresh: seconds of what the head computes from the codes of all rows, the encoding of
            their augmented views included.
        measuring: seconds of the assignment of all rows.
        saving: seconds of a checkpoint.
        checkpoint_bytes: size of a checkpoint.
        weight_bytes: size of the variables of network and head.
        optimizer_bytes: size of the optimiser's variables.
        gradient_bytes: size of the gradients.
        call_bytes: size of the rows of one call, as they are handed over.
        row_bytes: size of what is held of all rows: codes, targets, assignments.
    """

    startup: float
    step: float
    encoding: float
    refresh: float
    measuring: float
    saving: float
    checkpoint_bytes: int
    weight_bytes: int
    optimizer_bytes: int
    gradient_bytes: int
    call_bytes: int
    row_bytes: int


class Passes(NamedTuple):
    """Numbers of passes of a stage over all rows, outside its steps."""

    encodings: float
    refreshes: int
    measurements: int


def passes_left(trainer: StageTrainer, head: Head | None, done: int) -> Passes:
    """Return the passes of a stage of which ``done`` epochs are complete."""
    if head is None or not isinstance(trainer, HeadTrainer):
        return Passes(1, 0, 0)
    validated = len(trainer.validation.rows) if trainer.validation else 0
    looks = (trainer.epochs - done) * validated / len(trainer.feed)
    if not head.watches_rows:
        return Passes(1 + looks, 0, 0)
    followed = max(0, trainer.epochs - max(done, trainer.begins))
    between = trainer.settings["epochs"] if head.rounds else head.refresh_epochs
    measured = followed + 1 if head.answers != "nothing" else 0
    return Passes(followed + 1 + looks, ceil(followed / max(1, between)), measured)


def costs_of(trainer: StageTrainer, head: Head | None, folder: StageFolder) -> Costs:
    """Measure the costs of a stage.

    Args:
        trainer: new; its network is changed.
        head: the trainer's; ``None`` of a stage without one.
        folder: takes a checkpoint; it is not the stage's own.
    """
    rows = np.arange(min(len(trainer.feed), _sample_size(trainer, head)))
    startup = _seconds(lambda: encode(trainer.read, trainer.feed, rows[:1]))[1]
    codes, encoding = _seconds(lambda: encode(trainer.read, trainer.feed, rows))
    share = _blocks(len(trainer.feed)) / _blocks(len(rows))
    look = _Look(0.0, 0.0, 0)
    if head is not None and head.watches_rows:
        look = _look(trainer, head, codes, share)
    first, step = _steps(trainer)
    saving, saved = _checkpoint(trainer, folder)
    memory = head.memory.values() if head is not None else ()
    grown = sum(each.nbytes for each in memory if each.ndim and len(each) == len(rows))
    return Costs(
        startup=startup + first,
        step=step,
        encoding=encoding * share,
        refresh=look.refresh,
        measuring=look.measuring,
        saving=saving,
        checkpoint_bytes=saved + int(grown * (len(trainer.feed) / len(rows) - 1)),
        call_bytes=_call_bytes(trainer),
        row_bytes=int(codes.nbytes * len(trainer.feed) / len(rows)) + look.row_bytes,
        **_sizes(trainer, head),
    )


class _Look(NamedTuple):
    """The seconds of a head's look at all rows, and its bytes besides the codes."""

    refresh: float
    measuring: float
    row_bytes: int


def _look(trainer: StageTrainer, head: Head, codes: np.ndarray, share: float) -> _Look:
    """Initialise the head from some codes, set targets for all rows, and time both passes."""
    n_rows = len(trainer.feed)
    head.initialise(codes)
    views = _views(trainer, head, len(codes))
    seen = np.stack([codes] * (1 + head.views)) if head.views else codes
    head.refresh(seen)  # the first call traces
    targets, refresh = _seconds(lambda: head.refresh(seen))
    trainer.targets = {name: _repeated(rows, n_rows) for name, rows in targets.items()}
    held = sum(rows.nbytes for rows in trainer.targets.values())
    held += int(head.views * codes.nbytes * n_rows / len(codes))
    refresh = (refresh + views) * share
    if head.answers == "nothing":
        return _Look(refresh, 0.0, held)

    def measure() -> np.ndarray:
        assignments = head.assignments(codes)
        occupancy(np.argmax(assignments, axis=-1), head.n_clusters, None, codes)
        return assignments

    measure()
    assignments, measuring = _seconds(measure)
    held += int(assignments.nbytes * n_rows / len(codes))
    return _Look(refresh, measuring * share, held)


def _views(trainer: StageTrainer, head: Head, n_rows: int) -> float:
    """Return the seconds that the augmented views of the first rows take."""
    if not head.views:
        return 0.0

    def encode_all(feed: Feed, n_views: int) -> None:
        views = encode_views(
            trainer.read,
            feed,
            trainer.model.augmentation,
            n_views,
            seed=trainer.seed,
            purpose="costs",
            epoch=0,
        )
        for _ in views:
            pass

    encode_all(_first_rows(trainer.feed, 1), 1)
    some = _first_rows(trainer.feed, n_rows)
    return _seconds(lambda: encode_all(some, head.views))[1]


def _first_rows(feed: Feed, count: int) -> Feed:
    dataset = replace(feed.dataset, values=feed.dataset.values[:count], labels=None, ids=None)
    return replace(feed, dataset=dataset)


def _repeated(rows: np.ndarray, count: int) -> np.ndarray:
    """Return as many rows, the same ones again and again; in a temporary file if they are many."""
    starts = range(0, count, len(rows))
    parts = (rows[: count - start] for start in starts)
    return joined(parts, count, f"the targets of {count:,} rows")


def _steps(trainer: StageTrainer) -> tuple[float, float]:
    """Return the seconds of the first calls, one for each size of batch, and those of a step."""
    rng = generator(trainer.seed, "costs", 0)

    def take(batches: list[np.ndarray]) -> float:
        return _seconds(lambda: trainer.take(batches, 0, 0, rng))[1]

    batches = list(trainer.batches(0))
    whole = [batch for batch in batches if len(batch) == len(batches[0])]
    begun = take(whole[:1])
    if len(whole) < len(batches):
        begun += take(batches[-1:])
    groups = cycle(together(whole, trainer.feed.row_bytes))
    at_once = max(1, int(_SECONDS_OF_A_CALL / take(whole[:1])))
    each = []
    for _ in range(_CALLS):
        group = next(groups)[:at_once]
        each.append(take(group) / len(group))
    return begun, median(each)


def _checkpoint(trainer: StageTrainer, folder: StageFolder) -> tuple[float, int]:
    """Return the seconds and the size of a checkpoint."""
    folder.begin({})
    _, seconds = _seconds(lambda: folder.save_checkpoint(1, trainer.state(), []))
    return seconds, sum(path.stat().st_size for path in folder.path.iterdir())


def _call_bytes(trainer: StageTrainer) -> int:
    """Return the size of the rows of one call: what is read, and copies of input and target."""
    group = next(together(trainer.batches(0), trainer.feed.row_bytes))
    return 3 * trainer.feed.row_bytes * sum(map(len, group))


def _sizes(trainer: StageTrainer, head: Head | None) -> dict[str, int]:
    own = list(head.variables) if head is not None else []
    return {
        "weight_bytes": n_bytes([*trainer.network.variables, *own]),
        "optimizer_bytes": n_bytes(trainer.model.optimizer.variables),
        "gradient_bytes": n_bytes(trainer.model.trainable_variables),
    }


def n_bytes(variables: Any) -> int:
    """Return the size of Keras variables."""
    size: int = sum(prod(each.shape) * np.dtype(each.dtype).itemsize for each in variables)
    return size


def _sample_size(trainer: StageTrainer, head: Head | None) -> int:
    """Return how many rows stand for all: enough for a batch, and for a head's clusters."""
    clusters = head.n_clusters if head is not None else 0
    return max(_ENCODED, int(trainer.settings["batch_size"]), 4 * clusters)


def _blocks(n_rows: int) -> int:
    return ceil(n_rows / ROWS_AT_ONCE)  # the last one is filled up


def _seconds(call: Callable[[], _Result]) -> tuple[_Result, float]:
    begun = perf_counter()
    result = call()
    return result, perf_counter() - begun
