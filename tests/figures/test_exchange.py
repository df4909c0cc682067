from __future__ import annotations

import warnings

import numpy as np
import pytest
from matplotlib.colors import to_hex

from archbuild.errors import DataError
from archbuild.figures.exchange import Round, draw_exchange, exchange_figure, principal_plane
from archbuild.figures.style import colour, styled

NAMES = ["cat", "dog", "a class with a rather long name that costs $5"]
LABELS = np.arange(90) % 3
HALVES = np.arange(90) // 45


@pytest.fixture
def latents(rng) -> np.ndarray:
    return rng.normal(size=(90, 4)) * [1, 3, 2, 1] + 7


def _rounds(latents, *, first=HALVES, last=LABELS) -> list[Round]:
    return [Round("after round 1", latents, first), Round("after round 5", -latents, last)]


def _figure(rounds, labels=LABELS, names=NAMES, title="SERKET3000 · messages"):
    with styled():
        return exchange_figure(rounds, labels, names, title, "a note")


def _points(axes) -> np.ndarray:
    return np.concatenate([group.get_offsets() for group in axes.collections])


def _note(figure) -> str:
    return figure._supxlabel.get_text()


def test_the_plane_is_that_of_the_largest_variances(latents):
    points, shares = principal_plane(latents)
    values = np.linalg.eigvalsh(np.cov(latents.T))[::-1]
    np.testing.assert_allclose(np.cov(points.T), np.diag(values[:2]), atol=1e-9)
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(shares, values[:2] / values.sum())


def test_one_dimension_is_a_line_and_none_is_a_spot(latents):
    points, shares = principal_plane(latents[:, :1])
    away = np.abs(latents[:, 0] - latents[:, 0].mean())
    np.testing.assert_allclose(np.abs(points), np.column_stack([away, np.zeros(90)]))
    assert shares.tolist() == [1, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for rows in (np.ones((90, 4)), latents[:1]):
            points, shares = principal_plane(rows)
            assert not points.any()
            assert not shares.any()


def test_a_panel_says_when_it_was_how_good_and_how_much_it_shows(latents):
    before, after = _figure(_rounds(latents)).axes
    assert before.get_title(loc="left") == "after round 1\n"
    assert after.get_title(loc="left") == "after round 5\n"
    assert [axes.texts[-1].get_text() for axes in (before, after)] == [
        "accuracy 33.3%",  # each half holds as many of every class
        "accuracy 100.0%",
    ]
    shares = principal_plane(latents)[1]
    assert before.get_xlabel() == f"component 1 ({shares[0]:.1%} of the variance)"
    assert before.get_ylabel() == f"component 2 ({shares[1]:.1%} of the variance)"


def test_without_labels_there_is_no_accuracy(latents, words):
    figure = _figure(_rounds(latents), labels=None)
    assert not any("ccuracy" in text for text in words(figure))
    assert figure.axes[0].get_title(loc="left") == "after round 1"


def test_both_panels_are_coloured_by_class_else_by_the_last_clusters(latents):
    rounds = _rounds(latents, first=np.full(90, 3), last=np.full(90, 2))
    by_class = _figure(rounds, labels=np.zeros(90, int))
    by_cluster = _figure(rounds, labels=None)
    for figure, number, heading in ((by_class, 0, "class"), (by_cluster, 2, "cluster")):
        for axes in figure.axes:
            shades = axes.collections[0].get_facecolor()
            assert {to_hex(shade) for shade in shades} == {colour(number)}
        (legend,) = figure.legends
        assert legend.get_title().get_text() == heading


def test_rows_keep_their_side(latents):
    before, after = _figure(_rounds(latents)).axes  # the second are the first, turned around
    np.testing.assert_allclose(_points(before), _points(after), atol=1e-9)


def test_each_panel_is_fitted_to_its_own_latents(latents):
    rounds = [Round("before", latents, LABELS), Round("after", latents[:, ::-1] ** 3, LABELS)]
    for axes, one in zip(_figure(rounds).axes, rounds, strict=True):
        drawn, plane = _points(axes), principal_plane(one.latents)[0]
        np.testing.assert_allclose(np.cov(drawn.T), np.cov(plane.T), atol=1e-6)


def test_of_many_rows_the_same_sample_is_in_every_panel(rng):
    latents, clusters = rng.normal(size=(5300, 3)), np.zeros(5300, int)
    figure = _figure(_rounds(latents, first=clusters, last=clusters), labels=None)
    before, after = map(_points, figure.axes)
    assert len(before) == 5000
    np.testing.assert_allclose(before, after, atol=1e-9)


def test_before_there_is_an_exchange_one_panel_says_so(latents):
    figure = _figure(_rounds(latents)[:1])
    assert len(figure.axes) == 1
    assert _note(figure).startswith("Nothing has been learned under a message yet")
    assert "Each panel" in _note(_figure(_rounds(latents)))


@pytest.mark.parametrize("count", [1, 2])
def test_letters_stay_clear_of_each_other(latents, count):
    figure = _figure(_rounds(latents)[:count], title="a long title " * 12)
    figure.draw_without_rendering()
    title, legend = figure._suptitle.get_window_extent(), figure.legends[0].get_window_extent()
    for axes in figure.axes:
        heading, accuracy = axes._left_title.get_window_extent(), axes.texts[-1].get_window_extent()
        assert title.y0 >= heading.y1
        assert accuracy.y0 >= axes.get_window_extent().y1
        assert axes.get_tightbbox().x1 < legend.x0
        assert axes.get_tightbbox().y0 > figure._supxlabel.get_window_extent().y1


def test_same_input_same_bytes_other_input_other_picture(tmp_path, latents, pixels):
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    for path, last in zip(paths, (LABELS, LABELS, HALVES), strict=True):
        rounds = _rounds(latents, last=last)
        assert draw_exchange(rounds, LABELS, NAMES, "SERKET3000", path, "a $note") == path
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert not np.array_equal(pixels(paths[0]), pixels(paths[2]))


def test_broken_latents_are_refused():
    with pytest.raises(DataError, match="NaN"):
        _figure(_rounds(np.full((90, 3), np.nan)))
