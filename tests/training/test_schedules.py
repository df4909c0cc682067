"""Learning rate and weights at chosen places of a stage."""

from __future__ import annotations

import pytest

from archbuild.training.schedules import Position, learning_rate, weight, whole_epochs

SETTINGS = {
    "learning_rate": 0.1,
    "schedule": "constant",
    "decay": 0.5,
    "decay_steps": None,
    "lowest_rate": 0.0,
    "decay_epochs": 3,
    "decay_start": 2,
    "warm_up": 0.0,
    "epochs": 10,
}


def at(epochs: float) -> Position:
    """A place in a stage whose epochs have ten steps."""
    return Position(round(epochs * 10), 10)


@pytest.mark.parametrize(
    ("schedule", "position", "expected"),
    [
        ("constant", 0.1, 0.1),
        ("constant", 10, 0.1),
        ("exponential", 0.9, 0.1),  # whole epochs count
        ("exponential", 2.5, 0.025),
        ("step", 4.9, 0.1),
        ("step", 5, 0.05),
        ("step", 9, 0.025),
        ("cosine", 0, 0.1),
        ("cosine", 5, 0.05),
        ("cosine", 10, 0),
        ("one_cycle", 0, 0.004),
        ("one_cycle", 3, 0.1),
        ("one_cycle", 10, 0.1 * 1e-4),
    ],
)
def test_schedules(schedule, position, expected):
    rate = learning_rate({**SETTINGS, "schedule": schedule}, at(position))
    assert rate == pytest.approx(expected, abs=1e-12)


def test_one_cycle_rises_and_then_falls():
    settings = {**SETTINGS, "schedule": "one_cycle"}
    rates = [learning_rate(settings, at(position / 10)) for position in range(101)]
    top = rates.index(max(rates))
    assert top == 30
    assert rates[:31] == sorted(rates[:31])
    assert rates[30:] == sorted(rates[30:], reverse=True)


def test_warm_up_is_linear_and_multiplies_the_schedule():
    settings = {**SETTINGS, "warm_up": 2.0}
    assert learning_rate(settings, at(0.5)) == pytest.approx(0.025)
    assert learning_rate(settings, at(1.0)) == pytest.approx(0.05)
    assert learning_rate(settings, at(3.0)) == pytest.approx(0.1)


def test_a_stage_of_no_epochs_has_a_rate():
    assert learning_rate({**SETTINGS, "epochs": 0, "schedule": "cosine"}, at(0.0)) == 0.1


def test_exponential_counts_steps_where_asked_and_stops_at_its_floor():
    settings = {**SETTINGS, "schedule": "exponential", "decay_steps": 4, "lowest_rate": 0.02}
    rates = [learning_rate(settings, Position(step, 10)) for step in (3, 4, 7, 8, 12, 400)]
    assert rates == pytest.approx([0.1, 0.05, 0.05, 0.025, 0.02, 0.02])


CYCLE = {"start": 0.1, "end": 1.1, "ramp": 4, "hold": 2, "power": 3, "repeat": True}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [(0, 0.1), (2, 0.225), (4, 1.1), (5, 1.1), (6, 0.1), (8, 0.225), (11, 1.1), (12, 0.1)],
)
def test_a_weight_ramps_holds_and_repeats(steps, expected):
    assert weight({**CYCLE, "unit": "steps"}, Position(steps, 10)) == pytest.approx(expected)
    in_epochs = weight({**CYCLE, "unit": "epochs"}, Position(10 * steps, 10))
    assert in_epochs == pytest.approx(expected)


def test_a_weight_that_does_not_repeat_stays_at_its_end():
    once = {**CYCLE, "repeat": False, "unit": "steps"}
    assert weight(once, Position(4, 10)) == weight(once, Position(400, 10)) == pytest.approx(1.1)
    assert weight(0.3, Position(7, 10)) == 0.3


def test_lengths_come_in_whole_epochs():
    assert [whole_epochs(steps, "steps", 10) for steps in (1, 10, 11)] == [1, 1, 2]
    assert [whole_epochs(epochs, "epochs", 10) for epochs in (2, 2.5)] == [2, 3]


def test_a_place_counts_from_where_a_part_begins():
    place = Position(35, 10)
    assert place.after(2) == Position(15, 10)
    assert place.after(5) == Position(0, 10)  # before it begins time stands still
    assert (place.within("steps"), place.within("epochs")) == (35, 3.5)
