"""The answers in the plane: colours, borders, names, and which runs they are drawn of."""

from __future__ import annotations

import json

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb

from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.figures.style import GREY, colour, matched_colours, styled
from archbuild.figures.surface import (
    SurfacePicture,
    draw_surface,
    plane_around,
    surface_figure,
)
from tests.small_runs import SPEC, experiment_from

BOUNDS = np.array([0.0, -1.0]), np.array([4.0, 1.0])


@pytest.fixture
def halves():
    """Probabilities (21, 41, 2): the right half is the second answer's, surer to the right."""
    right = np.broadcast_to(np.linspace(0, 1, 41), (21, 41))
    return np.stack([1 - right, right], axis=-1)


def figure_of(probabilities, points, labels=None, **options):
    options = {"shades": range(probabilities.shape[2]), **options}
    with styled():
        return surface_figure(probabilities, BOUNDS, points, labels, None, "x", **options)


def shades_of(figure):
    """The colours of the rows."""
    dots = [each for each in figure.axes[0].collections if isinstance(each, PathCollection)]
    return {to_hex(shade) for each in dots for shade in each.get_facecolor()}


def test_equal_arrays_give_the_same_bytes(tmp_path, rng, halves, pixels):
    points, labels = rng.uniform(*BOUNDS, (60, 2)), rng.integers(-1, 2, 60)
    for name in ("a.png", "b.png"):
        path = draw_surface(
            halves, BOUNDS, points, labels, ["no", "yes"], "T", tmp_path / name, shades=[0, 1]
        )
        assert pixels(path).std() > 5
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_the_plane_has_the_colour_of_the_answer_the_stronger_the_surer(rng, halves):
    axes = figure_of(halves, rng.uniform(*BOUNDS, (9, 2)), shades=[7, 3]).axes[0]
    plane = np.asarray(axes.images[0].get_array())
    inks = 1 - np.array([to_rgb(colour(7)), to_rgb(colour(3))])
    for column, ink in ((0, inks[0]), (40, inks[1])):
        np.testing.assert_allclose(1 - plane[:, column], np.broadcast_to(0.55 * ink, (21, 3)))
    strength = (1 - plane[0]).max(axis=1)
    assert np.all(np.diff(strength[:20]) < 0)
    assert np.all(np.diff(strength[21:]) > 0)


def test_the_border_is_where_the_answer_changes(rng, halves):
    border = figure_of(halves, rng.uniform(*BOUNDS, (9, 2))).axes[0].collections[0]
    places = np.concatenate([path.vertices for path in border.get_paths()])
    np.testing.assert_allclose(places[:, 0], 2)
    assert (places[:, 1].min(), places[:, 1].max()) == (-1, 1)


def test_one_answer_alone_has_no_border(rng):
    figure = figure_of(np.ones((5, 5, 1)), rng.uniform(*BOUNDS, (9, 2)))
    assert all(isinstance(each, PathCollection) for each in figure.axes[0].collections)


def test_answers_are_named_inside_their_part_of_the_plane(rng, halves):
    probabilities = np.concatenate([halves, np.zeros((21, 41, 1))], axis=2)
    axes = figure_of(probabilities, rng.uniform(*BOUNDS, (9, 2))).axes[0]
    assert [text.get_text() for text in axes.texts] == ["0", "1"]  # 2 is the answer nowhere
    left, right = (text.get_position() for text in axes.texts)
    assert 0 < left[0] < 2 < right[0] < 4
    assert -0.7 < left[1] < 0.7


def test_a_cluster_beside_classes_is_called_one(rng, halves, words):
    labels = rng.integers(0, 2, 9)
    found = words(figure_of(halves, rng.uniform(*BOUNDS, (9, 2)), labels))
    assert {"cluster 0", "cluster 1", "class"} <= set(found)
    found = words(figure_of(halves, rng.uniform(*BOUNDS, (9, 2)), labels, classes=True))
    assert "cluster 0" not in found
    assert any("the class of each place" in text for text in found)


def test_rows_whose_labels_were_read_stand_out(rng, halves, words):
    points, marked = rng.uniform(*BOUNDS, (9, 2)), np.arange(9) < 2
    figure = figure_of(halves, points, np.arange(9) % 2, classes=True, marked=marked)
    rings = [each for each in figure.axes[0].collections if each.get_zorder() > 3]
    for ring in rings:
        np.testing.assert_array_equal(ring.get_offsets(), points[:2])
    assert "the 2 rows whose labels training read" in words(figure)


