"""Several steps of training in one call of the backend.

Between two steps Python does nothing: what a schedule moves is handed over with the batches. On
TensorFlow a loop inside the graph goes from step to step, and this is the one place of training
that names TensorFlow; the other backends are called once a step. Several devices of JAX have steps
of their own (``spread_steps.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from archbuild.training.devices import current
from archbuild.training.model import StageModel, Step
from archbuild.training.spread_steps import SpreadSteps

Losses = dict[str, np.ndarray]
"""The terms of the loss by name, ``(steps,)`` each."""

_MOST_AT_ONCE = 32  # more save little, and the bar of progress moves between calls
_BYTES_AT_ONCE = 16 * 2**20  # of rows, which are copied for a call


class Steps:
    """The training steps of a model.

    Args:
        model: compiled, with an optimiser that is built.
        scheduled: Keras variables that are set before every step.
    """

    def __init__(self, model: StageModel, scheduled: Sequence[Any]) -> None:
        self._model, self._scheduled = model, list(scheduled)
        self._loops: dict[tuple[Any, ...], Callable[[Step], Any]] = {}
        self._compiled_size: int | None = None
        devices = current()
        self._spread = None if devices is None else SpreadSteps(model, scheduled, devices)

    def __call__(self, steps: Sequence[Step], size: int) -> Losses:
        """Take the steps one after the other.

        Args:
            steps: their input; where several processes train, the part of this one.
            size: of each batch, which all have.
        """
        if self._spread is not None:
            losses = self._spread(steps, size)
        elif keras.backend.backend() == "tensorflow":
            losses = self._in_graph(steps)
        else:
            losses = np.array([self._by_itself(step) for step in steps])
        return dict(zip(self._model.term_names, losses.T, strict=True))

    def _by_itself(self, step: Step) -> list[float]:
        for variable, value in zip(self._scheduled, step.values, strict=True):
            variable.assign(value)
        losses = self._model.train_on_batch(step.inputs, step.targets, return_dict=True)
        return [float(losses[name]) for name in self._model.term_names]

    def _in_graph(self, steps: Sequence[Step]) -> np.ndarray:
        stacked = keras.tree.map_structure(lambda *rows: np.stack(rows), *steps)
        compiled = self._model.jit_compile and self._has_compiled_size(stacked)
        kind = (compiled, *stacked.targets)  # messages of other modules come and go
        if kind not in self._loops:
            self._loops[kind] = _loop(self._model, self._scheduled, stacked, compiled)
        losses: np.ndarray = self._loops[kind](stacked).numpy()
        return losses

    def _has_compiled_size(self, stacked: Step) -> bool:
        """Return whether it is the size of the first: an epoch's last batch is not compiled."""
        size: int = keras.tree.flatten(stacked.inputs)[0].shape[1]
        self._compiled_size = self._compiled_size or size
        return size == self._compiled_size


def _loop(
    model: StageModel, scheduled: Sequence[Any], example: Step, compiled: bool
) -> Callable[[Step], Any]:
    """Return a function of stacked steps, ``(steps, batch, ...)``, to losses ``(steps, terms)``.

    It is traced once, for any number of steps and any size of batch.
    """
    import tensorflow as tf

    def take(step: Step) -> Any:
        for index, variable in enumerate(scheduled):
            variable.assign(step.values[index])
        model.reset_metrics()
        logs = model.train_step((step.inputs, step.targets))
        return tf.stack([logs[name] for name in model.term_names])

    if compiled:
        take = tf.function(take, jit_compile=True, autograph=False)

    def of_any_size(rows: np.ndarray) -> Any:
        return tf.TensorSpec([None, None, *rows.shape[2:]], rows.dtype)

    signature = keras.tree.map_structure(of_any_size, example)

    def loop(steps: Step) -> Any:
        count = tf.shape(steps.values)[0]

        def body(index: Any, losses: Any) -> Any:
            step = keras.tree.map_structure(lambda rows: rows[index], steps)
            return index + 1, losses.write(index, take(step))

        first = (0, tf.TensorArray("float32", count))
        losses = tf.while_loop(lambda index, _: index < count, body, first, parallel_iterations=1)
        return losses[1].stack()

    traced: Callable[[Step], Any] = tf.function(loop, input_signature=[signature], autograph=False)
    return traced


def together(batches: Iterable[np.ndarray], row_bytes: int) -> Iterator[list[np.ndarray]]:
    """Yield the batches in groups that one call takes: of one size, and no more than fit.

    Args:
        batches: the row numbers of each step.
        row_bytes: the size of one row, as the network takes it.
    """
    group: list[np.ndarray] = []
    for batch in batches:
        most = max(1, min(_MOST_AT_ONCE, _BYTES_AT_ONCE // max(1, row_bytes * len(batch))))
        if group and (len(group) == most or len(batch) != len(group[0])):
            yield group
            group = []
        group.append(batch)
    if group:
        yield group
