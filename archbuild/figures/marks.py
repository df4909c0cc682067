"""Short texts on a map, each near what it names and none over another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def place_marks(
    anchors: NDArray[Any],
    texts: Sequence[str],
    bounds: tuple[NDArray[Any], NDArray[Any]],
    room: tuple[float, float],
    letters: float,
) -> NDArray[np.float64]:
    """Return centres (k, 2) for ``texts``, near their ``anchors`` (k, 2).

    Args:
        anchors: what the texts name, in the units of the map.
        texts: equally large marks; as large as the longest.
        bounds: lowest and highest corner of the map, (2,) each.
        room: how many pixels wide and high it is drawn.
        letters: the texts' size in points.
    """
    low, high = bounds
    extent = np.where(high > low, high - low, 1)
    # A mark is about this large, in parts of the axes: letters of 0.9 em by lines of 2.2 em.
    mark = np.array([0.9 * letters * max(map(len, texts)) + 8, 2.2 * letters]) / room
    places = _apart((anchors - low) / extent / mark, 1 / mark)
    centres: NDArray[np.float64] = places * mark * extent + low
    return centres


def _apart(places: NDArray[Any], edge: NDArray[Any], rounds: int = 300) -> NDArray[np.float64]:
    """Push unit squares with centres ``places`` (k, 2) from each other until none overlap.

    They stay between zero and ``edge`` (2,); where they do not all fit, some overlap remains.
    """
    places = places + 1e-6 * np.random.default_rng(0).standard_normal(places.shape)
    for _ in range(rounds):
        away = places[:, None] - places[None]
        distance = np.abs(away).max(axis=-1) + 2 * np.eye(len(places))
        push = np.clip(1 - distance, 0, None) / distance
        if not push.any():
            break
        step = 0.5 * (away * push[..., None]).sum(axis=1)
        # Squares in one spot differ by a millionth: bounded steps keep them from flying apart.
        places = np.clip(places + np.clip(step, -0.5, 0.5), 0, edge)
    return places
