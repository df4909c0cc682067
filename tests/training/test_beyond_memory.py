"""Heads whose codes, targets and assignments lie in files, against the same in memory."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import sample, spill
from archbuild.heads import GMMHead, KLDHead, KMeansHead, SelfTrainingHead
from archbuild.heads.base import Head
from archbuild.spec.resolve import filled
from tests.training.conftest import STOCHASTIC, make_network, make_prior, plan_of

pytestmark = pytest.mark.graphs(False)


def of(kind: type[Head], **config) -> Head:
    given = {"n_clusters": 10, "start": "k-means", "tolerance": 0.0, **config}
    return kind(filled(given, kind.fields), plan_of())


HEADS = {
    "kld": lambda: of(KLDHead),
    "kld, target of an earlier epoch": lambda: of(KLDHead, refresh=3),
    "kld, the start as target": lambda: of(KLDHead, start="ward"),
    "kmeans": lambda: of(KMeansHead, refresh=2),
    "self_training": lambda: of(SelfTrainingHead, views=1, confidence=0.3),
    "gmm": lambda: make_prior(GMMHead, start="k-means", start_epochs=3),
}


@pytest.fixture
def few_bytes(monkeypatch):
    """Hold no more than 100 bytes in memory, and go through maps in parts of 20 codes."""
    monkeypatch.setattr(spill, "IN_MEMORY", 100)
    monkeypatch.setattr(spill, "PART_BYTES", 20 * 4 * 4)


def network(name, seed=0):
    return make_network(seed, **(STOCHASTIC if name == "gmm" else {}))


@pytest.mark.parametrize("name", HEADS)
def test_files_give_what_memory_gives(make_trainer, monkeypatch, name):
    whole = make_trainer(network(name), HEADS[name](), "memory", epochs=2).run()
    assert not spill.is_mapped(whole.codes)
    monkeypatch.setattr(spill, "IN_MEMORY", 100)
    monkeypatch.setattr(spill, "PART_BYTES", 20 * 4 * 4)
    trainer = make_trainer(network(name), HEADS[name](), "files", epochs=2)
    outcome = trainer.run()
    assert spill.is_mapped(outcome.codes)
    assert all(spill.is_mapped(rows) for rows in trainer.targets.values() if rows.ndim > 1)
    # the sums over all rows are taken in another order
    np.testing.assert_allclose(outcome.codes, whole.codes, rtol=1e-3, atol=1e-4)
    for found, expected in zip(outcome.history, whole.history, strict=True):
        assert found["loss"] == pytest.approx(expected["loss"], rel=1e-4)
        assert found["shares"] == expected["shares"]


@pytest.mark.parametrize("name", HEADS)
def test_interrupted_and_resumed_is_bit_identical(make_trainer, copies, few_bytes, name):
    whole = make_trainer(network(name), HEADS[name](), "whole", copies, epochs=2).run()
    resumed = make_trainer(network(name, seed=9), HEADS[name](), "epoch-1", epochs=2).run()
    np.testing.assert_array_equal(resumed.codes, whole.codes)
    assert resumed.history == whole.history


def test_targets_that_the_next_epoch_makes_anew_are_not_kept(make_trainer, few_bytes):
    for refresh, kept in ((1, False), (3, True)):
        trainer = make_trainer(network("kld"), of(KLDHead, refresh=refresh), f"{refresh}", epochs=1)
        trainer.train()
        arrays = trainer.folder.load_checkpoint().arrays
        assert ("target_target" in arrays) == kept


def test_a_start_looks_at_a_sample_and_the_log_says_so(make_trainer, monkeypatch, caplog):
    monkeypatch.setattr(sample, "MOST_ROWS", 40)
    caplog.set_level("INFO", logger="archbuild")
    outcome = make_trainer(network("kld"), of(KLDHead), epochs=1).run()
    assert "k-means, looks at 40 of 60 rows, drawn by the seed" in caplog.text
    assert sum(outcome.history[0]["shares"]) == pytest.approx(1, abs=1e-5)
