"""An experiment whose spec binarises: drawn rows in training, one binarisation for the rest."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from archbuild.data.binarise import fixed
from archbuild.errors import RunError, UsageError
from archbuild.io.atomic import sha256
from archbuild.models.exports import graph_of
from tests.small_runs import make_experiment
from tests.training.conftest import StopAfter

pytestmark = pytest.mark.graphs(False)
BINARY = {"binarise": "sample", "reconstruction": "bernoulli", "pretrain": {"epochs": 2}}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A pretrained experiment."""
    experiment = make_experiment(tmp_path_factory.mktemp("binarised"), **BINARY)
    experiment.pretrain()
    return experiment


def test_resuming_draws_what_would_have_been_drawn(done, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        make_experiment(tmp_path, StopAfter(1), **BINARY).pretrain()
    again = make_experiment(tmp_path, **BINARY)
    again.pretrain()
    for name in ("latents.npy", "model.weights.h5", "history.jsonl"):
        ours, theirs = (each.folder.stage("pretrain").path / name for each in (again, done))
        assert sha256(ours) == sha256(theirs), name


def test_whoever_reads_the_run_sees_the_fixed_pixels(done):
    run, rows = done.results(), np.arange(20)
    pixels = fixed(done.dataset.rows(rows))
    model = run.stage("pretrain").model
    for feed in (run.feed, model.feed(done.dataset)):
        np.testing.assert_array_equal(feed.clean(rows), pixels)
    codes = model.codes(run.feed)
    np.testing.assert_array_equal(codes[:, : model.plan.latent_size], run.values("pretrain"))


def test_weights_of_binary_rows_are_not_those_of_grey_ones(done):
    grey = make_experiment(done.request.out, **{**BINARY, "binarise": "none"})
    with pytest.raises(RunError, match="binarise: sample -> absent"):
        grey.cluster()


def test_values_that_are_no_probabilities_are_refused_before_training(tmp_path):
    with pytest.raises(UsageError, match=r"binarise: sample needs values from 0 to 1(.|\n)*to 16"):
        make_experiment(tmp_path, **BINARY, data={"divide_by": 1 / 16}).pretrain()


def test_an_exported_encoder_says_that_it_takes_pixels(done, caplog):
    with caplog.at_level(logging.WARNING, "archbuild"):
        graph_of(done.results().stage("pretrain").model, "encoder")
    assert "give it rows of 0 and 1" in caplog.text
