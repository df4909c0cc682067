from __future__ import annotations

import logging
from dataclasses import asdict

import numpy as np

from archbuild.evaluation.collapse import occupancy
from archbuild.training.progress import (
    EpochDone,
    Note,
    StageStarted,
    StepDone,
    counted,
    grouped,
    log_event,
    row_text,
)


def test_a_line_of_a_history_falls_into_parts():
    spread = asdict(occupancy(np.array([0, 1, 1]), 2))
    row = {"epoch": 2, "loss": 3.0, "kl": 1.0, "learning_rate": 1e-3, **spread}
    assert grouped(row) == {
        "epoch": 2,
        "learning_rate": 1e-3,
        "terms": {"loss": 3.0, "kl": 1.0},
        "occupancy": spread,
    }
    assert grouped({"epoch": 1, "learning_rate": 0.1, "loss": 2.0})["occupancy"] is None


def test_people_read_four_digits_and_no_lists():
    row = {"epoch": 1, "loss": 0.123456, "occupied": 3, "label_change": None, "shares": [0.5]}
    assert row_text(row) == "loss 0.1235  occupied 3"


def test_a_number_stands_with_its_noun():
    assert [counted(number, "epoch") for number in (0, 1, 2)] == ["0 epochs", "1 epoch", "2 epochs"]


def starting(*facts):
    return str(StageStarted(*facts))


def test_a_stage_starts_or_resumes():
    assert starting("pretrain", 0, 1, 1) == "pretrain: 1 epoch of 1 step"
    assert starting("pretrain", 0, 5, 7) == "pretrain: 5 epochs of 7 steps"
    assert starting("pretrain", 2, 5, 7).endswith("7 steps, resumed after epoch 2")


def test_the_log_has_a_line_for_each_event_that_has_text(caplog):
    caplog.set_level(logging.INFO)
    row = {"epoch": 1, "loss": 0.5, "learning_rate": 0.1}
    for event in (Note("hello"), StepDone("pretrain"), EpochDone("pretrain", 2, row)):
        log_event(event)
    assert caplog.messages == ["hello", "pretrain 1/2  loss 0.5  learning_rate 0.1"]
