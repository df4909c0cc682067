from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex

from archbuild.errors import DataError
from archbuild.figures.components import (
    components_figure,
    draw_components,
    outline,
    project_components,
)
from archbuild.figures.style import INK, PALETTE, colour, styled

NAMES = ["cat", "dog", "a class with a rather long name that costs $5"]
MEANS = np.array([[-4.0, 0.0], [4.0, 0.0], [0.0, 1.0]])
ROUND = np.tile(np.eye(2), (3, 1, 1))
EVEN = np.full(3, 1 / 3)


@pytest.fixture
def points(rng) -> np.ndarray:
    return rng.normal(size=(300, 2)) + MEANS[np.arange(300) % 3]


def _figure(points, *, labels=None, clusters=None, means=MEANS, covariances=ROUND, weights=EVEN):
    with styled():
        return components_figure(
            points, labels, NAMES, clusters, means, covariances, weights, "SPIRAL · gmvae", "a note"
        )


def _ellipses(figure) -> list:
    return figure.axes[0].patches


def _explanations(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def _note(figure) -> str:
    return figure._supxlabel.get_text()


def test_an_outline_is_two_standard_deviations_away(rng):
    root = rng.normal(size=(2, 2))
    mean, covariance = rng.normal(size=2), root @ root.T
    away = outline(mean, covariance) - mean
    squared = np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away)
    np.testing.assert_allclose(squared, 4, rtol=1e-9)
    np.testing.assert_allclose(away.mean(axis=0), 0, atol=1e-9)


@pytest.mark.parametrize("covariance", [np.zeros((2, 2)), [[1.0, 1.0], [1.0, 1.0]]])
def test_singular_covariances_give_a_point_or_a_line(covariance):
    away = outline(np.array([3.0, 3.0]), np.array(covariance)) - 3
    assert np.linalg.matrix_rank(away, tol=1e-6) == np.linalg.matrix_rank(np.array(covariance))


def test_every_component_is_a_numbered_ellipse_in_no_classes_colour(points):
    figure = _figure(points, labels=np.arange(300) % 3)
    for ellipse, mean in zip(_ellipses(figure), MEANS, strict=True):
        np.testing.assert_allclose(ellipse.get_xy()[:-1], outline(mean, np.eye(2)))
        assert to_hex(ellipse.get_edgecolor()) == INK
    assert INK not in PALETTE
    assert [text.get_text() for text in figure.axes[0].texts] == ["0", "1", "2"]
    places = [text.get_position() for text in figure.axes[0].texts]
    np.testing.assert_allclose(places, MEANS, atol=1e-5)


def test_points_are_coloured_by_class_else_by_cluster(points):
    classes, clusters = np.zeros(300, int), np.ones(300, int)
    by_class = _figure(points, labels=classes, clusters=clusters)
    by_cluster = _figure(points, clusters=clusters)
    for figure, number, heading in ((by_class, 0, "class"), (by_cluster, 1, "cluster")):
        shades = figure.axes[0].collections[0].get_facecolor()
        assert {to_hex(shade) for shade in shades} == {colour(number)}
        assert figure.legends[0].get_title().get_text() == heading
    assert not _figure(points).legends


def test_the_line_is_wider_where_the_weight_is_larger(points):
    widths = [e.get_linewidth() for e in _ellipses(_figure(points, weights=[0.1, 0.6, 0.3]))]
    assert widths[0] < widths[2] < widths[1]


def test_an_almost_empty_component_is_dashed_and_named(points):
    full, empty = _figure(points), _figure(points, weights=[0.5, 0.49, 0.01])
    assert len(_explanations(full)) == 1
    assert _explanations(empty)[1] == (
        "weighs less than a tenth of an even share: 1 of 3 components (2)"
    )
    dashed = [ellipse.get_linestyle() == "--" for ellipse in _ellipses(empty)]
    assert dashed == [False, False, True]
    assert to_hex(_ellipses(empty)[2].get_edgecolor()) != INK


def test_the_points_stay_in_the_middle_whatever_the_components_do(points):
    means = np.vstack([MEANS[:2], [[60.0, 0.0]], [[0.0, 0.0]]])
    covariances = np.concatenate([ROUND, 1e3 * ROUND[:1]])
    figure = _figure(points, means=means, covariances=covariances, weights=np.full(4, 0.25))
    low, high = np.array([figure.axes[0].get_xlim(), figure.axes[0].get_ylim()]).T
    assert (low < points.min(axis=0)).all()
    assert (high > points.max(axis=0)).all()
    assert (high - low <= 2.2 * np.ptp(points, axis=0)).all()
    assert _note(figure) == (
        "Outside the map: 1 of 4 components (2). Wider than the map: 1 of 4 components (3). a note"
    )
    assert [text.get_text() for text in figure.axes[0].texts] == ["0", "1", "3"]


def test_the_map_reaches_to_the_ellipses_of_what_weighs(points):
    figure = _figure(points, covariances=np.tile(4 * np.eye(2), (3, 1, 1)))
    assert figure.axes[0].get_xlim()[1] > 8
    assert _note(figure) == "a note"


