"""The mathematics: pure functions of tensors in ``keras.ops``, each with its shapes and source.

Importing this package does not import Keras; the first use of a function does. So heads can name
their objectives at the top of their files and ``archbuild validate`` still answers at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "squared_error": "reconstruction",
    "bernoulli_negative_log_likelihood": "reconstruction",
    "gaussian_negative_log_likelihood": "reconstruction",
    "log_normalised_counts": "counts",
    "library_size": "counts",
    "negative_binomial_negative_log_likelihood": "counts",
    "zero_inflated_negative_log_likelihood": "counts",
    "log_gamma_ratio": "counts",
    "squared_distances": "soft_assignment",
    "log_soft_assignment": "soft_assignment",
    "target_distribution": "soft_assignment",
    "assignment_divergence": "soft_assignment",
    "label_cross_entropy": "classification",
    "squared_centre_distance": "k_means",
    "centre_distance": "k_means",
    "sum_of_squares": "regularisation",
    "bounded_log_variance": "gaussian",
    "unbounded_log_variance": "gaussian",
    "gaussian_log_density": "gaussian",
    "gaussian_log_ratio": "gaussian",
    "merged_gaussians": "gaussian",
    "gaussian_divergence": "gaussian",
    "standard_gaussian_divergence": "gaussian",
    "reparameterised": "gaussian",
    "importance_bound": "importance",
    "component_log_joints": "mixture",
    "log_responsibilities": "mixture",
    "inverse_min_max_log_responsibilities": "mixture",
    "component_divergences": "mixture",
    "tightest_log_responsibilities": "mixture",
    "expected_divergence": "mixture",
    "categorical_divergence": "mixture",
    "categorical_entropy": "mixture",
    "at_least": "mixture",
    "class_weights": "classes",
    "class_divergence": "classes",
    "class_imbalance": "classes",
    "label_loss": "classes",
    "mean_by_kind": "classes",
    "whitened_distances": "whitened",
    "gaussian_log_joints": "whitened",
    "student_t_log_joints": "whitened",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import the function's file when the function is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
