from __future__ import annotations

import pytest

from archbuild.io.difference import differences


def lines(before, after):
    return [str(difference) for difference in differences(before, after)]


def test_equal_values_do_not_differ():
    value = {"pretrain": {"epochs": 50, "rates": [0.1, 0.2]}, "seed": 1}
    assert differences(value, value) == []
    assert differences(1, 1.0) == []


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ({"pretrain": {"epochs": 50}}, {"pretrain": {"epochs": 100}}, "pretrain.epochs: 50 -> 100"),
        (
            {"layers": [{"num_units": 10}]},
            {"layers": [{"num_units": 16}]},
            "layers[0].num_units: 10 -> 16",
        ),
        ({"seed": 1}, {}, "seed: 1 -> absent"),
        ({"l": [1]}, {"l": [1, {"a": 2}]}, 'l[1]: absent -> {"a": 2}'),
        ({"x": 1}, {"x": True}, "x: 1 -> true"),
        ({"x": None}, {"x": [1]}, "x: null -> [1]"),
        ({"x": ["Käfer"]}, {"x": 1}, 'x: ["Käfer"] -> 1'),
        ({"x": "adam"}, {"x": "sgd"}, "x: adam -> sgd"),
        (1, 2, "the request: 1 -> 2"),
    ],
)
def test_a_difference_reads_as_path_before_after(before, after, line):
    assert lines(before, after) == [line]


def test_all_differences_are_listed_in_order():
    before = {"b": 1, "a": {"x": 1, "y": 2}, "gone": 0}
    after = {"new": 5, "a": {"x": 9, "y": 2}, "b": 2}
    assert lines(before, after) == [
        "b: 1 -> 2",
        "a.x: 1 -> 9",
        "gone: 0 -> absent",
        "new: absent -> 5",
    ]


def test_long_values_are_shortened():
    assert lines({"x": "a" * 60}, {"x": "b"}) == [f"x: {'a' * 60} -> b"]
    assert lines({"x": "a" * 61}, {"x": "b"}) == [f"x: {'a' * 59}… -> b"]
