"""What needs no cluster of it; ``tests/distributed`` has the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from archbuild.errors import DataError, RunError, UsageError
from archbuild.models import ray_predictions, ray_workers
from archbuild.models.new_rows import NewRows, fingerprint
from archbuild.models.published import find_published
from archbuild.models.ray_predictions import _checked, _in_chunks, _packed, _until_answered
from archbuild.models.ray_workers import Answerer, Job, ReadingAnswerer, RowReader
from archbuild.ray_cluster import known_versions

pytestmark = pytest.mark.graphs(False)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> NewRows:
    path = tmp_path_factory.mktemp("rows") / "rows.npy"
    np.save(path, np.random.default_rng(0).random((50, 8, 8, 1), dtype=np.float32))
    return NewRows(str(path))


@pytest.fixture(scope="module")
def job(rows: NewRows) -> Job:
    stage = find_published("digits").stage
    dataset = rows.load(stage.model)
    run = str(stage.path.parent)
    return Job(stage.name, run, None, rows, fingerprint(dataset), known_versions(), chunk=20)


def block(start: int, stop: int) -> dict[str, np.ndarray]:
    numbers = np.arange(start, stop)
    return {"number": numbers, "probabilities": numbers[:, None], "latents": numbers[:, None]}


@pytest.mark.parametrize("ends", [[30, 60, 70], [70], [5, 10, 64, 70], [20, 40, 60, 70]])
def test_predictions_have_their_chunks_whatever_the_blocks_are(ends: list[int]) -> None:
    blocks = [block(start, stop) for start, stop in zip([0, *ends], ends, strict=False)]
    found = list(_in_chunks(iter(blocks), 100, chunk=20))
    assert [part.start for part in found] == [100, 120, 140, 160]
    assert [len(part.latents) for part in found] == [20, 20, 20, 10]
    assert np.concatenate([part.latents for part in found]).ravel().tolist() == [*range(70)]


def test_workers_answer_as_the_model_does(job: Job, rows: NewRows) -> None:
    model = find_published("digits").stage.model
    (expected,) = model.predict(rows.load(model))
    span = {"start": [10], "stop": [45]}
    read = ReadingAnswerer(job)(span)
    sent = Answerer(job)(RowReader(job)(span))
    for found in (read, sent):
        assert found["number"].tolist() == [*range(10, 45)]
        assert found["probabilities"].tobytes() == expected.probabilities[10:45].tobytes()
        assert found["latents"].tobytes() == expected.latents[10:45].tobytes()


def test_errors_of_workers_pass_the_others_and_are_raised_as_their_kind(job: Job) -> None:
    span = {"start": [0], "stop": [5]}
    elsewhere = replace(job, run="/nowhere/run")
    failed = Answerer(job)(RowReader(elsewhere)(span))
    with pytest.raises(RunError, match="/nowhere/run"):
        next(_checked(iter([failed]), None))
    failed = ReadingAnswerer(replace(job, fingerprint="another"))(span)
    with pytest.raises(DataError, match="holds other rows here"):
        next(_checked(iter([failed]), None))
    failed = ReadingAnswerer(replace(job, versions={"archbuild": "0.1"}))(span)
    with pytest.raises(UsageError, match=r"\(not 0\.1\)"):
        next(_checked(iter([failed]), None))


def test_what_the_system_refuses_a_worker_is_an_error_of_the_run(job: Job, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/run")

    monkeypatch.setattr(ray_workers.Model, "open", refuse)
    failed = ReadingAnswerer(job)({"start": [0], "stop": [5]})
    with pytest.raises(RunError, match=r"Permission denied: /run; is --shared right"):
        next(_checked(iter([failed]), None))


def test_a_worker_warns_once_of_rows_out_of_range(job: Job, tmp_path: Path, caplog) -> None:
    np.save(tmp_path / "far.npy", np.full((50, 8, 8, 1), 1e6, np.float32))
    far = NewRows(str(tmp_path / "far.npy"))
    dataset = far.load(find_published("digits").stage.model)
    worker = ReadingAnswerer(replace(job, rows=far, fingerprint=fingerprint(dataset)))
    blocks = [worker({"start": [start], "stop": [start + 25]}) for start in (0, 25)]
    assert ["warning" in part for part in blocks] == [True, False]
    assert len(list(_checked(iter([blocks[0], *blocks]), dataset))) == 3
    assert caplog.text.count("are they in the same units?") == 1


def test_what_is_sent_opens_as_the_run_does(job: Job, tmp_path: Path, monkeypatch) -> None:
    run = find_published("digits").run
    sent = _packed(run.folder, job.stage)
    assert "spec.json" in sent
    assert not {"metrics.json", f"{job.stage}/latents.npy"} & sent.keys()
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "get", lambda reference: reference)
    found = ReadingAnswerer(replace(job, files=[sent], run="/nowhere"))
    assert "probabilities" in found({"start": [0], "stop": [5]})


class Died(Exception):
    """Stands for Ray's."""


def test_the_rest_is_asked_again_while_workers_die_until_it_is_hopeless(monkeypatch) -> None:
    asked: list[int] = []
    fatal = [10, 10, 20]

    def blocks(ray, job, cluster, start, stop):
        asked.append(start)
        for first in range(start, stop, 10):
            if fatal and first == fatal[0]:
                del fatal[0]
                raise Died
            yield block(first, first + 10)

    monkeypatch.setattr(ray_predictions, "deaths", lambda ray: (Died,))
    monkeypatch.setattr(ray_predictions, "_blocks", blocks)
    found = list(_until_answered(None, None, None, 0, 30))
    assert np.concatenate([part["number"] for part in found]).tolist() == [*range(30)]
    assert asked == [0, 10, 10, 20]
    fatal += [0] * 4
    with pytest.raises(Died):
        list(_until_answered(None, None, None, 0, 30))
