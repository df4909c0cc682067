"""What is measured once is kept with the run, and measured again when anything has changed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from archbuild.errors import RunError
from archbuild.evaluation.n_clusters import Candidate, Suggestion
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.models import suggestion
from archbuild.models.suggestion import in_text, suggest_for
from archbuild.runs.names import PRETRAIN


def found(n_clusters):
    candidates = (Candidate(2, 0.5, 0.9, 4.0, None), Candidate(3, 0.6, 0.8, 3.0, 0.25))
    return Suggestion(n_clusters, True, (), 5.0, 99, candidates)


@pytest.fixture
def asked(monkeypatch):
    """What was measured, in place of measuring."""
    calls = []

    def answer(latents, candidates, seed):
        calls.append((latents.shape, tuple(candidates), seed))
        return found(2 + len(calls) % 2)

    monkeypatch.setattr(suggestion, "suggest", answer)
    return calls


@pytest.fixture
def experiment(tmp_path):
    overrides = ("pretrain.epochs=0", "head.n_clusters=4")
    experiment = Experiment(
        ExperimentRequest("DIGITS", "0", overrides=overrides, seed=3, out=tmp_path)
    )
    experiment.pretrain()
    return experiment


def test_the_answer_is_kept_and_read_again(experiment, asked):
    first = suggest_for(experiment.results(), 2, 5)
    assert suggest_for(experiment.results(), 2, 5) == first == found(3)
    assert asked == [((1797, 32), (2, 3, 4, 5), 3)]
    document = json.loads((experiment.folder.path / "n_clusters.json").read_text())
    assert Suggestion.from_json(document) == first
    assert (
        document["source"]["latents"]
        == experiment.folder.stage(PRETRAIN).manifest()["files"]["latents.npy"]
    )


def test_other_candidates_and_a_damaged_file_are_measured_anew(experiment, asked):
    suggest_for(experiment.results(), 2, 5)
    suggest_for(experiment.results(), 2, 6)
    (experiment.folder.path / "n_clusters.json").write_text("{")
    suggest_for(experiment.results(), 2, 6)
    assert [candidates[-1] for _, candidates, _ in asked] == [5, 6, 6]


def test_other_latents_are_measured_anew(experiment, asked):
    suggest_for(experiment.results())
    folder = experiment.folder.stage(PRETRAIN)
    manifest = folder.manifest()
    np.save(folder.file("latents.npy"), np.zeros((1797, 10), np.float32))
    with pytest.raises(RunError, match=r"latents\.npy is damaged"):
        suggest_for(experiment.results())
    manifest["files"]["latents.npy"] = suggestion_digest(folder)
    folder.file("manifest.json").write_text(json.dumps(manifest))
    suggest_for(experiment.results())
    assert len(asked) == 2


def suggestion_digest(folder):
    from archbuild.io.atomic import sha256

    return sha256(folder.file("latents.npy"))


def test_the_text_ends_with_the_words():
    assert in_text(found(3)).splitlines()[-2:] == ["", found(3).in_words()]
