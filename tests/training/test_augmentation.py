"""The spec's ``augment`` on batches: each field changes what it says, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import Dataset
from archbuild.data.scaling import Scaler
from archbuild.networks.rows import to_numpy
from archbuild.spec.augment import CHANGES_BY_AXES
from archbuild.training.augmentation import Augmentation
from archbuild.training.feed import Feed, augmentation_seed
from archbuild.training.model import StageModel, optimizer
from archbuild.training.pretraining import Reconstruct
from archbuild.training.stage import StageTrainer
from tests.training.conftest import ROWS, make_network, plan_of

AMOUNTS = {
    "rotate": 20.0,
    "shift": 0.2,
    "scale": 0.3,
    "shear": 0.3,
    "flip": True,
    "crop": 0.4,
    "noise": 0.1,
    "jitter": 0.1,
    "magnitude": 0.1,
    "time_warp": 0.5,
    "mask": 0.25,
}
FLAT = [{"type": "Flatten"}, {"type": "Dense", "num_units": 3}]
SHAPES = {1: [40], 2: [2, 40], 3: [2, 8, 8], 4: [1, 4, 4, 4]}
CASES = [(axes, name) for axes, names in CHANGES_BY_AXES.items() for name in names]


def augmentation(changes, shape, seed=0, **keys):
    layers = [{"type": "Input", "output_shape": shape}, *(FLAT if len(shape) > 1 else FLAT[1:])]
    plan = plan_of(**{"layers": layers, "augment": changes, **keys})
    return Augmentation.of(plan.spec.augmentation, plan, seed)


def batch(axes, n=50):
    shape = SHAPES[axes]
    return np.random.default_rng(1).random((n, *shape[1:], shape[0]), np.float32)


def inputs_of(change, rows, present=None):
    return to_numpy(change(rows, present).inputs)


@pytest.mark.parametrize("nothing", [None, {}, {"rotate": 0, "flip": False, "mask": 0}])
def test_what_changes_nothing_is_no_augmentation(nothing):
    assert augmentation(nothing, [2, 8, 8]) is None


@pytest.mark.parametrize(("axes", "name"), CASES)
def test_each_field_changes_rows_and_depends_on_seed_and_state_alone(axes, name):
    rows, changes = batch(axes), {name: AMOUNTS[name]}
    change = augmentation(changes, SHAPES[axes])
    first, second = inputs_of(change, rows), inputs_of(change, rows)
    assert first.shape == rows.shape
    assert first.dtype == np.float32
    assert np.abs(first - rows).max() > 0.01
    assert np.abs(first - second).max() > 0.01
    np.testing.assert_array_equal(inputs_of(augmentation(changes, SHAPES[axes]), rows), first)
    assert np.any(inputs_of(augmentation(changes, SHAPES[axes], seed=1), rows) != first)
    assert change(rows).target is None


@pytest.mark.parametrize(("axes", "name"), [case for case in CASES if case[1] != "flip"])
def test_a_hardly_noticeable_amount_changes_next_to_nothing(axes, name):
    rows = batch(axes)
    change = augmentation({name: 1e-5}, SHAPES[axes])
    np.testing.assert_allclose(inputs_of(change, rows), rows, atol=1e-3)


def test_the_draws_of_one_change_do_not_depend_on_the_others():
    rows = batch(3)
    rows[:] = rows[..., ::-1, :] + rows  # left and right are the same
    turned = inputs_of(augmentation({"rotate": 20}, SHAPES[3]), rows)
    both = inputs_of(augmentation({"rotate": 20, "flip": True}, SHAPES[3]), rows)
    np.testing.assert_allclose(both, turned, atol=1e-5)


def test_flip_mirrors_half_of_the_images():
    rows = batch(3, 200)
    found = inputs_of(augmentation({"flip": True}, SHAPES[3]), rows)
    mirrored = np.all(np.abs(found - rows[:, :, ::-1]) < 1e-4, axis=(1, 2, 3))
    same = np.all(np.abs(found - rows) < 1e-4, axis=(1, 2, 3))
    assert np.all(mirrored | same)
    assert 70 < mirrored.sum() < 130


def test_shift_stays_within_its_bounds():
    image = np.zeros((200, 21, 41, 1), np.float32)
    image[:, 10, 20] = 1
    moved = inputs_of(augmentation({"shift": 0.1}, [1, 21, 41]), image)
    down = (moved[..., 0].sum(axis=2) * np.arange(21)).sum(axis=1) - 10
    right = (moved[..., 0].sum(axis=1) * np.arange(41)).sum(axis=1) - 20
    assert 1.8 < abs(down).max() <= 2.1 + 1e-4
    assert 3.6 < abs(right).max() <= 4.1 + 1e-4


@pytest.mark.parametrize("name", ["scale", "crop"])
def test_sizes_stay_within_their_bounds(name):
    image = np.zeros((300, 41, 41, 1), np.float32)
    image[:] = (np.arange(41)[:, np.newaxis] - 20)[np.newaxis, :, :, np.newaxis]
    found = inputs_of(augmentation({name: 0.4}, [1, 41, 41]), image)
    steps = (found[:, 22, 20, 0] - found[:, 18, 20, 0]) / 4  # of the source, in a step
    least, most = (1 / 1.4, 1 / 0.6) if name == "scale" else (0.6, 1.0)
    assert least - 1e-4 <= steps.min() < least + 0.05
    assert most - 0.1 < steps.max() <= most + 1e-4
    if name == "crop":  # nothing comes from outside
        assert np.abs(found).max() <= 20 + 1e-4


@pytest.mark.parametrize(("axes", "name"), [(3, "noise"), (1, "jitter"), (2, "jitter")])
def test_noise_has_its_deviation(axes, name):
    rows = batch(axes)
    noise = inputs_of(augmentation({name: 0.3}, SHAPES[axes]), rows) - rows
    assert abs(noise.mean()) < 0.03
    assert noise.std() == pytest.approx(0.3, rel=0.1)


def test_each_channel_and_each_feature_has_a_factor_of_its_own():
    series, features = batch(2) + 1, batch(1, 500) + 1
    factors = inputs_of(augmentation({"magnitude": 0.2}, SHAPES[2]), series) / series
    assert np.ptp(factors, axis=1).max() < 1e-5
    assert factors[:, 0].std() == pytest.approx(0.2, rel=0.25)
    factors = inputs_of(augmentation({"magnitude": 1.0}, SHAPES[1]), features) / features
    assert factors.min() == 0
    assert np.median(factors) == pytest.approx(1, abs=0.05)


def test_a_mask_hides_its_share():
    found = inputs_of(augmentation({"mask": 0.25}, SHAPES[1]), batch(1, 500) + 1)
    assert np.mean(found == 0) == pytest.approx(0.25, abs=0.01)
    series = batch(2) + 1
    found = inputs_of(augmentation({"mask": 0.25}, SHAPES[2]), series)
    hidden = found == 0
    np.testing.assert_array_equal(found[~hidden], series[~hidden])
    np.testing.assert_array_equal(hidden.sum(axis=1), 10)
    assert np.all(np.abs(np.diff(hidden.astype(int), axis=1)).sum(axis=1) <= 2)  # one span
    assert len(np.unique(hidden[..., 0], axis=0)) > 10


def test_a_warped_series_goes_through_its_values_in_order():
    ramp = np.repeat(np.arange(40, dtype=np.float32)[np.newaxis, :, np.newaxis], 2, axis=-1)
    found = inputs_of(augmentation({"time_warp": 1.0}, SHAPES[2]), np.repeat(ramp, 20, axis=0))
    assert np.all(np.diff(found, axis=1) > 0)
    np.testing.assert_allclose(found[:, [0, -1]], [[[0, 0], [39, 39]]] * 20, atol=1e-4)
    np.testing.assert_array_equal(found[..., 0], found[..., 1])
    assert np.abs(found - ramp).max() > 3


def test_a_series_of_one_step_has_no_time_to_warp():
    rows = np.ones((3, 1, 2), np.float32)
    np.testing.assert_array_equal(inputs_of(augmentation({"time_warp": 1.0}, [2, 1]), rows), rows)


def test_gaps_stay_gaps():
    rows, present = batch(2) + 1, np.ones((50, 40, 2), np.float32)
    present[:, 10:20] = 0
    changes = {"jitter": 0.1, "time_warp": 0.5}
    found = inputs_of(augmentation(changes, SHAPES[2]), rows * present, present)
    gaps = (found == 0).sum(axis=1)
    assert gaps.min() > 3
    assert gaps.max() < 30
    # a value beside a gap is not mixed with it
    assert found[found != 0].min() > 0.5


# -- binary pixels and switches ---------------------------------------------------------------


def test_binary_inputs_are_drawn_from_the_changed_row():
    rows = np.full((400, 8, 8, 1), 0.25, np.float32)
    found = inputs_of(augmentation({"shift": 0.1}, [1, 8, 8], binarise="sample"), rows)
    assert set(np.unique(found)) == {0, 1}
    assert found[:, 3:5, 3:5].mean() == pytest.approx(0.25, abs=0.05)
    assert found[:, 0].mean() < 0.23  # what comes in from outside is 0


POOLED = [
    {"type": "Input", "output_shape": [1, 8, 8]},
    {"type": "MaxPool2D*", "filter_size": 2},
    {"type": "Flatten"},
    {"type": "Dense", "num_units": 4, "non_linearity": "linear"},
]


def pooled(**keys):
    plan = plan_of(layers=POOLED, augment={"rotate": 20, "noise": 0.1}, **keys)
    return Augmentation.of(plan.spec.augmentation, plan, 0)


def test_with_switches_the_row_is_wanted_where_it_went_without_noise():
    rows = batch(3)[..., :1]
    changed = pooled()(rows)
    turned = augmentation({"rotate": 20}, [1, 8, 8])
    np.testing.assert_allclose(to_numpy(changed.target.rows), inputs_of(turned, rows), atol=1e-6)
    noise = to_numpy(changed.inputs) - to_numpy(changed.target.rows)
    assert noise.std() == pytest.approx(0.1, rel=0.1)


def test_with_switches_gaps_move_with_their_row():
    rows, present = np.ones((20, 8, 8, 1), np.float32), np.ones((20, 8, 8, 1), np.float32)
    present[:, :, 5:] = 0
    target = pooled()(rows * present, present).target
    there = to_numpy(target.present)
    assert set(np.unique(there)) == {0, 1}
    assert np.any(there != present)
    assert np.all(to_numpy(target.rows)[there == 0] == 0)


def test_with_switches_binary_rows_are_drawn_once():
    plan = plan_of(layers=POOLED, augment={"rotate": 20}, binarise="sample")
    changed = Augmentation.of(plan.spec.augmentation, plan, 0)(batch(3)[..., :1])
    np.testing.assert_array_equal(to_numpy(changed.inputs), to_numpy(changed.target.rows))


def test_without_switches_the_clean_row_is_wanted_by_noise_alone_too():
    plan = plan_of(layers=POOLED, augment={"noise": 0.1})
    assert Augmentation.of(plan.spec.augmentation, plan, 0)(batch(3)[..., :1]).target is None


# -- in a step of training --------------------------------------------------------------------


class Spy(Reconstruct):
    """Keeps what the network is given, and what it has to give back."""

    def __init__(self):
        super().__init__("squared_error")
        self.seen, self.wanted = [], []

    def forward(self, network, inputs, training):
        self.seen.append(to_numpy(inputs))
        return super().forward(network, inputs, training)

    def loss_terms(self, batch):
        self.wanted.append(to_numpy(batch.inputs))
        return super().loss_terms(batch)


def stepped(network, changes, settings, rows):
    spy = Spy()
    change = Augmentation.of(changes, network.plan, 0)
    model = StageModel(network, spy, 0.0, change)
    model.compile(optimizer=optimizer(settings), run_eagerly=True)
    model.train_on_batch(rows, {"original": rows})
    model.test_on_batch(rows, {"original": rows})
    return spy


def test_training_shows_changed_rows_and_wants_the_originals_back(settings, feed, network):
    rows = feed.clean(np.arange(6))
    spy = stepped(network, {"rotate": 20.0}, settings, rows)
    trained, tested = spy.seen[-2:]
    assert np.abs(trained - rows).max() > 0.1
    np.testing.assert_array_equal(tested, rows)
    for wanted in spy.wanted[-2:]:
        np.testing.assert_array_equal(wanted, rows)


def test_training_with_switches_wants_the_changed_rows(settings, feed):
    rows = feed.clean(np.arange(6))
    network = make_network(layers=POOLED)
    spy = stepped(network, {"rotate": 20.0}, settings, rows)
    np.testing.assert_array_equal(spy.wanted[-2], spy.seen[-2])
    assert np.abs(spy.wanted[-2] - rows).max() > 0.1
    np.testing.assert_array_equal(spy.wanted[-1], rows)


def test_stages_and_seeds_and_epochs_have_draws_of_their_own():
    seeds = {augmentation_seed(*of) for of in ((0, "a"), (1, "a"), (0, "b"), (0, "a", 1))}
    assert len(seeds) == 4
    assert augmentation_seed(0, "a") == augmentation_seed(0, "a", 0)


def test_rows_with_gaps_are_trained_on(settings, rng):
    values = rng.random((ROWS, 12, 2), dtype=np.float32)
    values[:, 4] = np.nan
    dataset = Dataset("own", values, gaps=True)
    layers = [{"type": "Input", "output_shape": [2, 12]}, *FLAT]
    network = make_network(layers=layers, augment={"jitter": 0.1, "time_warp": 0.3})
    feed = Feed.of(dataset, network.plan.spec, Scaler.fit(dataset, "none"))
    given = ("pretrain", {**settings, "epochs": 1}, network, Reconstruct("squared_error"))
    trainer = StageTrainer(*given, feed, None, 0, lambda event: None)
    assert np.isfinite(trainer.run().history[0]["loss"])
