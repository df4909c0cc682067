"""Sums over classes against NumPy, row by row."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.special import log_softmax

from archbuild import objectives
from tests.objectives.tensors import evaluate

LOG_CLASSES = log_softmax(np.random.default_rng(3).normal(size=(6, 3)) * 2, axis=1)
LOG_PRIOR = log_softmax(np.random.default_rng(4).normal(size=(6, 3)), axis=1)
LABELS = np.array([-1, 0, 2, -1, -1, 1], "int32")
KNOWN = LABELS >= 0


def test_a_label_takes_the_place_of_the_posterior():
    expected = np.exp(LOG_CLASSES)
    np.testing.assert_allclose(evaluate(objectives.class_weights, LOG_CLASSES), expected, rtol=1e-5)
    expected[KNOWN] = np.eye(3)[LABELS[KNOWN]]
    got = evaluate(objectives.class_weights, LOG_CLASSES, LABELS)
    np.testing.assert_allclose(got, expected, rtol=1e-5)


@pytest.mark.parametrize("prior", [LOG_PRIOR, LOG_PRIOR[0]])
def test_the_divergence_of_a_label_is_its_surprise(prior):
    full = np.broadcast_to(prior, LOG_CLASSES.shape)
    expected = np.sum(np.exp(LOG_CLASSES) * (LOG_CLASSES - full), axis=1)
    got = evaluate(objectives.class_divergence, LOG_CLASSES, prior)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)
    expected[KNOWN] = -full[KNOWN, LABELS[KNOWN]]
    got = evaluate(objectives.class_divergence, LOG_CLASSES, prior, LABELS)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)


def test_the_loss_of_a_label_has_the_mean_over_draws_inside_the_logarithm():
    draws = np.stack([LOG_CLASSES, LOG_PRIOR])
    expected = np.zeros(6)
    for row in np.flatnonzero(KNOWN):
        expected[row] = -np.log(np.mean(np.exp(draws[:, row, LABELS[row]])))
    got = evaluate(objectives.label_loss, draws, LABELS)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-7)


def test_few_labelled_rows_weigh_as_much_as_many_without():
    values = np.arange(6.0)
    got = evaluate(objectives.mean_by_kind, values, LABELS)
    assert got == pytest.approx(values[KNOWN].mean() + values[~KNOWN].mean())
    got = evaluate(partial(objectives.mean_by_kind, weight=0.1), values, LABELS)
    assert got == pytest.approx(0.1 * values[KNOWN].mean() + values[~KNOWN].mean())
    assert evaluate(objectives.mean_by_kind, values) == pytest.approx(values.mean())
    for labels in (np.zeros(6, "int32"), np.full(6, -1, "int32")):
        assert evaluate(objectives.mean_by_kind, values, labels) == pytest.approx(values.mean())


def test_the_imbalance_is_0_for_equal_use_and_log_k_for_one_class():
    shares = np.exp(LOG_CLASSES).mean(axis=0)
    expected = np.log(3) + np.sum(shares * np.log(shares))
    assert evaluate(objectives.class_imbalance, LOG_CLASSES) == pytest.approx(expected, rel=1e-4)
    one = log_softmax(np.tile([50.0, 0.0, 0.0], (4, 1)), axis=1)
    assert evaluate(objectives.class_imbalance, one) == pytest.approx(np.log(3), rel=1e-4)
    equal = log_softmax(np.eye(3) * 50, axis=1)
    assert evaluate(objectives.class_imbalance, equal) == pytest.approx(0, abs=1e-5)
