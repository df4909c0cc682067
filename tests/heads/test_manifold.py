"""The head that keeps the start's clusters, and answers for new rows by their neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.clustering.starts import first_clusters
from archbuild.heads.manifold import ManifoldHead
from archbuild.registry import default_vocabulary
from archbuild.spec import make_plan, spec_from_tree

VOCABULARY = default_vocabulary()
TREE = {
    "spec_version": 1,
    "name": "small",
    "layers": [{"type": "Input", "output_shape": [6]}, {"type": "Dense", "num_units": 2}],
}


def made(**config):
    head = {"type": "manifold", "n_clusters": 2, "start": "ward", **config}
    plan = make_plan(spec_from_tree({**TREE, "head": head}, VOCABULARY), VOCABULARY)
    return ManifoldHead(plan.spec.head.config, plan, 0)


def blobs(count=200):
    """Two that touch."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(count, 2)) + np.repeat([[-1.5, 0.0], [1.5, 0.0]], count // 2, axis=0)
    return points.astype("float32")


def reference(codes, landmarks, clusters, n_clusters, near):
    """The equation, row by row, in float64."""
    answers = np.zeros((len(codes), n_clusters))
    for answer, code in zip(answers, codes.astype("float64"), strict=True):
        squares = np.sum(np.square(landmarks - code), axis=1)
        nearest = np.argsort(squares)[:near]
        smoothing = squares[nearest].mean() / (2 * near)
        for index in nearest:
            answer[clusters[index]] += 1 / (squares[index] + smoothing)
    return answers / answers.sum(axis=1, keepdims=True)


def test_answers_are_those_of_the_equation():
    head, points = made(neighbours=4), blobs()
    head.initialise(points)
    arrays = head.arrays()
    new = points[::7] + np.float32(0.3)
    expected = reference(new, arrays["landmarks"], arrays["clusters"], 2, 4)
    np.testing.assert_allclose(head.assignments(new), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("neighbours", [1, 5, 15])
def test_rows_keep_the_clusters_of_the_start_and_may_be_doubted(neighbours):
    head, points = made(neighbours=neighbours), blobs()
    head.initialise(points)
    found = head.assignments(points)
    clusters = first_clusters(points, 2, "ward", 0)
    np.testing.assert_array_equal(found.argmax(axis=1), clusters)
    assert (found.max(axis=1).min() < 0.9) == (neighbours > 1)


def test_a_few_landmarks_answer_for_all_rows():
    head, points = made(landmarks=60), blobs()
    head.initialise(points)
    assert len(head.arrays()["landmarks"]) == 60
    clusters = first_clusters(points, 2, "ward", 0)
    assert np.mean(head.assignments(points).argmax(axis=1) == clusters) > 0.95


def test_landmarks_at_one_point_have_an_answer():
    head = made(start="k-means", n_clusters=1)
    head.initialise(np.ones((30, 2), "float32"))
    np.testing.assert_allclose(head.assignments(np.ones((3, 2), "float32")), 1.0)


@pytest.mark.parametrize(
    ("landmarks", "clusters"),
    [(np.zeros((3, 4)), np.zeros(3, int)), (np.zeros((3, 2)), np.array([0, 2, 1]))],
)
def test_arrays_of_another_head_are_refused(landmarks, clusters):
    with pytest.raises(ValueError, match="landmark"):
        made().restore({"landmarks": landmarks, "clusters": clusters})
