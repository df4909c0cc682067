from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from archbuild.errors import RunError
from archbuild.evaluation.collapse import occupancy
from archbuild.training.progress import EpochDone
from archbuild.training.scalars import EventFiles

ROOT = Path(__file__).resolve().parents[2]
CLUSTERS = np.array([0, 0, 1])
LOSSES = [3.0, 2.0]


def row(epoch: int) -> dict:
    """What a head's epoch leaves in the history."""
    spread = occupancy(CLUSTERS, 2, CLUSTERS if epoch > 1 else None)
    return {"epoch": epoch, "loss": LOSSES[epoch - 1], "learning_rate": 0.1, **asdict(spread)}


def test_tensorboard_reads_what_was_written(tmp_path):
    reading = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="needs tensorboard"
    )
    files = EventFiles(tmp_path / "logs")
    for epoch in (1, 2):
        files(EpochDone("cluster-kld", 2, row(epoch)))
    read = reading.EventAccumulator(str(tmp_path / "logs" / "cluster-kld")).Reload()
    losses = read.Scalars("loss/loss")  # before the file is closed: TensorBoard looks on
    files.close()
    assert [(event.step, event.value) for event in losses] == [(1, 3.0), (2, 2.0)]
    assert set(read.Tags()["scalars"]) == {
        "learning_rate",
        "loss/loss",
        *(f"clusters/{name}" for name in ("occupied", "n_clusters", "entropy", "label_change")),
        *(f"clusters/{name}_share" for name in ("smallest", "largest")),
    }
    assert [event.step for event in read.Scalars("clusters/label_change")] == [2]


def test_each_stage_has_a_folder_of_its_own(tmp_path):
    pytest.importorskip("tensorboard", reason="needs tensorboard")
    files = EventFiles(tmp_path)
    for stage in ("pretrain", "cluster-kld"):
        files(EpochDone(stage, 2, row(1)))
    files.close()
    names = {path.parent.name: path.name for path in tmp_path.glob("*/*")}
    assert set(names) == {"pretrain", "cluster-kld"}
    assert all(name.startswith("events.out.tfevents.") for name in names.values())


def test_tensorflow_is_not_imported_for_it(tmp_path):
    pytest.importorskip("tensorboard", reason="needs tensorboard")
    code = (
        "import sys; from pathlib import Path; from archbuild.training.scalars import EventFiles\n"
        "from archbuild.training.progress import EpochDone\n"
        f"row = {{'epoch': 1, 'learning_rate': 0.1}}; files = EventFiles(Path({str(tmp_path)!r}))\n"
        "files(EpochDone('s', 1, row))\n"
        "print('tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert ended.stdout == "False False\n"


def test_where_it_is_not_installed_the_log_names_the_extra(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    EventFiles(tmp_path)(EpochDone("pretrain", 2, row(1)))
    (record,) = caplog.records
    assert record.levelno == logging.INFO  # warnings are shown on the terminal
    assert "pip install 'archbuild[tensorboard]'" in record.message


def test_a_damaged_installation_keeps_nobody_from_training(tmp_path, monkeypatch, caplog):
    pytest.importorskip("tensorboard", reason="needs tensorboard")
    damaged = tmp_path / "tensorboard" / "__init__.py"
    damaged.parent.mkdir()
    damaged.write_text('raise TypeError("descriptors cannot be created")')
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    files = EventFiles(tmp_path / "logs")
    for epoch in (1, 2):
        files(EpochDone("pretrain", 2, row(epoch)))
    assert not files.folder.exists()
    (record,) = caplog.records
    assert "the package tensorboard fails: descriptors cannot be created" in record.message


def test_a_folder_that_cannot_be_made(tmp_path):
    pytest.importorskip("tensorboard", reason="needs tensorboard")
    (tmp_path / "logs").touch()
    with pytest.raises(RunError, match="cannot write"):
        EventFiles(tmp_path / "logs")(EpochDone("pretrain", 2, row(1)))


def test_a_stage_folder_that_is_a_link_is_refused(tmp_path):
    pytest.importorskip("tensorboard", reason="needs tensorboard")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "logs" / "run").mkdir(parents=True)
    (tmp_path / "logs" / "run" / "pretrain").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="logs/run/pretrain is a symbolic link"):
        EventFiles(tmp_path / "logs" / "run")(EpochDone("pretrain", 2, row(1)))
    assert list((tmp_path / "elsewhere").iterdir()) == []
