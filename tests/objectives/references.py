"""Gaussians and mixtures in NumPy and SciPy, float64: each under the name of its objective.

Written from the equations: densities from SciPy, divergences in the matrix form, Bayes' rule with
probabilities, components one by one.
"""

from __future__ import annotations

import numpy as np
from scipy import special, stats

from tests.objectives.tensors import weighted_sum


def bounded_log_variance(value):
    grown = np.exp(value / 5)
    return 10 * (grown - 1) / (grown + 1)


def gaussian_log_density(value, mean, log_variance):
    return stats.norm.logpdf(value, mean, np.sqrt(np.exp(log_variance))).sum(axis=-1)


def gaussian_log_ratio(value, mean, log_variance, other_mean, other_log_variance):
    here = stats.norm.logpdf(value, mean, np.sqrt(np.exp(log_variance)))
    return here - stats.norm.logpdf(value, other_mean, np.sqrt(np.exp(other_log_variance)))


def merged_gaussians(mean, log_variance, other_mean, other_log_variance):
    """Mean and log-variance by precisions."""
    precision, other = np.exp(-log_variance), np.exp(-other_log_variance)
    variance = 1 / (precision + other)
    return variance * (precision * mean + other * other_mean), np.log(variance)


def importance_bound(log_weights):
    return np.log(np.mean(np.exp(log_weights), axis=0))


def gaussian_divergence(mean, log_variance, other_mean, other_log_variance):
    arrays = np.broadcast_arrays(mean, log_variance, other_mean, other_log_variance)
    places = np.ndindex(arrays[0].shape[:-1])
    found = [matrix_divergence(*(array[place] for array in arrays)) for place in places]
    return np.reshape(found, arrays[0].shape[:-1])


def matrix_divergence(mean, log_variance, other_mean, other_log_variance):
    """``½ (tr S⁻¹V + dᵀS⁻¹d - J + log det S - log det V)`` of two Gaussians in J dimensions."""
    covariance, other = np.diag(np.exp(log_variance)), np.diag(np.exp(other_log_variance))
    precision, shift = np.linalg.inv(other), other_mean - mean
    volumes = np.linalg.slogdet(other)[1] - np.linalg.slogdet(covariance)[1]
    return 0.5 * (
        np.trace(precision @ covariance) + shift @ precision @ shift - len(mean) + volumes
    )


def standard_gaussian_divergence(mean, log_variance):
    return -0.5 * np.sum(1 + log_variance - mean**2 - np.exp(log_variance), axis=-1)


def reparameterised(mean, log_variance, noise):
    return np.array([mean + np.sqrt(np.exp(log_variance)) * draw for draw in noise])


def component_log_joints(latent, log_weights, means, log_variances):
    components = of_each_row(latent, means, log_variances)
    return np.array(
        [
            [
                w + gaussian_log_density(z, m, s)
                for w, m, s in zip(log_weights, *component, strict=True)
            ]
            for z, *component in zip(latent, *components, strict=True)
        ]
    )


def component_divergences(mean, log_variance, means, log_variances):
    components = of_each_row(mean, means, log_variances)
    return np.array(
        [
            [matrix_divergence(m, v, *component) for component in zip(*mixture, strict=True)]
            for m, v, *mixture in zip(mean, log_variance, *components, strict=True)
        ]
    )


def of_each_row(rows, *components):
    """``(cluster, latent)`` becomes ``(batch, cluster, latent)``, which stays as it is."""
    return [np.broadcast_to(each, (len(rows), *each.shape[-2:])) for each in components]


def log_responsibilities(log_joints):
    joints = np.exp(log_joints)
    return np.log(joints / joints.sum(axis=1, keepdims=True))


def inverse_min_max_log_responsibilities(log_joints):
    energies = -log_joints
    scaled = (energies - energies.min()) / (energies.max() - energies.min())
    return np.log(special.softmax(-20 * scaled, axis=1))


def tightest_log_responsibilities(log_weights, divergences):
    weighted = np.exp(log_weights) * np.exp(-divergences)
    return np.log(weighted / weighted.sum(axis=1, keepdims=True))


def expected_divergence(log_assignment, divergences):
    return np.einsum("ik,ik->i", np.exp(log_assignment), divergences)


def categorical_divergence(log_assignment, log_weights):
    return special.rel_entr(np.exp(log_assignment), np.exp(log_weights)).sum(axis=1)


def categorical_entropy(log_assignment):
    return special.entr(np.exp(log_assignment)).sum(axis=1)


def at_least(divergence, minimum):
    return np.where(divergence < minimum, minimum, divergence)


def numerical_gradients(function, *arguments):
    """Of ``weighted_sum(function(...))`` by central differences, one array per argument."""
    return [
        np.reshape(
            [slope(function, arguments, which, place) for place in np.ndindex(argument.shape)],
            argument.shape,
        )
        for which, argument in enumerate(arguments)
    ]


def slope(function, arguments, which, place, step=1e-5):
    ends = []
    for change in (step, -step):
        moved = [np.array(argument, "float64") for argument in arguments]
        moved[which][place] += change
        ends.append(weighted_sum(function(*moved)))
    return (ends[0] - ends[1]) / (2 * step)
