from __future__ import annotations

import numpy as np
import pytest

from archbuild.figures.marks import place_marks

ROOM, LETTERS = (400, 200), 10
BOUNDS = np.array([2.0, -1.0]), np.array([6.0, 1.0])


def placed(anchors, texts):
    """Where marks come to lie, in pixels."""
    places = place_marks(np.asarray(anchors, float), texts, BOUNDS, ROOM, LETTERS)
    return (places - BOUNDS[0]) / (BOUNDS[1] - BOUNDS[0]) * ROOM


def size(texts):
    return np.array([0.9 * LETTERS * max(map(len, texts)) + 8, 2.2 * LETTERS])


@pytest.mark.parametrize("spread", [0.0, 0.2])
def test_marks_do_not_overlap_and_stay_on_the_map(rng, spread):
    texts = [str(number) for number in range(12)]
    places = placed(4 + spread * rng.random((12, 2)) * [1, 0.5] - [0, 4], texts)
    apart = np.abs(places[:, None] - places[None]) / size(texts)
    assert (apart.max(axis=-1) + 9 * np.eye(12)).min() > 0.98
    assert (places >= 0).all()
    assert (places <= ROOM).all()


def test_marks_with_room_stay_on_what_they_name():
    anchors = np.array([[2.5, -0.5], [5.5, 0.5]])
    expected = (anchors - BOUNDS[0]) / (BOUNDS[1] - BOUNDS[0]) * ROOM
    np.testing.assert_allclose(placed(anchors, ["0", "1"]), expected, atol=0.01)


def test_a_map_without_extent_has_places_all_the_same():
    spot = np.array([3.0, 3.0])
    places = place_marks(np.array([spot, spot]), ["0", "1"], (spot, spot), ROOM, LETTERS)
    assert np.isfinite(places).all()
    assert not np.allclose(places[0], places[1])
