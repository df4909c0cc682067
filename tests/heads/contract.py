"""What every head must do, archbuild's own and those of other packages."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archbuild.data import dataset_from_arrays
from archbuild.data.scaling import Scaler
from archbuild.data.supervision import chosen_labels
from archbuild.errors import SpecError
from archbuild.heads import Head
from archbuild.heads.base import HISTORY_COLUMNS
from archbuild.io.atomic import save_npz
from archbuild.layers import LAYERS
from archbuild.layers.shapes import channels_last
from archbuild.networks.builder import build_network
from archbuild.networks.rows import to_numpy
from archbuild.runs import StageFolder
from archbuild.spec import Plan, make_plan, spec_from_tree
from archbuild.spec.vocabulary import Vocabulary
from archbuild.training.bounds import bound_of
from archbuild.training.feed import Feed
from archbuild.training.head_stage import HeadTrainer
from archbuild.training.progress import EpochDone, Event, EventHandler, log_event
from archbuild.training.stage import StageOutcome

ROWS, CLUSTERS = 60, 3


class Case:
    """A head's type on a small network, with what is needed to train it."""

    def __init__(
        self, kind: type[Head], config: dict[str, Any], folder: Path, keys: dict[str, Any]
    ) -> None:
        self.kind, self.folder = kind, folder
        if any(field.name == "n_clusters" for field in kind.fields):
            config = {"n_clusters": CLUSTERS, **config}
        self.vocabulary = Vocabulary(layers=LAYERS, heads={kind.name: kind})
        self.tree = {
            "spec_version": 1,
            "name": "small",
            "batch_size": ROWS // 2,
            "output_non_linearity": "linear",
            "layers": [
                {"type": "Input", "output_shape": [6]},
                {"type": "Dense", "num_units": 5},
                {"type": "Gaussian", "num_units": 2},
            ],
            "head": {"type": kind.name, **config},
            "cluster": {"epochs": 2},
            **keys,
        }
        self.spec = spec_from_tree(self.tree, self.vocabulary)
        values = np.random.default_rng(0).normal(size=(ROWS, 6)).astype("float32")
        values += np.repeat(np.eye(6, dtype="float32")[:CLUSTERS] * 6, ROWS // CLUSTERS, axis=0)
        classes = np.repeat(np.arange(CLUSTERS), ROWS // CLUSTERS)
        rows = values.reshape(ROWS, *channels_last(self.spec.input_shape))
        dataset = dataset_from_arrays("blobs", rows, classes)
        self.labels, self.labelled_batch = None, None
        if self.spec.supervision is not None:
            self.labels = chosen_labels(dataset, self.spec.supervision, 0)
            self.labelled_batch = self.spec.supervision["batch_size"]
        self.feed = Feed(dataset, Scaler.fit(dataset, "none"))

    @property
    def plan(self) -> Plan:
        return make_plan(self.spec, self.vocabulary)

    def new_head(self) -> Head:
        return self.kind(self.spec.head.config, self.plan, 0)

    def trainer(self, name: str, emit: EventHandler) -> HeadTrainer:
        """A trainer in a folder of that name, which may hold a checkpoint."""
        stage = StageFolder(self.folder / name)
        stage.begin({"of": "the contract"})
        network = build_network(self.plan, self.vocabulary, 0)
        settings = self.spec.settings("cluster")
        return HeadTrainer(
            f"cluster-{self.kind.name}",
            settings,
            network,
            self.new_head(),
            self.feed,
            stage,
            0,
            emit,
            labels=self.labels,
            labelled_batch=self.labelled_batch,
        )

    def copy_first_epoch(self, event: Event) -> None:
        """Keep in ``cut`` what there is after it: what is left where a process ends there."""
        if isinstance(event, EpochDone) and event.row["epoch"] == 1:
            shutil.copytree(self.folder / "whole", self.folder / "cut")


def run_head_contract(
    kind: type[Head], folder: Path, keys: dict[str, Any] | None = None, **config: Any
) -> None:
    """Check a head's type against its contract.

    Args:
        kind: the type; a Gaussian bottleneck and a decoder are there for it.
        folder: an empty one, for checkpoints.
        keys: of the spec, for heads that need another network.
        config: fields that differ from their defaults.
    """
    case = Case(kind, config, folder, keys or {})
    _its_fields_are_a_spec(case)
    trainer = case.trainer("whole", case.copy_first_epoch)
    before = [to_numpy(variable) for variable in trainer.network.encoder.trainable_variables]
    outcome = trainer.run()
    if kind.learns:
        _its_loss_is_finite_and_moves_the_encoder(trainer, outcome, before)
        _a_resumed_stage_ends_bit_for_bit(case, trainer, outcome)
    else:
        _it_leaves_the_network_alone(trainer, outcome, before)
    _its_answers_depend_on_nothing_else(trainer.head, outcome.codes)
    _it_is_saved_and_restored(case, trainer.head, outcome.codes)
    _others_can_ask_what_it_has(trainer)
    _its_levels_can_be_varied(trainer)
    _its_evidence_is_an_estimate_for_each_row(trainer)


def _its_fields_are_a_spec(case: Case) -> None:
    again = spec_from_tree(case.spec.tree, case.vocabulary)
    assert again == case.spec
    assert list(case.kind.check(case.spec.head.config, case.plan)) == []
    unknown = {**case.tree, "head": {**case.tree["head"], "no_such_field": 1}}
    with pytest.raises(SpecError, match="no_such_field"):
        spec_from_tree(unknown, case.vocabulary)


def _its_loss_is_finite_and_moves_the_encoder(
    trainer: HeadTrainer, outcome: StageOutcome, before: list[np.ndarray]
) -> None:
    terms = {*trainer.head.term_names, *trainer.head.monitored_names}
    for row in outcome.history:
        assert set(row) <= terms | HISTORY_COLUMNS
        assert np.all(np.isfinite([row[name] for name in trainer.model.term_names]))
        summed = sum(row[name] for name in trainer.head.term_names if name in row)
        assert row["loss"] == pytest.approx(summed, rel=1e-4, abs=1e-5)
    paths = [variable.path for variable in trainer.model.trainable_variables]
    assert len({*paths}) == len(paths)  # by which PyTorch finds gradients of before
    after = [to_numpy(variable) for variable in trainer.network.encoder.trainable_variables]
    assert all(np.all(np.isfinite(weights)) for weights in after)
    assert any(np.any(one != other) for one, other in zip(before, after, strict=True))


def _it_leaves_the_network_alone(
    trainer: HeadTrainer, outcome: StageOutcome, before: list[np.ndarray]
) -> None:
    assert outcome.history == []
    assert outcome.occupancy is not None
    after = [to_numpy(variable) for variable in trainer.network.encoder.trainable_variables]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def _a_resumed_stage_ends_bit_for_bit(
    case: Case, whole: HeadTrainer, outcome: StageOutcome
) -> None:
    resumed = case.trainer("cut", log_event)
    assert resumed.folder.load_checkpoint().epoch == 1
    again = resumed.run()
    assert again.history == outcome.history
    np.testing.assert_array_equal(again.codes, outcome.codes)
    _same(resumed.head.arrays(), whole.head.arrays())
    for one, other in zip(resumed.network.variables, whole.network.variables, strict=True):
        np.testing.assert_array_equal(to_numpy(one), to_numpy(other))


def _its_answers_depend_on_nothing_else(head: Head, codes: np.ndarray) -> None:
    """Neither on chance nor on which rows are asked about together."""
    if head.answers == "nothing":
        with pytest.raises(NotImplementedError, match=head.name):
            head.assign(codes)
        return
    found = head.assignments(codes)
    assert found.shape == (ROWS, CLUSTERS)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    parts = [head.assignments(part) for part in np.split(codes, [1, 20])]
    np.testing.assert_array_equal(np.concatenate(parts), found)


def _it_is_saved_and_restored(case: Case, head: Head, codes: np.ndarray) -> None:
    path = case.folder / "head.npz"
    save_npz(path, head.arrays())
    fresh = case.new_head()
    with np.load(path, allow_pickle=False) as arrays:
        fresh.restore(dict(arrays))
    assert fresh.is_initialised
    if head.answers != "nothing":
        np.testing.assert_array_equal(fresh.assignments(codes), head.assignments(codes))
    _same(fresh.arrays(), head.arrays())


def _others_can_ask_what_it_has(trainer: HeadTrainer) -> None:
    head, rng = trainer.head, np.random.default_rng(0)
    assert head.answers in ("clusters", "classes", "nothing")
    assert head.labels_used in ("never", "some", "all")
    centres = head.centres()
    assert centres is None or centres.shape == (CLUSTERS, 2)
    if not head.generates:
        with pytest.raises(NotImplementedError, match=head.name):
            head.sample_rows(trainer.network, 2, rng)
        return
    drawn = head.sample_rows(trainer.network, 2, rng)
    assert np.all(np.isfinite(drawn))
    if head.answers == "nothing":
        assert drawn.shape == (1, 2, 6)
        return
    assert drawn.shape == (CLUSTERS, 2, 6)
    if "components" not in head.figures():
        return
    means, variances = head.components()
    assert means.shape == variances.shape == (CLUSTERS, 2)
    assert np.all(variances > 0)


def _its_levels_can_be_varied(trainer: HeadTrainer) -> None:
    """One at a time, where a head has several; the pictures of a head without them say nothing."""
    head, rng = trainer.head, np.random.default_rng(0)
    assert ("levels" in head.figures()) == bool(head.latent_names)
    if not head.latent_names:
        with pytest.raises(NotImplementedError, match=head.name):
            head.sample_level(trainer.network, 1, 2, rng)
    for level in range(1, len(head.latent_names) + 1):
        drawn = head.sample_level(trainer.network, level, 4, rng)
        assert drawn.shape == (1 if head.answers == "nothing" else CLUSTERS, 4, 6)
        assert np.all(np.isfinite(drawn))
        assert np.all(np.any(np.ptp(drawn, axis=1) > 0, axis=1))


def _its_evidence_is_an_estimate_for_each_row(trainer: HeadTrainer) -> None:
    """With more draws its bound rises, and nothing that training goes on from has moved."""
    head, network = trainer.head, trainer.network
    if "bound_samples" not in head.config:
        with pytest.raises(NotImplementedError, match=head.name):
            head.evidence(network, trainer.feed.clean(np.arange(2)), 1)
        return
    if head.reconstruction == "squared_error":
        return
    before = [to_numpy(variable) for variable in head.variables]
    bounds = [bound_of(network, head, trainer.feed, samples, 0) for samples in (1, 70)]
    assert bounds[1].elbo < bounds[1].nats
    assert bounds[0].elbo == pytest.approx(bounds[0].nats)
    assert bound_of(network, head, trainer.feed, 70, 0).nats == bounds[1].nats
    for one, other in zip(before, head.variables, strict=True):
        np.testing.assert_array_equal(one, to_numpy(other))


def _same(found: Any, expected: Any) -> None:
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)
