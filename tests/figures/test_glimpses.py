"""The picture of glimpses: where they lie, and what a classifier reads in them."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.figures.glimpses import corners, draw_glimpses, glimpses_figure
from archbuild.figures.style import colour, styled
from archbuild.layers.affine import IDENTITY

HALF = [0.5, 0, 0.5, 0, 0.5, -0.5]  # the upper right quarter


def test_corners_are_those_of_the_part_of_the_image_that_is_seen():
    found = corners([[IDENTITY, HALF]], (5, 9))
    np.testing.assert_allclose(found[0, 0], [(0, 0), (8, 0), (8, 4), (0, 4)])
    np.testing.assert_allclose(found[0, 1], [(4, 0), (8, 0), (8, 2), (4, 2)])


def test_every_step_has_its_colour_in_the_image_and_around_its_glimpse(rng):
    images, glimpses = rng.random((3, 5, 9, 1)), rng.random((3, 2, 4, 4, 1))
    maps = np.tile([IDENTITY, HALF], (3, 1, 1))
    with styled():
        figure = glimpses_figure(images, maps, glimpses, "title", ["1 2", "", "3 4, is 3 5"])
    assert len(figure.axes) == 3 * 3
    image, first = figure.axes[0], figure.axes[3]
    assert [line.get_color() for line in image.lines] == [colour(0)] * 2 + [colour(1)] * 2
    assert first.spines["top"].get_edgecolor()[:3] == pytest.approx(
        tuple(int(colour(0)[k : k + 2], 16) / 255 for k in (1, 3, 5))
    )
    assert figure.axes[2].get_xlabel() == "3 4, is 3 5"


def test_it_is_written(rng, tmp_path):
    path = tmp_path / "glimpses.png"
    maps = np.tile([IDENTITY], (2, 1, 1))
    assert draw_glimpses(rng.random((2, 5, 9, 3)), maps, rng.random((2, 1, 3, 3, 3)), "a", path)
    assert path.stat().st_size > 1000


def test_what_does_not_belong_together_is_refused(rng):
    with pytest.raises(ValueError, match="maps and glimpses of each image"):
        glimpses_figure(rng.random((2, 5, 5, 1)), [[IDENTITY]], rng.random((1, 1, 2, 2, 1)), "a")
