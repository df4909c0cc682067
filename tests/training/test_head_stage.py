"""A stage with a head: resuming bit for bit, passes over all rows, rounds and schedules."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.heads import GMMHead, GMVAEHead, KLDHead, KMeansHead, MessagesHead
from archbuild.networks.rows import to_numpy
from archbuild.training.encoding import encode
from archbuild.training.head_stage import restore_checkpoint
from tests.training.conftest import (
    ROWS,
    STOCHASTIC,
    StopAfter,
    make_network,
    make_prior,
)

pytestmark = pytest.mark.graphs(False)
SHARED = {"n_clusters": 10, "start": "k-means", "reconstruction_weight": 1.0, "tolerance": 0.0}
KLD = {"cluster_weight": 0.5, "reduction": "mean", "degrees_of_freedom": 1.0, "refresh": 1}
KMEANS = {"cluster_weight": 0.1, "distance": "squared", "refresh": 1}


def kld(**changes):
    return KLDHead({**SHARED, **KLD, **changes}, make_network().plan)


def kmeans(**changes):
    return KMeansHead({**SHARED, **KMEANS, **changes}, make_network().plan)


def gmm(**changes):
    return make_prior(GMMHead, **{"start": "k-means", **changes})


def gmvae(**changes):
    return make_prior(GMVAEHead, mc_samples=2, **changes)


def messages(**changes):
    modules = [{"type": "gmm", "inference": "gibbs", "chains": 1, "sweeps": 3}, {"type": "markov"}]
    return make_prior(MessagesHead, **{"modules": modules, "rounds": 3, **changes})


@pytest.mark.parametrize(
    "objective",
    [kld, kmeans, lambda: kld(refresh=3), lambda: kmeans(refresh=2)],
    ids=["kld", "kmeans", "kld, target of an earlier epoch", "kmeans, centres of an earlier epoch"],
)
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_interrupted_and_resumed_is_bit_identical(make_trainer, copies, objective, optimizer):
    changes = {"optimizer": optimizer, "epochs": 2}
    whole = make_trainer(make_network(), objective(), "whole", copies, **changes).run()
    trainer = make_trainer(make_network(seed=9), objective(), "epoch-1", **changes)
    saved_seconds = trainer.folder.load_checkpoint().timing["seconds"]
    resumed = trainer.run()
    np.testing.assert_array_equal(resumed.codes, whole.codes)
    assert resumed.history == whole.history
    assert resumed.seconds > saved_seconds
    assert len(whole.history) == 2


def test_every_epoch_reports_the_terms_and_the_clusters(make_trainer, network):
    row = make_trainer(network, kld(), epochs=1).run().history[0]
    assert {"epoch", "loss", "reconstruction", "divergence", "learning_rate"} <= set(row)
    assert row["occupied"] <= row["n_clusters"] == 10
    assert 0 <= row["smallest_share"] <= row["largest_share"] <= 1
    assert 0 <= row["label_change"] <= 1
    assert row["loss"] == pytest.approx(row["reconstruction"] + row["divergence"], rel=1e-5)


def test_settled_clusters_end_the_stage(make_trainer, network):
    outcome = make_trainer(network, kld(tolerance=1.0), epochs=50).run()
    assert outcome.converged
    assert len(outcome.history) == 1


def test_the_decoder_stands_still_without_reconstruction(make_trainer, network):
    before = [to_numpy(weight) for weight in network.decoder.weights]
    make_trainer(network, kld(reconstruction_weight=0.0), epochs=1).run()
    for old, new in zip(before, network.decoder.weights, strict=True):
        np.testing.assert_array_equal(old, to_numpy(new))


def test_no_epochs_are_a_stage_that_only_looks(make_trainer, network):
    outcome = make_trainer(network, kld(), epochs=0).run()
    assert outcome.history == []
    assert outcome.codes.shape == (ROWS, 4)
    assert outcome.occupancy.n_clusters == 10


# heads with a prior: noise, schedules, and a warmup before the prior begins

RISING = {"start": 0.25, "end": 1.0, "ramp": 3.0, "unit": "steps"}
PRELUDE = {"weight": 0.1, "length": 2.0}
SCRATCH = {"from_scratch": True}
FIVE_STEPS = {"batch_size": ROWS // 5}


def run_in_pieces(make_trainer, head, stops, others=range(1, 99), **changes):
    """Stopped after each of ``stops``, the first time as ``copies`` shows.

    ``others`` seed the weights that the later pieces are given, and must not use.
    """
    first, *later = stops
    place = f"epoch-{first}"
    for seed, epoch in zip(others, later, strict=False):
        network, stop = make_network(seed, **STOCHASTIC), StopAfter(epoch)
        trainer = make_trainer(network, head(), place, stop, **changes)
        with pytest.raises(KeyboardInterrupt):
            trainer.run()
    last, network = head(), make_network(others[-1], **STOCHASTIC)
    return make_trainer(network, last, place, **changes).run(), last.arrays()


@pytest.mark.parametrize(
    ("head", "changes", "stops"),
    [
        (lambda: gmm(kl_weight=RISING), {}, [2]),
        # inside the warmup, where it has just ended, after it
        (lambda: gmm(gamma_training=PRELUDE, kl_weight=RISING), SCRATCH, [1, 2, 3]),
        # while the start's clusters stand, and when they have just been let go
        (lambda: gmm(start_epochs=2), {}, [1, 2]),
        (lambda: gmvae(alpha=RISING), SCRATCH, [2]),
    ],
    ids=["gmm", "gmm with a warmup", "gmm with its start's clusters", "gmvae"],
)
def test_a_prior_interrupted_and_resumed_is_bit_identical(
    make_trainer, copies, head, changes, stops
):
    through = head()
    whole = make_trainer(make_network(**STOCHASTIC), through, "whole", copies, **changes).run()
    resumed, arrays = run_in_pieces(make_trainer, head, stops, **changes)
    assert resumed.history == whole.history
    np.testing.assert_array_equal(resumed.codes, whole.codes)
    for name, values in through.arrays().items():
        np.testing.assert_array_equal(arrays[name], values)


@pytest.mark.parametrize(
    ("changes", "stops", "warm_start"),
    [(SCRATCH, [1, 2, 3], True), ({}, [2], False)],
    ids=["from scratch, warm", "pretrained, cold"],
)
def test_rounds_interrupted_and_resumed_are_bit_identical(
    make_trainer, copies, changes, stops, warm_start
):
    def head():
        return messages(warm_start=warm_start)

    # without a warm start rounds begin with the first weights: every piece is given the same
    others = range(1, 99) if warm_start else [0] * len(stops)
    through, changes = head(), {**changes, "epochs": 2}
    whole = make_trainer(make_network(**STOCHASTIC), through, "whole", copies, **changes).run()
    resumed, arrays = run_in_pieces(make_trainer, head, stops, others, **changes)
    assert resumed.history == whole.history
    np.testing.assert_array_equal(resumed.codes, whole.codes)
    assert set(arrays) == set(through.arrays())
    for name, values in through.arrays().items():
        np.testing.assert_array_equal(arrays[name], values)


def test_each_round_is_the_epochs_of_the_stage_and_ends_with_a_look(make_trainer):
    head = messages()
    outcome = make_trainer(
        make_network(**STOCHASTIC), head, from_scratch=True, epochs=2, learning_rate=1e-2
    ).run()
    assert len(outcome.history) == 6
    assert len(head.classes) == 3
    alone, *later = outcome.history
    assert "occupied" not in alone  # until its end the first round is the network's alone
    assert all("occupied" in row for row in later)
    clusters = head.assignments(outcome.codes).argmax(axis=1)
    assert outcome.history[-1]["occupied"] == len(np.unique(clusters))


def test_the_modules_take_part_in_the_first_round_of_a_pretrained_network(make_trainer):
    head = messages(rounds=1)
    outcome = make_trainer(make_network(**STOCHASTIC), head, epochs=1).run()
    assert "occupied" in outcome.history[0]
    assert len(head.classes) == 2  # before the round, and after it


def test_without_a_warm_start_every_round_begins_with_the_first_weights(make_trainer):
    trainer = make_trainer(
        make_network(**STOCHASTIC), messages(warm_start=False), from_scratch=True, epochs=1
    )
    begun = []
    first = {name: to_numpy(v) for name, v in trainer._variables() if name.startswith("network")}
    train = trainer._train

    def watched(epoch):
        begun.append({name: to_numpy(v) for name, v in trainer._variables() if name in first})
        return train(epoch)

    trainer._train = watched
    trainer.run()
    assert len(begun) == 3
    for weights in begun:
        for name, values in first.items():
            np.testing.assert_array_equal(weights[name], values)


def test_the_rate_goes_through_its_schedule_in_every_round(make_trainer):
    trainer = make_trainer(
        make_network(**STOCHASTIC), messages(rounds=2), epochs=2, schedule="cosine"
    )
    first, second, *again = [row["learning_rate"] for row in trainer.run().history]
    assert again == [first, second]
    assert second < first


def test_the_prior_begins_where_the_prelude_ends(make_trainer):
    head = gmm(gamma_training={"weight": 0.1, "length": 3, "unit": "steps"})  # of 2 in an epoch
    outcome = make_trainer(make_network(**STOCHASTIC), head, from_scratch=True, epochs=3).run()
    *warmup, after = outcome.history
    for row in warmup:
        assert row["standard_prior"] > 0
        assert row["conditional_prior"] == row["cluster_prior"] == 0
        assert "occupied" not in row
    assert after["standard_prior"] == 0
    assert after["conditional_prior"] > 0
    assert after["label_change"] is not None


def test_a_prelude_that_outlasts_the_stage_still_leaves_clusters(make_trainer):
    head = gmm(gamma_training={"weight": 0.1, "length": 9})
    outcome = make_trainer(make_network(**STOCHASTIC), head, from_scratch=True, epochs=2).run()
    assert len(outcome.history) == 2
    assert head.is_initialised
    assert outcome.occupancy.n_clusters == 10
    fresh = gmm()
    fresh.initialise(outcome.codes)
    np.testing.assert_array_equal(head.arrays()["means"], fresh.arrays()["means"])


def test_a_pretrained_network_has_no_prelude(make_trainer):
    head = gmm(gamma_training=PRELUDE)
    history = make_trainer(make_network(**STOCHASTIC), head, epochs=1).run().history
    assert history[0]["standard_prior"] == 0
    assert history[0]["conditional_prior"] > 0


def scheduled_weights(trainer):
    """Train; return the values that every step was given, by field."""
    given, take = [], trainer._take

    def noted(steps, size):
        given.extend(step.values[1:] for step in steps)  # behind the learning rate
        return take(steps, size)

    trainer._take = noted
    trainer.run()
    return dict(zip(trainer.head.scheduled, np.transpose(given), strict=True))


def test_scheduled_weights_are_set_before_every_step(make_trainer):
    head = gmvae(alpha=RISING, eta=0.5)
    trainer = make_trainer(make_network(**STOCHASTIC), head, epochs=1, **FIVE_STEPS)
    weights = scheduled_weights(trainer)
    assert weights["alpha"] == pytest.approx([0.5, 0.75, 1, 1, 1])
    assert weights["eta"].tolist() == [0.5] * 5


def test_schedules_count_from_the_end_of_the_prelude(make_trainer):
    head = gmm(gamma_training={"weight": 0.1, "length": 1}, kl_weight={**RISING, "repeat": True})
    network = make_network(**STOCHASTIC)
    trainer = make_trainer(network, head, from_scratch=True, epochs=2, **FIVE_STEPS)
    assert scheduled_weights(trainer)["kl_weight"] == pytest.approx(
        [0.25] * 5 + [0.5, 0.75, 0.25, 0.5, 0.75]
    )


@pytest.mark.parametrize("head", [gmm, gmvae, messages])
def test_a_checkpoint_can_be_looked_at_without_its_trainer(make_trainer, feed, head):
    trained = head()
    trainer = make_trainer(make_network(**STOCHASTIC), trained, emit=StopAfter(1))
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    network, other = make_network(9, **STOCHASTIC), head()
    restore_checkpoint(network, other, trainer.folder.load_checkpoint().arrays)
    codes = encode(network.reader(other.code), feed)
    np.testing.assert_array_equal(codes, trainer.codes)
    np.testing.assert_array_equal(other.assignments(codes), trained.assignments(codes))
