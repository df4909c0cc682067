"""What is measured once is kept with the run, and measured again when anything has changed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from archbuild.errors import RunError
from archbuild.evaluation.n_clusters import Candidate, Suggestion
from archbuild.experiments.job import Job, JobRequest
from archbuild.models import suggestion
from archbuild.models.suggestion import command, in_text, suggest_for
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
def job(tmp_path):
    overrides = ("pretrain.epochs=0", "head.n_clusters=4")
    job = Job(JobRequest("DIGITS", "0", overrides=overrides, seed=3, out=tmp_path))
    job.pretrain()
    return job


def test_the_answer_is_kept_and_read_again(job, asked):
    first = suggest_for(job, 2, 5)
    assert suggest_for(job, 2, 5) == first == found(3)
    assert asked == [((1797, 10), (2, 3, 4, 5), 3)]
    document = json.loads((job.run.path / "n_clusters.json").read_text())
    assert Suggestion.from_json(document) == first
    assert (
        document["source"]["latents"] == job.run.stage(PRETRAIN).manifest()["files"]["latents.npy"]
    )


def test_other_candidates_and_a_damaged_file_are_measured_anew(job, asked):
    suggest_for(job, 2, 5)
    suggest_for(job, 2, 6)
    (job.run.path / "n_clusters.json").write_text("{")
    suggest_for(job, 2, 6)
    assert [candidates[-1] for _, candidates, _ in asked] == [5, 6, 6]


def test_other_latents_are_measured_anew(job, asked):
    suggest_for(job)
    folder = job.run.stage(PRETRAIN)
    manifest = folder.manifest()
    np.save(folder.file("latents.npy"), np.zeros((1797, 10), np.float32))
    with pytest.raises(RunError, match=r"latents\.npy is damaged"):
        suggest_for(job)
    manifest["files"]["latents.npy"] = suggestion_digest(folder)
    folder.file("manifest.json").write_text(json.dumps(manifest))
    suggest_for(job)
    assert len(asked) == 2


def suggestion_digest(folder):
    from archbuild.io.atomic import sha256

    return sha256(folder.file("latents.npy"))


def test_a_picture_that_was_lost_is_drawn_again(job, asked):
    suggest_for(job)
    (job.plots / "candidates.png").unlink()
    suggest_for(job)
    assert (job.plots / "candidates.png").is_file()


def test_the_command_has_one_number_of_clusters(job):
    assert command(job, "auto").count("head.n_clusters") == 1
    assert "--set head.n_clusters=auto" in command(job, "auto")


def test_the_text_ends_with_the_words():
    assert in_text(found(3)).splitlines()[-2:] == ["", found(3).in_words()]
