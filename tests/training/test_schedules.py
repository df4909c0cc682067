"""The learning rate at chosen places of a stage."""

from __future__ import annotations

import pytest

from archbuild.training.schedules import learning_rate

SETTINGS = {
    "learning_rate": 0.1,
    "schedule": "constant",
    "decay": 0.5,
    "warm_up": 0.0,
    "epochs": 10,
}


@pytest.mark.parametrize(
    ("schedule", "position", "expected"),
    [
        ("constant", 0.1, 0.1),
        ("constant", 10, 0.1),
        ("exponential", 0.9, 0.1),  # whole epochs count
        ("exponential", 2.5, 0.025),
        ("cosine", 0, 0.1),
        ("cosine", 5, 0.05),
        ("cosine", 10, 0),
        ("one_cycle", 0, 0.004),
        ("one_cycle", 3, 0.1),
        ("one_cycle", 10, 0.1 * 1e-4),
    ],
)
def test_schedules(schedule, position, expected):
    rate = learning_rate({**SETTINGS, "schedule": schedule}, position)
    assert rate == pytest.approx(expected, abs=1e-12)


def test_one_cycle_rises_and_then_falls():
    settings = {**SETTINGS, "schedule": "one_cycle"}
    rates = [learning_rate(settings, position / 10) for position in range(101)]
    top = rates.index(max(rates))
    assert top == 30
    assert rates[:31] == sorted(rates[:31])
    assert rates[30:] == sorted(rates[30:], reverse=True)


def test_warm_up_is_linear_and_multiplies_the_schedule():
    settings = {**SETTINGS, "warm_up": 2.0}
    assert learning_rate(settings, 0.5) == pytest.approx(0.025)
    assert learning_rate(settings, 1.0) == pytest.approx(0.05)
    assert learning_rate(settings, 3.0) == pytest.approx(0.1)


def test_a_stage_of_no_epochs_has_a_rate():
    assert learning_rate({**SETTINGS, "epochs": 0, "schedule": "cosine"}, 0.0) == 0.1
