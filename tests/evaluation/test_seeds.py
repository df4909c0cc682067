from __future__ import annotations

import numpy as np
import pytest

from archbuild.evaluation.seeds import over_seeds


def rows(acc: float | None, davies_bouldin: float) -> list[dict]:
    return [
        {"space": "raw", "method": "k-means", "acc": 0.5},
        {"space": "kld", "method": "head", "acc": acc, "davies_bouldin": davies_bouldin},
    ]


def test_the_spread_of_each_score_in_the_order_of_the_rows():
    accuracies = [0.8, 0.6, 0.9]
    found = {seed: rows(acc, 1.0 + seed) for seed, acc in enumerate(accuracies)}
    raw, head = over_seeds(found)
    assert (raw["space"], head["space"], head["method"]) == ("raw", "kld", "head")
    assert head["seeds"] == [0, 1, 2]
    acc = head["scores"]["acc"]
    assert acc["mean"] == pytest.approx(np.mean(accuracies))
    assert acc["std"] == pytest.approx(np.std(accuracies, ddof=1))
    assert acc["median"] == 0.8
    assert acc["best"] == {"seed": 2, "value": 0.9}
    assert acc["worst"] == {"seed": 1, "value": 0.6}
    assert raw["scores"]["acc"]["std"] == 0


def test_low_is_good_where_it_is():
    _, head = over_seeds({seed: rows(0.5, 1.0 + seed) for seed in (3, 4)})
    assert head["scores"]["davies_bouldin"]["best"] == {"seed": 3, "value": 4.0}


def test_what_is_not_defined_does_not_count():
    _, head = over_seeds({0: rows(None, 1.0), 1: rows(0.7, 1.0), 2: []})
    assert head["seeds"] == [0, 1]
    assert head["scores"]["acc"]["mean"] == 0.7
    assert head["scores"]["acc"]["std"] is None
    assert "nmi" not in head["scores"]


def test_nothing_of_nothing():
    assert over_seeds({0: []}) == []