def test_coinciding_means_keep_their_numbers_apart(rng):
    figure = _figure(
        rng.normal(size=(300, 2)),
        means=np.zeros((12, 2)),
        covariances=np.tile(np.eye(2), (12, 1, 1)),
        weights=np.full(12, 1 / 12),
    )
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.parametrize("count", [2, 30])
def test_the_legends_stay_clear_of_each_other(rng, count):
    weights = np.full(count, 1e-6)
    weights[0] = 1
    with styled():
        figure = components_figure(
            rng.normal(size=(300, 2)),
            np.arange(300) % 40,
            ["a class with a rather long name"] * 40,
            None,
            rng.normal(size=(count, 2)),
            np.tile(np.eye(2), (count, 1, 1)),
            weights,
            "a long title " * 12,
        )
        figure.draw_without_rendering()
    lines = figure.axes[0].get_legend().get_window_extent()
    title, classes = figure._suptitle.get_window_extent(), figure.legends[0].get_window_extent()
    assert lines.x0 >= 0
    assert lines.x1 < classes.x0
    assert lines.y1 <= title.y0


def test_same_input_same_bytes_other_input_other_picture(tmp_path, points, pixels):
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    for path, covariances in zip(paths, (ROUND, ROUND, 2 * ROUND), strict=True):
        drawn = draw_components(
            points, None, None, None, MEANS, covariances, EVEN, "SPIRAL", path, "a note"
        )
        assert drawn == path
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert not np.array_equal(pixels(paths[0]), pixels(paths[2]))


@pytest.mark.parametrize("points", [np.ones((60, 2)), np.zeros((1, 2))], ids=["spot", "single"])
def test_points_in_one_spot(tmp_path, points, pixels):
    path = tmp_path / "a.png"
    draw_components(points, None, None, None, MEANS, 0 * ROUND, EVEN, "collapsed", path)
    pixels(path)


def test_shapes_that_do_not_fit_are_refused(points):
    with pytest.raises(ValueError, match="for the K = 2 weights"):
        _figure(points, weights=[0.5, 0.5])
    with pytest.raises(ValueError, match="covariances"):
        _figure(points, covariances=np.ones((3, 2)))


def test_two_dimensions_come_as_they_are(rng):
    latents, variances = rng.normal(size=(30, 2)), rng.random((3, 2))
    space, means, covariances = project_components(latents, MEANS, variances, seed=0)
    assert space.method == "as is"
    assert np.array_equal(space.points, latents)
    assert np.array_equal(means, MEANS)
    assert np.array_equal(covariances, [np.diag(row) for row in variances])


def test_one_dimension_is_spread_and_its_components_with_it(rng):
    latents = rng.normal(size=(4000, 1))
    space, means, covariances = project_components(latents, [[0.5]], [[2.0]], seed=0)
    assert np.array_equal(space.points[:, 0], latents[space.indices, 0])
    assert means.tolist() == [[0.5, 0.0]]
    assert covariances[0, 0].tolist() == [2.0, 0.0]
    assert covariances[0, 1, 1] == pytest.approx(space.points[:, 1].var(), rel=0.1)


def test_a_projected_component_has_the_moments_of_its_projected_points(rng):
    latents = rng.normal(size=(400, 5)) * [5, 1, 3, 1, 1] + 7
    mean, variance = rng.normal(size=5), rng.random(5) + 0.1
    drawn = mean + np.sqrt(variance) * rng.normal(size=(200_000, 5))
    space, (flat,), (covariance,) = project_components(latents, [mean], [variance], seed=0)
    # The plane is linear: it is found again from where it puts the latents themselves.
    plane, offset = _affine(latents, space.points)
    assert space.method == "PCA"
    np.testing.assert_allclose(flat, mean @ plane + offset, rtol=1e-6)
    np.testing.assert_allclose(covariance, np.cov((drawn @ plane).T), atol=0.02)


def _affine(latents, points):
    solved, *_ = np.linalg.lstsq(
        np.column_stack([latents, np.ones(len(latents))]), points, rcond=None
    )
    return solved[:-1], solved[-1]


def test_the_plane_is_that_of_the_largest_variances(rng):
    latents = rng.normal(size=(3000, 4)) * [0.1, 5, 0.2, 2]
    space, _, _ = project_components(latents, np.zeros((1, 4)), np.ones((1, 4)), seed=0)
    assert abs(np.corrcoef(space.points[:, 0], latents[:, 1])[0, 1]) > 0.999
    assert abs(np.corrcoef(space.points[:, 1], latents[:, 3])[0, 1]) > 0.999


def test_the_sample_is_the_one_that_labels_are_picked_by(rng):
    latents = rng.normal(size=(100, 3))
    arguments = np.zeros((2, 3)), np.ones((2, 3))
    first, second = (project_components(latents, *arguments, seed=1, limit=40) for _ in range(2))
    assert first[0].indices.shape == (40,)
    assert np.array_equal(first[0].indices, second[0].indices)
    assert np.array_equal(first[0].points, second[0].points)


@pytest.mark.parametrize("count", [1, 2, 50])
def test_latents_that_are_all_equal(count):
    space, means, covariances = project_components(
        np.ones((count, 5)), np.ones((2, 5)), np.ones((2, 5)), seed=0
    )
    assert not space.points.any()
    assert not means.any()
    np.testing.assert_allclose(covariances, [np.eye(2)] * 2, atol=1e-9)


def test_broken_latents_are_refused():
    with pytest.raises(DataError, match="NaN"):
        project_components(np.full((9, 3), np.nan), np.zeros((1, 3)), np.ones((1, 3)), seed=0)
