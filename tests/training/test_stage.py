"""A stage without a head: resuming bit for bit, refusing to go on from nonsense."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.errors import DivergenceError, RunError
from archbuild.networks.rows import to_numpy
from archbuild.training.pretraining import Reconstruct
from tests.training.conftest import ROWS, SPEC, StopAfter, make_network


def reconstruct():
    return Reconstruct("squared_error")


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_interrupted_and_resumed_is_bit_identical(make_trainer, copies, optimizer):
    whole = make_trainer(make_network(), reconstruct(), "whole", copies, optimizer=optimizer).run()
    trainer = make_trainer(make_network(seed=9), reconstruct(), "epoch-2", optimizer=optimizer)
    saved_seconds = trainer.folder.load_checkpoint().timing["seconds"]
    resumed = trainer.run()
    np.testing.assert_array_equal(resumed.codes, whole.codes)
    assert resumed.history == whole.history
    assert resumed.seconds > saved_seconds
    assert len(whole.history) == 4


@pytest.mark.graphs(False)
def test_bounded_epochs_resume_and_see_all_rows_in_turn(make_trainer, copies):
    bounded = {"steps_per_epoch": 3, "batch_size": 10, "epochs": 4}  # of six steps a pass
    trainer = make_trainer(make_network(), reconstruct(), "whole", copies, **bounded)
    seen = [np.concatenate(list(trainer.batches(epoch))) for epoch in range(4)]
    assert trainer.steps == 3
    for first in (0, 2):
        assert sorted(np.concatenate(seen[first : first + 2])) == list(range(ROWS))
    whole = trainer.run()
    resumed = make_trainer(make_network(seed=9), reconstruct(), "epoch-3", **bounded).run()
    np.testing.assert_array_equal(resumed.codes, whole.codes)
    assert resumed.history == whole.history


@pytest.mark.graphs(False)
def test_augmentation_goes_on_where_it_was(make_trainer, copies):
    changes = {"rotate": 20, "shift": 0.2, "flip": True, "noise": 0.2}
    trainer = make_trainer(make_network(), reconstruct(), "whole", copies, augment=changes)
    whole = trainer.run()
    state = to_numpy(trainer.model.augmentation.noise.state)
    trainer = make_trainer(make_network(seed=9), reconstruct(), "epoch-2", augment=changes)
    resumed = trainer.run()
    np.testing.assert_array_equal(to_numpy(trainer.model.augmentation.noise.state), state)
    np.testing.assert_array_equal(resumed.codes, whole.codes)
    assert resumed.history == whole.history


@pytest.mark.graphs(False)
def test_a_stage_can_leave_rows_as_they_are(make_trainer, settings):
    def history(name, **given):
        given = {"epochs": 1, **given}
        return make_trainer(make_network(), reconstruct(), name, **given).run().history

    settings["augment"] = False
    without, never = history("without", augment={"noise": 0.5}), history("never", augment=None)
    settings["augment"] = True
    changed = history("changed", augment={"noise": 0.5})
    assert without == never
    assert changed[0]["loss"] != without[0]["loss"]


@pytest.mark.graphs(False)
def test_a_checkpoint_without_the_state_of_the_augmentation_is_refused(make_trainer):
    trainer = make_trainer(make_network(), reconstruct(), "whole", StopAfter(1), augment=None)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    with pytest.raises(RunError, match="augmentation_0000"):
        make_trainer(make_network(), reconstruct(), "whole").run()


def test_the_loss_falls(make_trainer, network):
    history = make_trainer(network, reconstruct(), epochs=20, learning_rate=1e-2).run().history
    assert history[-1]["reconstruction"] < 0.7 * history[0]["reconstruction"]


def test_the_loss_of_an_epoch_is_the_mean_over_all_rows(make_trainer, feed):
    dense = [SPEC["layers"][0], {"type": "Dense", "num_units": 4, "non_linearity": "linear"}]
    network = make_network(layers=dense, augment=None)
    rows = feed.clean(np.arange(ROWS))
    encoding = network.encode(rows)
    error = np.mean((to_numpy(network.decode(encoding.mean).value) - rows) ** 2)
    still = {"learning_rate": 1e-12, "augment": None, "batch_size": 25}  # the last has 10 rows
    trainer = make_trainer(network, reconstruct(), epochs=1, **still)
    row = trainer.run().history[0]
    assert row["reconstruction"] == pytest.approx(error, rel=1e-4)
    assert row["loss"] == pytest.approx(error, rel=1e-4)


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_term(make_trainer, network):
    break_weight(network.decoder.trainable_weights[-1])
    trainer = make_trainer(network, reconstruct())
    with pytest.raises(DivergenceError, match=r"term reconstruction.*learning_rate") as caught:
        trainer.run()
    assert (caught.value.epoch, caught.value.step) == (1, 1)
    assert trainer.folder.status() == "absent"


def test_a_broken_weight_that_a_rectifier_hides_is_found_before_it_is_saved(make_trainer, network):
    break_weight(network.encoder.trainable_weights[0])
    trainer = make_trainer(network, reconstruct())
    with pytest.raises(DivergenceError, match=r"not marked as finished"):
        trainer.run()
    assert trainer.folder.status() == "absent"


def break_weight(variable):
    variable.assign(np.full(variable.shape, np.nan))


def test_a_rate_that_is_too_high_diverges_aloud(make_trainer, network):
    trainer = make_trainer(
        network, reconstruct(), optimizer="sgd", learning_rate=1e6, clip_norm=0.0, epochs=30
    )
    with pytest.raises(DivergenceError):
        trainer.run()