def test_a_row_with_a_gap_does_not_move_the_plane():
    low, high = plane_around(np.array([[0.0, 1.0], [np.nan, 3.0], [10.0, 1.0]]))
    np.testing.assert_allclose([low, high], [[-0.8, 0.84], [10.8, 3.16]])
    low, high = plane_around(np.ones((3, 2)))
    assert np.all(low < 1)
    assert np.all(high > 1)


def test_as_many_colours_as_answers_are_needed(halves):
    with pytest.raises(ValueError, match="K = 3 colours, got"):
        figure_of(halves, np.zeros((1, 2)), shades=[0, 1, 2])


def test_a_cluster_has_the_colour_of_its_class_and_others_one_that_no_class_has():
    assert matched_colours({2: 0, 0: 1}, 4, 3) == [1, 3, 0, 4]


# of a run


@pytest.fixture
def plane(tmp_path):
    """A function that trains k-means for an epoch on rows in the plane, far from 0."""

    def trained(values, labels=None):
        given = {"x": values} if labels is None else {"x": values, "y": labels}
        np.savez(tmp_path / "plane.npz", **given)
        layers = [
            {"type": "Input", "output_shape": [values.shape[1]]},
            {"type": "Dense", "num_units": 2, "non_linearity": "linear"},
        ]
        head = {"type": "kmeans", "n_clusters": 2}
        rest = {"scaling": "standardise", "output_non_linearity": "linear"}
        path = tmp_path / "plane.json"
        path.write_text(json.dumps({**SPEC, **rest, "layers": layers, "head": head}))
        request = ExperimentRequest(str(tmp_path / "plane.npz"), str(path), out=tmp_path)
        experiment = Experiment(request)
        experiment.pretrain()
        experiment.cluster()
        return experiment.results()

    return trained


@pytest.fixture
def blobs(rng):
    """80 rows (n, 2) around two places, far from 0, and on which scale they differ."""
    side = np.arange(80) % 2
    return rng.normal((500, -3), (2, 0.1), (80, 2)) + np.outer(side, (60, 3)), side


@pytest.mark.graphs(False)
def test_of_a_run_it_is_drawn_in_the_units_of_the_data(plane, blobs, monkeypatch, tmp_path):
    values, side = blobs
    run, given = plane(values, side), {}

    def drawing(*arguments, **options):
        given.update(options, arguments=arguments)
        return tmp_path

    monkeypatch.setattr("archbuild.figures.surface.draw_surface", drawing)
    assert SurfacePicture().draw(run, tmp_path) == [tmp_path]
    probabilities, (low, high), points, labels, *_ = given["arguments"]
    np.testing.assert_allclose(points, values, rtol=1e-6)
    np.testing.assert_array_equal(labels, side)
    assert np.all(low < values.min(axis=0))
    assert np.all(high > values.max(axis=0))
    # the cluster at each row is the run's own, and has the colour of the row's class
    place = ((values - low) / (high - low) * (np.array(probabilities.shape[1::-1]) - 1)).round()
    column, row = place.astype(int).T
    answers = probabilities[row, column].argmax(axis=1)
    np.testing.assert_array_equal(answers, run.stage("cluster-kmeans").clusters)
    np.testing.assert_array_equal(np.array(given["shades"])[answers], side)
    assert not given["classes"]
    assert not given["marked"].any()


@pytest.mark.graphs(False)
def test_other_data_have_no_plane(plane, rng, gmm_runs, tmp_path):
    assert SurfacePicture().stages(plane(rng.normal(size=(40, 3)))) == ()
    of_images = experiment_from(tmp_path / "digits", gmm_runs / "clustered")
    assert SurfacePicture().stages(of_images.results()) == ()


def test_unlabelled_rows_are_grey(rng, halves):
    figure = figure_of(halves, rng.uniform(*BOUNDS, (9, 2)))
    shades = figure.axes[0].collections[-1].get_facecolor()
    assert {tuple(np.round(shade[:3], 6)) for shade in shades} == {tuple(np.round(to_rgb(GREY), 6))}
