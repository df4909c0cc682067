"""Bounds on the likelihood of rows, from any number of draws of each in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

import keras
import numpy as np

from archbuild.heads.base import Head
from archbuild.networks.network import Network
from archbuild.networks.rows import to_numpy
from archbuild.training.feed import Feed, generator

ACTIVE: Final = 0.01
"""Nats of divergence from the prior, in the mean over the rows, above which a unit is active."""
MOST_ROWS: Final = 10_000
_DRAWS_AT_ONCE: Final = 64
_AT_ONCE: Final = 2048  # draws of all rows that are decoded together


@dataclass(frozen=True)
class Bound:
    """Bounds on ``log p(x)`` in nats, means over rows.

    Attributes:
        elbo: the evidence lower bound, ``L_1``.
        nats: the importance-weighted bound, ``L_S``.
        samples: ``S``.
        rows: how many there were.
        divergences: ``E_q [log q - log p]`` of every unit of each level of a hierarchy, bottom
            first, ``(units,)`` each.
    """

    elbo: float
    nats: float
    samples: int
    rows: int
    divergences: tuple[np.ndarray, ...]

    def scores(self) -> dict[str, float | int]:
        """Return the columns of the table of metrics, those of levels counted from 1 below."""
        found: dict[str, float | int] = {
            "elbo": self.elbo,
            "nats": self.nats,
            "draws": self.samples,
            "rows": self.rows,
        }
        for number, units in enumerate(self.divergences, start=1):
            found[f"kl_{number}"] = float(units.sum())
            found[f"active_{number}"] = int(np.sum(units > ACTIVE))
        return found


def bound_of(network: Network, head: Head, feed: Feed, samples: int, seed: int) -> Bound:
    """Bound the likelihood of rows, of at most 10,000 that the seed chooses.

    Draws are weighed block by block: neither their number nor that of the rows decides how much
    memory it takes. The head's noise is afterwards what it was before, so the result depends on the
    arguments alone.

    Args:
        network: trained.
        head: trained, with ``evidence``.
        feed: the rows.
        samples: ``S``, the draws of each row.
        seed: chooses the rows.
    """
    states = [to_numpy(variable) for variable in head.variables]
    rows = np.arange(len(feed))
    if len(rows) > MOST_ROWS:
        rows = np.sort(generator(seed, "bound", 0).choice(rows, MOST_ROWS, replace=False))
    blocks = ceil(samples / _DRAWS_AT_ONCE)
    reader = _Reader(network, head, ceil(samples / blocks))
    step = max(_AT_ONCE // reader.draws, 1)
    chunks = [rows[start : start + step] for start in range(0, len(rows), step)]
    found = [_of_rows(reader, feed, chunk, step, samples) for chunk in chunks]
    for variable, state in zip(head.variables, states, strict=True):
        variable.assign(state)
    elbo, nats = (float(np.concatenate(each).mean()) for each in list(zip(*found, strict=True))[:2])
    levels = zip(*(each[2] for each in found), strict=True)
    units = tuple(np.sum(each, axis=0) / len(rows) for each in levels)
    return Bound(elbo, nats, samples, len(rows), units)


class _Reader(keras.Model):
    """The head's evidence as a Keras model, so that every backend compiles it."""

    def __init__(self, network: Network, head: Head, draws: int) -> None:
        super().__init__(name="evidence")
        self.network, self.draws = network, draws
        self.head_variables = list(head.variables)
        self._head = head

    def call(self, inputs: Any) -> Any:
        """Return the log-weights and the divergences of rows; the second input is ``present``."""
        rows, present = inputs if isinstance(inputs, list | tuple) else (inputs, None)
        found = self._head.evidence(self.network, rows, self.draws, present)
        return [found.log_weights, *found.divergences]

    def read(self, rows: np.ndarray, present: np.ndarray | None) -> Sequence[np.ndarray]:
        """Evaluate ``call`` for one block of draws."""
        given = rows if present is None else [rows, present]
        return list(self.predict_on_batch(given))


def _of_rows(
    reader: _Reader, feed: Feed, chunk: np.ndarray, size: int, samples: int
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Return ``L_1`` and ``L_S`` of each row, and the sums over the rows of each unit's divergence.

    Rows are filled up to ``size``, so that one graph is compiled.
    """
    rows, present = _filled(feed.clean(chunk), size), feed.present(chunk)
    present = None if present is None else _filled(present, size)
    summed, log_total = np.zeros(len(chunk)), np.full(len(chunk), -np.inf)
    units: list[Any] = []
    blocks = range(0, samples, reader.draws)
    for start in blocks:
        log_weights, *divergences = reader.read(rows, present)
        kept = log_weights[: samples - start, : len(chunk)].astype("float64")
        summed += kept.sum(axis=0)
        log_total = np.logaddexp(log_total, np.logaddexp.reduce(kept, axis=0))
        sums = [each[: len(chunk)].sum(axis=0, dtype="float64") for each in divergences]
        units = [one + other for one, other in zip(units or [0.0] * len(sums), sums, strict=True)]
    means = [each / len(blocks) for each in units]
    return summed / samples, log_total - np.log(samples), means


def _filled(rows: np.ndarray, size: int) -> np.ndarray:
    found = np.zeros((size, *rows.shape[1:]), rows.dtype)
    found[: len(rows)] = rows
    return found
