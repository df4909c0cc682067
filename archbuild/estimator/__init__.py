"""The scikit-learn face: ``DeepClustering``, an estimator that trains a run and keeps its model."""

from __future__ import annotations

from archbuild.estimator.deep_clustering import DeepClustering
from archbuild.estimator.memory import Memory

__all__ = ["DeepClustering"]

_Memory = Memory  # pickles made when this package was one file name the class so
