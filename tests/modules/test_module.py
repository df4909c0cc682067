"""Who is connected to whom, in which order they learn, and how messages are cut and joined."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from archbuild.errors import DataError, UsageError
from archbuild.modules.graph import exchange, recognise
from archbuild.modules.module import Learned, Module, ancestors, side_by_side
from archbuild.modules.observation import Observation
from archbuild.modules.probabilities import normalised


class Echo(Module):
    """Sends ``factor`` times its data up and what it is given back down; notes when it learns."""

    def __init__(self, name, log=None, factor=1.0, back=None):
        super().__init__()
        self.name, self.factor, self.back = name, factor, back
        self.log = [] if log is None else log

    def learn(self, data):
        self.log.append(self.name)
        self.data = data
        return Learned(self.factor * data, self.back)

    def recognise(self, data):
        return Learned(self.factor * data)


def rows(n=3, *shape):
    return np.arange(float(n * np.prod(shape))).reshape(n, *shape)


def chained(*modules):
    """Each module above the one before it."""
    for below, above in pairwise(modules):
        above.connect(below)
    return modules


@pytest.fixture
def diamond():
    """An observation, a module, two above it, and one above both."""
    log = []
    observed = Observation(rows(4, 2))
    bottom, left, right, top = (
        Echo(name, log, factor)
        for name, factor in (("bottom", 2.0), ("left", 3.0), ("right", 5.0), ("top", 1.0))
    )
    bottom.connect(observed)
    left.connect(bottom)
    right.connect(bottom)
    top.connect(left, right)
    return observed, bottom, left, right, top, log


# connections


def test_connected_modules_know_each_other(diamond):
    observed, bottom, left, right, top, _ = diamond
    assert top.parents == (left, right)
    assert bottom.children == [left, right]
    assert observed.children == [bottom]


def test_a_module_is_connected_once():
    module = Echo("top")
    module.connect(Observation(rows(3, 2)))
    with pytest.raises(UsageError, match="top module is connected already; name all its parents"):
        module.connect(Observation(rows(3, 2)))


def test_a_parent_is_named_once():
    observed = Observation(rows(3, 2))
    with pytest.raises(UsageError, match="parent of the top module is named twice"):
        Echo("top").connect(observed, observed)
    assert observed.children == []


def test_an_observation_takes_no_data():
    with pytest.raises(UsageError, match="an observation takes no data from other modules"):
        Observation(rows(3, 2)).connect(Echo("below"))


def test_a_module_cannot_stand_above_itself():
    module = Echo("it")
    with pytest.raises(UsageError, match="messages would go in a circle"):
        module.connect(module)
    assert (module.parents, module.children) == ((), [])


def test_a_circle_through_three_modules_is_refused():
    first, _, third = chained(Echo("first"), Echo("second"), Echo("third"))
    with pytest.raises(UsageError, match=r"first module cannot take data from third.* in a circle"):
        first.connect(third)
    with pytest.raises(UsageError, match="in a circle"):
        first.connect(Observation(rows(3, 2)), third)
    assert first.parents == ()
    assert third.children == []


# updates


def test_a_message_is_there_after_the_update():
    observed, below, above = chained(Observation(rows(3, 2)), Echo("below"), Echo("above"))
    with pytest.raises(UsageError, match="below module has no message yet; update it first"):
        above.update()
    below.update()
    above.update()
    np.testing.assert_array_equal(above.forward_message, observed.forward_message)
    assert (below.rounds, above.rounds) == (1, 1)


def test_a_module_without_parents_has_nothing_to_learn_from():
    with pytest.raises(UsageError, match="alone module has no data; connect it"):
        Echo("alone").update()


def test_parents_have_the_same_rows():
    module = Echo("top")
    module.connect(Observation(rows(3, 2)), Observation(rows(4, 2)))
    with pytest.raises(UsageError, match="parents of the top module have 3 and 4 rows"):
        module.update()


def test_the_data_are_the_parents_messages_side_by_side():
    images, points = rows(3, 2, 2), rows(3, 3)
    module = Echo("top")
    module.connect(Observation(images), Observation(points))
    module.update()
    expected = np.concatenate([images.reshape(3, 4), points], axis=1)
    np.testing.assert_array_equal(module.data, expected)


def test_one_parents_message_keeps_its_shape():
    _, module = chained(Observation(rows(3, 2, 2)), Echo("top"))
    module.update()
    assert module.data.shape == (3, 2, 2)


def test_modules_learn_from_below_each_once_a_round(diamond):
    *_, top, log = diamond
    exchange(top, rounds=2)
    for one_round in (log[:4], log[4:]):
        assert one_round[0] == "bottom"
        assert one_round[3] == "top"
        assert set(one_round[1:3]) == {"left", "right"}
    assert top.rounds == 2


def test_several_uppermost_modules_share_what_is_below(diamond):
    _, bottom, left, right, _, log = diamond
    exchange(left, right)
    assert sorted(log) == ["bottom", "left", "right"]
    assert bottom.rounds == 1


def test_order_is_from_below(diamond):
    *modules, _ = diamond
    observed, bottom, left, right, top = modules
    order = ancestors([top])
    assert order[:2] == [observed, bottom]
    assert order[-1] is top
    assert set(order) == {observed, bottom, left, right, top}


def test_new_observations_take_the_place_of_the_old():
    observed, module = chained(Observation(rows(3, 2)), Echo("top"))
    module.update()
    observed.observe(rows(5, 2))
    module.update()
    assert module.forward_message.shape == (5, 2)


# backward messages


def test_backward_messages_are_cut_between_parents_of_different_widths_and_shapes():
    first, second, third = (
        Observation(rows(3, 2, 2)),
        Observation(rows(3, 1)),
        Observation(rows(3, 3)),
    )
    module = Echo("top", back=rows(3, 8))
    module.connect(first, second, third)
    assert first.backward_message is None
    module.update()
    np.testing.assert_array_equal(first.backward_message, rows(3, 8)[:, :4])
    np.testing.assert_array_equal(second.backward_message, rows(3, 8)[:, 4:5])
    np.testing.assert_array_equal(third.backward_message, rows(3, 8)[:, 5:])


def test_a_module_that_says_nothing_leaves_no_message():
    observed, module = chained(Observation(rows(3, 2)), Echo("top"))
    module.update()
    assert observed.backward_message is None


def test_the_messages_of_two_children_are_combined():
    observed = Observation(rows(2, 2))
    for value in (1.0, 4.0):
        child = Echo("child", back=np.full((2, 2), value))
        child.connect(observed)
        child.update()
    np.testing.assert_array_equal(observed.backward_message, np.full((2, 2), 2.5))


def test_a_childs_new_message_replaces_its_own_and_no_other():
    observed = Observation(rows(2, 2))
    children = [Echo("child", back=np.full((2, 2), value)) for value in (1.0, 4.0)]
    for child in children:
        child.connect(observed)
        child.update()
    children[0].back = np.full((2, 2), 6.0)
    children[0].update()
    np.testing.assert_array_equal(observed.backward_message, np.full((2, 2), 5.0))


# new rows


def test_new_rows_walk_the_graph_and_change_nothing(diamond):
    observed, bottom, left, right, top, log = diamond
    exchange(top)
    before = top.forward_message
    new = rows(2, 2)
    found = recognise(top, {observed: new})
    np.testing.assert_array_equal(found[bottom].forward, 2 * new)
    np.testing.assert_array_equal(found[left].forward, 6 * new)
    np.testing.assert_array_equal(found[right].forward, 10 * new)
    np.testing.assert_array_equal(found[top].forward, np.hstack([6 * new, 10 * new]))
    assert top.forward_message is before
    assert len(log) == 4


def test_only_what_is_below_the_wanted_module_is_asked(diamond):
    observed, bottom, left, *_ = diamond
    assert set(recognise(left, {observed: rows(2, 2)})) == {observed, bottom, left}


def test_every_observation_needs_new_rows():
    first, second = Observation(rows(3, 2)), Observation(rows(3, 2))
    module = Echo("top")
    module.connect(first, second)
    with pytest.raises(
        UsageError, match="the observation obs has no new rows; give values for each"
    ):
        recognise(module, {first: rows(2, 2)})


def test_new_rows_must_be_like_those_that_were_observed():
    first, second = Observation(rows(3, 2), name="left"), Observation(rows(3, 4), name="right")
    module = Echo("top")
    module.connect(first, second)
    with pytest.raises(DataError, match=r"observation right have shape \(2,\), and those before"):
        recognise(module, {first: rows(2, 2), second: rows(2, 2)})
    with pytest.raises(UsageError, match="2 and 5 rows"):
        recognise(module, {first: rows(2, 2), second: rows(5, 4)})


@pytest.mark.parametrize("values", [[], [1.0, 2.0], [["a", "b"]], [[1.0, np.nan]], np.ones((0, 3))])
def test_what_is_no_table_of_numbers_is_no_observation(values):
    with pytest.raises(DataError, match="the observation images"):
        Observation(values, name="images")


def test_data_must_be_wrapped():
    with pytest.raises(UsageError, match="connected to a ndarray; wrap data in an Observation"):
        Echo("top").connect(rows(3, 2))


@pytest.mark.parametrize("rounds", [0, -1, 1.5])
def test_an_exchange_has_a_round_at_least(rounds):
    with pytest.raises(UsageError, match=r"rounds is .*; expected a whole number from 1"):
        exchange(Observation(rows(3, 2)), rounds=rounds)


# parts


def test_side_by_side_is_flat_but_for_one():
    assert side_by_side([rows(3, 2, 2)]).shape == (3, 2, 2)
    assert side_by_side([rows(3, 2, 2), rows(3, 1)]).shape == (3, 5)


def test_normalised_rows_are_distributions_and_a_row_of_zeros_is_uniform():
    found = normalised(np.array([[1, 3], [0, 0]]))
    np.testing.assert_array_equal(found, [[0.25, 0.75], [0.5, 0.5]])


@pytest.mark.parametrize("kind", ["gmm", "markov", "multinomial"])
def test_modules_of_a_spec_are_known_without_what_is_slow_to_import(kind):
    """A spec that names them is checked in the time that Keras alone would take."""
    slow = "{'keras', 'sklearn', 'scipy'} & set(sys.modules)"
    code = f"import sys, archbuild.modules.{kind}; sys.exit(str({slow} or ''))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""
