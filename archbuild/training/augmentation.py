"""The spec's ``augment``: rows changed at random inside the graph of a training step.

On every backend, and with draws of a seed generator whose state is part of a checkpoint, so that a
resumed run goes through the same changes. ``StageModel`` applies it to what it trains on, and
``encode_views`` (``encoding.py``) to whole datasets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from functools import cached_property
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from archbuild.heads.batch import Target
from archbuild.layers.sampling import sample, sample_series
from archbuild.layers.shapes import channels_last
from archbuild.spec import Plan
from archbuild.spec.augment import IMAGE_CHANGES
from archbuild.spec.top import SAMPLE
from archbuild.training.changes import (
    AFFINE_DRAWS,
    affine_maps,
    outside_span,
    speed_curves,
    warped_places,
)

_HARDLY = 1e-3  # a moved gap counts where at least so much of it is in a value


class Changed(NamedTuple):
    """A batch as the network is given it.

    Attributes:
        inputs: ``(batch, ...)``.
        target: what the decoder is to give back, where that is not the rows as they were.
    """

    inputs: Any
    target: Target | None


class Augmentation:
    """Random changes to batches of rows, as a spec's ``augment`` says; each call draws anew.

    First values go elsewhere: an image is resampled once under one affine map, a series along a
    warped time. Then they become others: factors, noise, and what is masked. Last, under
    ``binarise: sample``, they are drawn as 0 or 1.

    The decoder is to give back the rows as they were, so that latents need not say where and how
    large something is. A decoder that reads switches is told: they are the places of the maxima
    (``MaxPool2D*``), or the map (``SpatialTransformer``), of the changed row. There the target is
    the row where it went, still without factors, noise and masks.

    Args:
        changes: the fields that change something (``Spec.augmentation``); not empty.
        plan: of the network: its shape of rows, and whether its decoder reads switches.
        seed: of the draws.

    Attributes:
        noise: the seed generator of all draws.
    """

    def __init__(self, changes: Mapping[str, Any], plan: Plan, seed: int) -> None:
        self.noise = keras.random.SeedGenerator(seed)
        self._amounts = dict(changes)
        self._shape = channels_last(plan.input_shape)
        self._moves = _moves(changes, self._shape)
        self._moves_target = self._moves and bool(plan.undone)
        self._binarises = plan.spec.binarise == SAMPLE
        self._curves = None
        if self._moves and "time_warp" in changes:
            self._curves = changes["time_warp"] * speed_curves(self._shape[0])

    @classmethod
    def of(cls, changes: Mapping[str, Any] | None, plan: Plan, seed: int) -> Augmentation | None:
        """Return the augmentation of ``Spec.augmentation``; ``None`` where nothing is changed."""
        return cls(changes, plan, seed) if changes else None

    def drawn(self, seed: int) -> Callable[[np.ndarray, np.ndarray | None], np.ndarray]:
        """Return the same changes, compiled, with draws of their own that begin at ``seed``.

        The function goes from rows, and what of them is present, to the changed rows. It draws
        until this method is called again.
        """
        self._apart.begin(seed)
        return self._apart.changed

    @cached_property
    def _apart(self) -> _Apart:
        return _Apart(self)

    @property
    def variables(self) -> list[Any]:
        """The state of the draws: what a checkpoint holds."""
        return [self.noise.state]

    def __call__(self, rows: Any, present: Any = None) -> Changed:
        """Change ``(batch, *input_shape)`` rows.

        Args:
            rows: channels last, as the network takes them; under ``binarise: sample`` the
                probabilities.
            present: 1 where rows have a value and 0 in their gaps, which stay 0; ``None`` where
                rows have no gaps.
        """
        rows = ops.convert_to_tensor(rows)
        moved, there = self._moved(rows, present)
        inputs = self._disturbed(moved)
        target = moved
        if self._binarises:
            thresholds = self._uniform(ops.shape(rows))
            # of one draw, as without augmentation
            inputs, target = (ops.cast(thresholds < of, rows.dtype) for of in (inputs, target))
        if there is not None:
            inputs = inputs * there
        return Changed(inputs, Target(target, there) if self._moves_target else None)

    def _moved(self, rows: Any, present: Any) -> tuple[Any, Any]:
        """Return the rows where they went, and what is there of them."""
        if not self._moves or present is None:
            return (self._resampled(rows) if self._moves else rows), present
        channels = rows.shape[-1]
        both = self._resampled(ops.concatenate([rows, 1.0 - present], axis=-1))
        there = ops.cast(both[..., channels:] < _HARDLY, rows.dtype)
        return both[..., :channels] * there, there

    def _resampled(self, rows: Any) -> Any:
        batch = ops.shape(rows)[0]
        if self._curves is not None:
            numbers = self._normal((batch, len(self._curves)))
            return sample_series(rows, warped_places(ops.matmul(numbers, self._curves)))
        sides = self._shape[:2]
        draws = self._uniform((batch, len(AFFINE_DRAWS)), -1.0)
        return sample(rows, affine_maps(draws, self._amounts, sides), sides)

    def _disturbed(self, rows: Any) -> Any:
        """Return the rows with factors, noise and masks."""
        amounts, shape = self._amounts, ops.shape(rows)
        if spread := amounts.get("magnitude"):
            each = (shape[0], *[1] * (len(self._shape) - 1), self._shape[-1])
            rows = rows * ops.maximum(1.0 + spread * self._normal(each), 0.0)
        if spread := amounts.get("noise") or amounts.get("jitter"):
            rows = rows + spread * self._normal(shape)
        if share := amounts.get("mask"):
            rows = rows * self._kept(share, shape)
        return rows

    def _kept(self, share: float, shape: Any) -> Any:
        if len(self._shape) == 1:
            return ops.cast(self._uniform(shape) >= share, "float32")
        starts = self._uniform((shape[0], 1))
        return outside_span(starts, self._shape[0], share)[..., None]

    def _uniform(self, shape: Any, least: float = 0.0) -> Any:
        return keras.random.uniform(shape, least, 1.0, seed=self.noise)

    def _normal(self, shape: Any) -> Any:
        return keras.random.normal(shape, seed=self.noise)


class _Apart(keras.Model):
    """The changes of an augmentation, as a model of their own with draws of their own."""

    def __init__(self, augmentation: Augmentation) -> None:
        super().__init__(name="augmentation")
        self.noise = keras.random.SeedGenerator(0)
        self._change = copy(augmentation)
        self._change.noise = self.noise

    def begin(self, seed: int) -> None:
        """Let the next draw be the first one of a seed."""
        self.noise.state.assign(keras.random.SeedGenerator(seed).state)

    def changed(self, rows: np.ndarray, present: np.ndarray | None) -> np.ndarray:
        """Return changed rows, ``(batch, *input_shape)``."""
        given = {"rows": rows} if present is None else {"rows": rows, "present": present}
        return np.asarray(self.predict_on_batch(given))

    def call(self, given: Mapping[str, Any]) -> Any:
        """Change a batch."""
        return self._change(given["rows"], given.get("present")).inputs


def _moves(changes: Mapping[str, Any], shape: tuple[int, ...]) -> bool:
    """Return whether values go elsewhere: a series of one step has no time to warp."""
    warps = "time_warp" in changes and shape[0] > 1
    return warps or any(name in changes for name in IMAGE_CHANGES)
