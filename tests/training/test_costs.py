"""The measured parts of a stage, and how often each occurs."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from archbuild.heads import KMeansHead
from archbuild.runs import StageFolder
from archbuild.spec.resolve import filled
from archbuild.training import costs
from archbuild.training.costs import Passes, costs_of, passes_left
from archbuild.training.pretraining import Reconstruct
from tests.training.conftest import ROWS, make_network, plan_of

pytestmark = pytest.mark.graphs(False)


def k_means(**config):
    return KMeansHead(filled({"n_clusters": 10, **config}, KMeansHead.fields), plan_of())


@pytest.fixture
def measure(make_trainer, tmp_path):
    """The costs of a stage of the small network; keywords change its settings."""

    def measure(objective=None, **changes):
        head = objective if isinstance(objective, KMeansHead) else None
        trainer = make_trainer(make_network(), objective or Reconstruct("squared_error"), **changes)
        return costs_of(trainer, head, StageFolder(tmp_path / "costs")), trainer

    return measure


def test_a_stage_without_a_head_has_steps_an_encoding_and_a_checkpoint(measure):
    found, trainer = measure()
    assert min(found.startup, found.step, found.encoding, found.saving) > 0
    assert found.refresh == found.measuring == 0
    weights = sum(np.prod(variable.shape) for variable in trainer.network.trainable_variables)
    assert found.gradient_bytes == 4 * weights
    assert found.checkpoint_bytes > found.weight_bytes + found.optimizer_bytes
    assert found.call_bytes == 3 * ROWS * 64 * 4
    assert found.row_bytes == ROWS * 4 * 4


def test_a_head_looks_at_all_rows_besides(measure):
    found, trainer = measure(k_means())
    assert found.refresh > 0
    assert found.measuring > 0
    assert all(len(rows) == ROWS for rows in trainer.targets.values())
    assert found.row_bytes > ROWS * (4 + 10) * 4


def test_few_rows_stand_for_all(measure, monkeypatch):
    monkeypatch.setattr(costs, "_sample_size", lambda *_: ROWS // 3)
    found, trainer = measure(k_means())
    assert all(len(rows) == ROWS for rows in trainer.targets.values())
    assert found.row_bytes > ROWS * (4 + 10) * 4


def test_a_smaller_last_batch_is_taken_once_and_not_timed(measure, monkeypatch):
    sizes = []
    from archbuild.training.stage import StageTrainer

    take = StageTrainer.take
    monkeypatch.setattr(
        StageTrainer,
        "take",
        lambda self, batches, *rest: (
            sizes.append([len(batch) for batch in batches]) or take(self, batches, *rest)
        ),
    )
    measure(batch_size=25)
    assert sizes[:3] == [[25], [10], [25]]
    assert all(set(each) == {25} for each in sizes[3:])
    assert len(sizes) == 3 + costs._CALLS


def test_passes_of_pretraining_are_the_last_encoding(make_trainer):
    trainer = make_trainer(make_network(), Reconstruct("squared_error"))
    assert passes_left(trainer, None, done=1) == Passes(1, 0, 0)


def test_passes_of_a_head_are_those_of_the_epochs_that_are_left(make_trainer):
    head = k_means(refresh=2)
    trainer = make_trainer(make_network(), head, epochs=6)
    assert passes_left(trainer, head, done=0) == Passes(7, 3, 7)
    assert passes_left(trainer, head, done=3) == Passes(4, 2, 4)


def test_passes_begin_where_the_head_does_and_validation_is_a_part_of_the_rows(make_trainer):
    head = k_means()
    trainer = make_trainer(make_network(), head, epochs=6)
    trainer.begins = 4
    assert passes_left(trainer, head, done=0) == Passes(3, 2, 3)
    trainer.validation = SimpleNamespace(rows=np.arange(ROWS // 2))
    assert passes_left(trainer, head, done=0).encodings == 3 + 6 / 2
