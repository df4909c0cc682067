"""The words for how a stage ended; its files are in ``test_experiment.py``."""

from __future__ import annotations

import numpy as np

from archbuild.evaluation.collapse import occupancy
from archbuild.experiments.outcome import ending, summary
from archbuild.training.progress import StageEnded
from archbuild.training.stage import StageOutcome


def outcome(**changes):
    values = {"history": [{}] * 3, "codes": np.zeros((4, 2)), "seconds": 1.26}
    return StageOutcome(**{"converged": False, "occupancy": None, **values, **changes})


def test_a_stage_without_clusters_says_how_long_it_took():
    assert ending("pretrain", outcome()) == StageEnded("pretrain", "done after 3 epochs in 1.3 s")
    assert summary(outcome()) == {"epochs": 3, "converged": False, "occupancy": None}


def test_a_stage_with_clusters_says_what_became_of_them():
    clusters = occupancy(np.array([0, 0, 1, 1]), 2)
    ended = ending("cluster-kld", outcome(converged=True, occupancy=clusters))
    assert ended.message.startswith("settled after 3 epochs in 1.3 s; 2 of 2 clusters")
    assert ended.warning is None
    assert summary(outcome(occupancy=clusters))["occupancy"]["shares"] == [0.5, 0.5]


def test_what_is_wrong_with_clusters_is_said_apart():
    clusters = occupancy(np.zeros(4, int), 2)
    ended = ending("cluster-kld", outcome(occupancy=clusters))
    assert ended.warning is not None
    assert ended.warning.startswith("1 cluster is empty")
    assert ended.warning in ended.message
