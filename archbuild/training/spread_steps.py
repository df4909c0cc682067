"""The steps of training on several devices, on JAX.

Keras' own step (``Model.train_step``) is a pure function there. Compiled for arrays that lie on all
devices, it sums over them what it computes of the whole batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from archbuild.training.devices import Devices
from archbuild.training.model import StageModel, Step


class SpreadSteps:
    """Takes the steps of a model on all devices.

    Args:
        model: compiled, with an optimiser that is built.
        scheduled: Keras variables that are set before every step.
        devices: where the steps are computed.
    """

    def __init__(self, model: StageModel, scheduled: Sequence[Any], devices: Devices) -> None:
        import jax

        self._model, self._devices = model, devices
        self._step = jax.jit(model.train_step)
        self._scheduled = list(scheduled)

    def __call__(self, steps: Sequence[Step], size: int) -> np.ndarray:
        """Return the terms of the loss, ``(steps, terms)``.

        Args:
            steps: with this process's part of their rows.
            size: of each batch as a whole.
        """
        groups = self._groups()
        state = [[self._devices.on_all(each.value) for each in group] for group in groups]
        first_metrics = state[-1]
        places = [_place(groups, variable) for variable in self._scheduled]
        found = []
        for step in steps:
            for (group, index), value in zip(places, step.values, strict=True):
                state[group][index] = self._devices.on_all(value)
            state[-1] = first_metrics
            logs, new = self._step(tuple(state), self._rows(step, size))
            state = [list(group) for group in new]
            found.append([logs[name] for name in self._model.term_names])
        self._keep(groups, state)
        return np.array([[float(term) for term in terms] for terms in found])

    def _groups(self) -> list[list[Any]]:
        """Return the variables in the order in which Keras' step takes their values.

        The means of the terms, last, are reset: each step is measured for itself.
        """
        model = self._model
        model.reset_metrics()
        return [
            list(model.trainable_variables),
            list(model.non_trainable_variables),
            list(model.optimizer.variables),
            list(model.metrics_variables),
        ]

    def _rows(self, step: Step, size: int) -> tuple[Any, Any]:
        def spread(rows: Any) -> Any:
            return self._devices.spread_rows(rows, size)

        inputs, targets = keras.tree.map_structure(spread, (step.inputs, step.targets))
        return inputs, targets

    def _keep(self, groups: Sequence[Sequence[Any]], state: Sequence[Sequence[Any]]) -> None:
        """Give the variables their values, on this process's first device."""
        for group, values in zip(groups, state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value.addressable_data(0))


def _place(groups: Sequence[Sequence[Any]], wanted: Any) -> tuple[int, int]:
    for number, group in enumerate(groups):
        for index, variable in enumerate(group):
            if variable is wanted:
                return number, index
    raise ValueError(f"the step does not take the variable {wanted.path}")
