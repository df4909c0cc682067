"""What the objectives of Gaussians and mixtures are evaluated on, the same on every backend."""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy.special import log_softmax

from archbuild import objectives

BATCH, CLUSTERS, LATENT = 5, 4, 3


def _ordinary():
    draw = np.random.default_rng(20).normal
    rows, components = (BATCH, LATENT), (CLUSTERS, LATENT)
    return {
        "latent": draw(size=rows),
        "mean": draw(size=rows),
        "log_variance": draw(size=rows),
        "other_mean": draw(size=rows),
        "other_log_variance": draw(size=rows),
        "unbounded": 20 * draw(size=rows),
        "noise": draw(size=(2, *rows)),
        "means": draw(size=components),
        "log_variances": draw(size=components),
        "row_means": draw(size=(BATCH, *components)),
        "row_log_variances": draw(size=(BATCH, *components)),
        "log_weights": log_softmax(draw(size=CLUSTERS)),
        "log_joints": 3 * draw(size=(BATCH, CLUSTERS)),
        "log_assignment": log_softmax(draw(size=(BATCH, CLUSTERS)), axis=1),
        "divergences": 3 * np.abs(draw(size=(BATCH, CLUSTERS))),
        "minimum": np.array(2.0),
    }


ORDINARY = _ordinary()

GAUSSIAN = [
    ("bounded_log_variance", "unbounded"),
    ("gaussian_log_density", "latent mean log_variance"),
    ("gaussian_log_ratio", "latent mean log_variance other_mean other_log_variance"),
    ("gaussian_divergence", "mean log_variance other_mean other_log_variance"),
    ("standard_gaussian_divergence", "mean log_variance"),
    ("reparameterised", "mean log_variance noise"),
]
MIXTURE = [
    ("component_log_joints", "latent log_weights means log_variances"),
    ("component_log_joints", "latent log_weights row_means row_log_variances"),
    ("log_responsibilities", "log_joints"),
    ("inverse_min_max_log_responsibilities", "log_joints"),
    ("component_divergences", "mean log_variance means log_variances"),
    ("component_divergences", "mean log_variance row_means row_log_variances"),
    ("tightest_log_responsibilities", "log_weights divergences"),
    ("expected_divergence", "log_assignment divergences"),
    ("categorical_divergence", "log_assignment log_weights"),
    ("categorical_entropy", "log_assignment"),
    ("at_least", "divergences minimum"),
    ("importance_bound", "log_joints"),
]
"""Name of the function, and of the ``ORDINARY`` arrays that it is given."""


def arguments(names):
    return [ORDINARY[name].astype("float32") for name in names.split()]


# The three ways to an assignment and all that a bound makes of one, from the encoder's Gaussian and
# the mixture on: what the gradients of a training step go through.


def posterior(mean, log_variance, log_weights, means, log_variances):
    return objectives.log_responsibilities(
        objectives.component_log_joints(mean, log_weights, means, log_variances)
    )


def inverse_min_max(mean, log_variance, log_weights, means, log_variances):
    return objectives.inverse_min_max_log_responsibilities(
        objectives.component_log_joints(mean, log_weights, means, log_variances)
    )


def tightest(mean, log_variance, log_weights, means, log_variances):
    return objectives.tightest_log_responsibilities(
        log_weights, objectives.component_divergences(mean, log_variance, means, log_variances)
    )


def expected_divergence(log_assignment, mean, log_variance, log_weights, means, log_variances):
    return objectives.expected_divergence(
        log_assignment, objectives.component_divergences(mean, log_variance, means, log_variances)
    )


ASSIGNMENTS = {"posterior": posterior, "inverse min-max": inverse_min_max, "tightest": tightest}
MEASURES = {
    "itself": lambda assignment, *model: assignment,
    "expected divergence": expected_divergence,
    "categorical divergence": lambda assignment, mean, log_variance, log_weights, *components: (
        objectives.categorical_divergence(assignment, log_weights)
    ),
    "entropy": lambda assignment, *model: objectives.categorical_entropy(assignment),
}


def chain(assignment, measure):
    """A function of ``mean, log_variance, log_weights, means, log_variances``."""
    return lambda *model: MEASURES[measure](ASSIGNMENTS[assignment](*model), *model)


def _far():
    """Latents at ±1e4, variances of both at their bounds."""
    signs = np.random.default_rng(21).choice([-1, 1], size=(3, BATCH, LATENT))
    weights, means = ORDINARY["log_weights"], ORDINARY["means"]
    return 1e4 * signs[0], 10 * signs[1], weights, means, 10 * signs[2][:CLUSTERS]


def _empty():
    """One component where no row is, and of no weight."""
    means, weights = ORDINARY["means"].copy(), ORDINARY["log_weights"].copy()
    means[0] += 1e4
    weights[0] = -80
    return ORDINARY["mean"], ORDINARY["log_variance"], weights, means, ORDINARY["log_variances"]


def _alike():
    """Every row and every component the same: all energies are equal."""
    weights = np.full(CLUSTERS, -np.log(CLUSTERS))
    rows, components = np.ones((BATCH, LATENT)), np.zeros((CLUSTERS, LATENT))
    return rows, 0 * rows, weights, components, 0 * components


EXTREMES = {"far latents": _far(), "empty cluster": _empty(), "all alike": _alike()}

CHAINS = list(product(EXTREMES, ASSIGNMENTS, MEASURES))
"""Names of an extreme model, a way to an assignment, and what is made of it."""
