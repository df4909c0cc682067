from __future__ import annotations

import numpy as np

from archbuild.figures.style import new_figure, styled
from archbuild.figures.tables import draw_strip, name_features, standardised


def test_values_are_measured_by_the_reference(rng):
    reference = rng.normal(size=(50, 3)) * [1, 5, 0.1] + 7
    scores = standardised(reference, reference)
    np.testing.assert_allclose(scores.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(scores.std(axis=0), 1)
    other = standardised(reference + reference.std(axis=0), reference)
    np.testing.assert_allclose(other, scores + 1)


def test_a_feature_that_does_not_vary_keeps_its_unit():
    assert standardised(np.array([[9.0]]), np.array([[7.0], [7.0]])).tolist() == [[2.0]]


def test_a_strip_shows_every_value_on_one_scale(rng):
    scores = rng.normal(size=(4, 6))
    with styled():
        image = draw_strip(new_figure("x").subplots(), scores)
    assert np.array_equal(np.asarray(image.get_array()), scores)
    assert image.get_clim() == (-3, 3)


def test_names_stand_below_while_there_is_room(words):
    with styled():
        figure = new_figure("x")
        few, many = figure.subplots(2)
        name_features(few, 2, ["length", "$width"])
        name_features(many, 100, [f"name {i}" for i in range(100)])
        found = words(figure)
    assert {"length", r"\$width", "feature"} <= set(found)
    assert "name 3" not in found
