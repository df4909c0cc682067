from __future__ import annotations

from dataclasses import asdict

import numpy as np

from archbuild.evaluation.collapse import occupancy
from archbuild.training.progress import beginning, in_parts, in_words


def test_a_line_of_a_history_falls_into_parts():
    spread = asdict(occupancy(np.array([0, 1, 1]), 2))
    row = {"epoch": 2, "loss": 3.0, "kl": 1.0, "learning_rate": 1e-3, **spread}
    assert in_parts(row) == {
        "epoch": 2,
        "learning_rate": 1e-3,
        "terms": {"loss": 3.0, "kl": 1.0},
        "occupancy": spread,
    }
    assert in_parts({"epoch": 1, "learning_rate": 0.1, "loss": 2.0})["occupancy"] is None


def test_people_read_four_digits_and_no_lists():
    row = {"epoch": 1, "loss": 0.123456, "occupied": 3, "label_change": None, "shares": [0.5]}
    assert in_words(row) == "loss 0.1235  occupied 3"


def test_a_stage_begins_or_goes_on():
    assert beginning("pretrain", 0, 1, 1) == "pretrain: 1 epoch of 1 step"
    assert beginning("pretrain", 0, 5, 7) == "pretrain: 5 epochs of 7 steps"
    assert beginning("pretrain", 2, 5, 7).endswith("7 steps, resumed after epoch 2")
