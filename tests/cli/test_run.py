from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from archbuild import results
from tests.cli.calling import SPEC, Archbuild

HEADINGS = ["space", "method", "ACC", "NMI", "ARI", "silhouette", "Calinski-Harabasz"]


@pytest.fixture
def job(elsewhere: Path, tiny: Path) -> list[str]:
    """The arguments that every command here begins with."""
    return ["-d", "DIGITS", "-a", str(tiny), "--out", "out"]


def newest_log(folder: Path) -> str:
    return max(
        (folder / "out" / "logs").iterdir(), key=lambda path: path.stat().st_mtime
    ).read_text()


def test_the_main_job_from_the_first_epoch_to_the_table(
    archbuild: Archbuild, job: list[str], elsewhere: Path
) -> None:
    stages = ["--pretrain", "2", "--cluster", "1", "--metrics"]
    status, out, err = archbuild(*job, *stages)
    assert status == 0
    heading, *rows = [line.split() for line in out.splitlines()]
    assert heading[:7] == HEADINGS
    spaces = [["raw", "k-means"], ["pretrain", "k-means"], ["kld", "k-means"], ["kld", "head"]]
    assert [row[:2] for row in rows] == spaces
    assert err.splitlines()[0].startswith("DIGITS: 1,797 rows of 1x8x8; tiny: 580 parameters")
    assert len(re.findall(r"^(pretrain|cluster-kld) \d/\d  loss ", err, re.MULTILINE)) == 3

    run = elsewhere / "out" / "saved_params" / "DIGITS" / "tiny" / "0"
    assert {path.name for path in run.iterdir() if not path.name.startswith(".")} == {
        "spec.json", "pretrain", "cluster-kld", "metrics.json",
    }  # fmt: skip
    log = newest_log(elsewhere)
    for said in (
        "command: archbuild -d DIGITS",
        ", tensorflow ",
        "backend: ",
        "pretrain 2/2  loss",
    ):
        assert said in log
    assert "ended well after" in log.splitlines()[-1]

    status, out, err = archbuild(*job, *stages, "--json")
    assert status == 0
    document = json.loads(out)
    assert document["stages"]["pretrain"]["epochs"] == 2
    assert document["metrics"] == json.loads((run / "metrics.json").read_text())
    assert "pretrain: already done (2 epochs)" in err
    assert "cluster-kld: already done (1 epoch)" in err


def test_a_changed_setting_is_refused_with_the_difference_until_fresh(
    archbuild: Archbuild, job: list[str]
) -> None:
    assert archbuild(*job, "--pretrain", "1").status == 0
    status, out, err = archbuild(*job, "--pretrain", "2")
    assert (status, out) == (2, "")
    assert "spec.pretrain.epochs: 1 -> 2" in err
    assert archbuild(*job, "--pretrain", "2", "--fresh").status == 0


def test_without_a_number_the_specs_own_epochs_count(
    archbuild: Archbuild, job: list[str], tiny: Path
) -> None:
    stages = {"pretrain": {"epochs": 2}, "cluster": {"epochs": 1}}
    tiny.write_text(json.dumps({**SPEC, **stages}))
    status, _, err = archbuild(*job, "--pretrain", "--cluster")
    assert status == 0
    assert "pretrain: 2 epochs of 8 steps" in err
    assert "cluster-kld: 1 epochs of 8 steps" in err


def test_a_head_says_which_command_makes_what_it_starts_from(
    archbuild: Archbuild, job: list[str], elsewhere: Path
) -> None:
    status, out, err = archbuild(*job, "--cluster", "1")
    assert (status, out) == (2, "")
    assert "--pretrain" in err
    assert "not finished: 'cluster-kld' starts from" in newest_log(elsewhere)


def test_a_run_that_breaks_down_ends_with_1(archbuild: Archbuild, job: list[str]) -> None:
    options = ["--set", "pretrain.optimizer=sgd", "--set", "pretrain.learning_rate=1e30"]
    status, out, err = archbuild(*job, "--pretrain", "3", *options, "--set", "pretrain.warm_up=0")
    assert (status, out) == (1, "")
    assert "stopped being finite in stage 'pretrain'" in err


def test_quiet_leaves_results_only(archbuild: Archbuild, job: list[str]) -> None:
    status, out, err = archbuild(*job, "--metrics", "--quiet")
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ["space", "raw"]


def test_pictures_are_named(
    archbuild: Archbuild, job: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "draw", lambda _: [Path("a.png"), Path("b.png")])
    status, out, err = archbuild(*job, "--visualize", "--json")
    assert status == 0
    assert json.loads(out)["pictures"] == ["a.png", "b.png"]
    assert "2 pictures in out/plots/DIGITS/tiny/0" in err


def test_a_defect_leaves_its_traceback_in_the_log(
    archbuild: Archbuild, job: list[str], elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "measure", lambda _: 1 // 0)
    status, _, err = archbuild(*job, "--metrics")
    assert status == 1
    assert "that is a defect: ZeroDivisionError" in err
    assert "the log says where: out/logs/" in err
    assert "ZeroDivisionError" in newest_log(elsewhere)
    assert "Traceback" in newest_log(elsewhere)


def test_a_folder_that_cannot_be_written(archbuild: Archbuild, job: list[str]) -> None:
    Path("file").touch()
    status, _, err = archbuild(*job, "--metrics", "--out", "file/out")
    assert status == 2
    assert "choose another with --out" in err


def test_images_that_cannot_be_read_are_warned_of(
    archbuild: Archbuild, job: list[str], elsewhere: Path
) -> None:
    from PIL import Image

    folder = elsewhere / "images"
    folder.mkdir()
    for index in range(12):
        Image.new("L", (8, 8), 20 * index).save(folder / f"{index}.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    wanted = [*job, "-d", "images", "--metrics", "--set", "head.n_clusters=2"]
    status, _, err = archbuild(*wanted)
    assert status == 0
    assert "warning: images: 1 images cannot be read" in err
    assert "WARNING images: 1 images cannot be read" in newest_log(elsewhere)
    assert archbuild(*wanted, "--quiet").err == ""


def test_ctrl_c_says_how_to_go_on_and_another_process_has_to_wait(
    archbuild: Archbuild, job: list[str], elsewhere: Path, clean_environment: Mapping[str, str]
) -> None:
    command = [sys.executable, "-m", "archbuild", *job, "--pretrain", "5000"]
    with subprocess.Popen(
        command, env=clean_environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        said = ""
        while "pretrain 2/5000" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        status, _, refusal = archbuild(*job, "--pretrain", "5000")
        process.send_signal(signal.SIGINT)
        out, rest = process.communicate(timeout=60)
    assert (status, process.returncode, out) == (2, 130, "")
    assert f"in use by process {process.pid}" in refusal
    *_, last = rest.splitlines()
    assert re.fullmatch(
        r"archbuild: stopped after pretrain \d+/5000; the same command goes on from there", last
    )
    assert "I0000" not in said  # nor any other word of TensorFlow's
    assert said.splitlines()[1:3] == ["starting Keras", "pretrain: 5000 epochs of 8 steps"]
    assert "not finished: stopped after pretrain" in newest_log(elsewhere)
