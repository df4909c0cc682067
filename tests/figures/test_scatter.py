from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from archbuild.figures.projection import Projection
from archbuild.figures.scatter import (
    draw_scatter,
    draw_scatter_panels,
    panels_figure,
    scatter_figure,
)
from archbuild.figures.style import GREY, colour, styled

NAMES = ["cat", "dog", "a class with a rather long name that costs $5", "ñandú 鳥"]


def _colours(figure: Figure) -> set[str]:
    shades = [c.get_facecolor() for axes in figure.axes for c in axes.collections]
    return {to_hex(shade) for shade in np.concatenate(shades)}


def _legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()] if figure.legends else []


@pytest.fixture
def points(rng) -> np.ndarray:
    return rng.normal(size=(200, 2))


def test_same_input_same_bytes_other_input_other_picture(tmp_path, points, rng, pixels):
    labels = rng.integers(0, 4, 200)
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.png", "d.png")]
    assert draw_scatter(points, labels, NAMES, "DIGITS", paths[0], "note") == paths[0]
    draw_scatter(points, labels, NAMES, "DIGITS", paths[1], "note")
    draw_scatter(points, (labels + 1) % 4, NAMES, "DIGITS", paths[2], "note")
    draw_scatter(points[::-1] ** 3, labels, NAMES, "DIGITS", paths[3], "note")
    same, again, recoloured, moved = (pixels(path) for path in paths)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert np.array_equal(same, again)
    assert not np.array_equal(same, recoloured)
    assert not np.array_equal(same, moved)


def test_classes_have_their_colour_and_their_name(points, rng, words):
    labels = rng.integers(0, 4, 200)
    with styled():
        figure = scatter_figure(points, labels, NAMES, "DIGITS · raw", "seed 0")
        assert _colours(figure) == {colour(i) for i in range(4)}
        assert _legend(figure)[:2] == ["cat", "dog"]
        assert _legend(figure)[2].startswith("2  a class")
        assert _legend(figure)[2].endswith(r"costs \$5")
        assert {"DIGITS · raw", "seed 0", "class", "cat", "2"} <= set(words(figure))


def test_a_class_keeps_its_colour_when_others_are_missing(points):
    with styled():
        figure = scatter_figure(points, np.full(200, 7), None, "one class")
    assert _colours(figure) == {colour(7)}
    assert _legend(figure) == ["7"]


def test_unlabelled_rows_are_grey_and_named(points):
    labels = np.where(np.arange(200) < 150, -1, 0)
    with styled():
        figure = scatter_figure(points, labels, ["cat"], "partly labelled")
    assert _colours(figure) == {GREY, colour(0)}
    assert _legend(figure) == ["unlabelled", "cat"]


def test_without_labels_clusters_colour_the_points(points, rng, words):
    clusters = rng.integers(0, 3, 200)
    with styled():
        figure = scatter_figure(points, None, NAMES, "no labels", clusters=clusters)
        assert _colours(figure) == {colour(i) for i in range(3)}
        assert _legend(figure) == ["0", "1", "2"]
        assert "cluster" in words(figure)


def test_without_labels_and_clusters_everything_is_grey(points):
    with styled():
        figure = scatter_figure(points, None, None, "nothing known")
    assert _colours(figure) == {GREY}
    assert not figure.legends


@pytest.mark.parametrize("classes", [2, 20, 40, 200])
@pytest.mark.parametrize("panels", [1, 3])
def test_the_legend_stays_inside_and_beside_the_axes(rng, classes, panels):
    labels = np.arange(200) % classes
    names = [f"a long name of the class {i}" for i in range(classes)]
    spaces = {str(i): Projection(np.arange(200), rng.normal(size=(200, 2))) for i in range(panels)}
    with styled():
        figure = panels_figure(spaces, labels, names, "a long title " * 12)
        figure.draw_without_rendering()
        legend = figure.legends[0].get_window_extent()
        title = figure._suptitle.get_window_extent()
    assert legend.x1 <= figure.bbox.x1
    assert legend.y0 >= 0
    assert legend.y1 <= title.y0
    assert all(axes.get_window_extent().x1 < legend.x0 for axes in figure.axes)


def test_panels_share_one_legend_and_read_labels_by_row(rng):
    labels = np.repeat([0, 1], 50)
    second = np.arange(50, 100)
    spaces = {
        "raw": Projection(second, rng.normal(size=(50, 2))),
        "kld": Projection(second, rng.normal(size=(50, 2)), "as is"),
    }
    with styled():
        figure = panels_figure(spaces, labels, NAMES, "every space")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["raw", "kld (as is)"]
    assert _colours(figure) == {colour(1)}
    assert _legend(figure) == ["dog"]


@pytest.mark.parametrize("panels", [1, 2, 4, 5])
def test_any_number_of_panels(tmp_path, rng, panels, pixels):
    spaces = {
        f"space {i}": Projection(np.arange(20), rng.normal(size=(20, 2))) for i in range(panels)
    }
    path = draw_scatter_panels(spaces, None, None, "spaces", tmp_path / "a.png", "a note")
    assert pixels(path).min() < 128


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_points_in_one_spot(tmp_path, value, pixels):
    path = tmp_path / "a.png"
    draw_scatter(np.full((60, 2), value), np.arange(60) % 3, None, "collapsed", path)
    pixels(path)


def test_of_classes_without_room_the_legend_says_how_many_there_are(rng):
    """As of the characters of OMNIGLOT."""
    labels = np.arange(964)
    with styled():
        shown = _legend(scatter_figure(rng.random((964, 2)), labels, None, "x"))
    assert shown[-1] == f"and {964 - len(shown) + 1} more"
    assert shown[:-1] == [str(number) for number in labels[: len(shown) - 1]]
