from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archbuild import figures
from archbuild.cli.progress import Progress
from archbuild.data import registry
from archbuild.figures import drawing
from archbuild.io.atomic import sha256
from archbuild.models import measuring
from archbuild.training.progress import EpochDone, Event
from tests.cli.calling import SPEC, Archbuild

pytestmark = pytest.mark.graphs(False)
HEADINGS = ["space", "method", "ACC", "NMI", "ARI", "purity", "ACC-AAE", "silhouette"]


@pytest.fixture
def asked(elsewhere: Path, tiny: Path) -> list[str]:
    """The arguments that every command here begins with."""
    return ["-d", "DIGITS", "-a", str(tiny), "--out", "out"]


def newest_log(folder: Path) -> str:
    return max(
        (folder / "out" / "logs").iterdir(), key=lambda path: path.stat().st_mtime
    ).read_text()


@pytest.mark.graphs(True)
def test_the_main_command_from_the_first_epoch_to_the_table(
    archbuild: Archbuild, asked: list[str], elsewhere: Path
) -> None:
    stages = ["--pretrain", "2", "--cluster", "1", "--metrics"]
    status, out, err = archbuild(*asked, *stages)
    assert status == 0
    heading, *rows = [line.split() for line in out.splitlines()]
    assert heading[: len(HEADINGS)] == HEADINGS
    spaces = [["raw", "k-means"], ["pretrain", "k-means"], ["kld", "k-means"], ["kld", "head"]]
    assert [row[:2] for row in rows] == spaces
    assert err.splitlines()[0].startswith("DIGITS: 1,797 rows of 1x8x8; tiny: 580 parameters")
    assert len(re.findall(r"^(pretrain|cluster-kld) \d/\d  loss ", err, re.MULTILINE)) == 3
    assert "first clusters of 1,797 rows, by " in err

    run = elsewhere / "out" / "saved_params" / "DIGITS" / "tiny" / "0"
    assert {path.name for path in run.iterdir() if not path.name.startswith(".")} == {
        "spec.json", "pretrain", "cluster-kld", "metrics.json",
    }  # fmt: skip
    log = newest_log(elsewhere)
    for said in (
        "command: archbuild -d DIGITS",
        ", tensorflow ",
        "backend: ",
        "INFO network: fc[4] fc[64] rsh\n",
        "pretrain 2/2  loss",
    ):
        assert said in log
    assert "ended well after" in log.splitlines()[-1]

    status, out, err = archbuild(*asked, *stages, "--json")
    assert status == 0
    document = json.loads(out)
    assert document["stages"]["pretrain"]["epochs"] == 2
    assert document["metrics"] == json.loads((run / "metrics.json").read_text())
    assert "already done (2 epochs)" in err
    assert "already done (1 epoch)" in err


def test_a_changed_setting_is_refused_with_the_difference_until_fresh(
    archbuild: Archbuild, asked: list[str]
) -> None:
    assert archbuild(*asked, "--pretrain", "1").status == 0
    status, out, err = archbuild(*asked, "--pretrain", "2")
    assert (status, out) == (2, "")
    assert "spec.pretrain.epochs: 1 -> 2" in err
    assert archbuild(*asked, "--pretrain", "2", "--fresh").status == 0


def test_a_head_that_trains_nothing_has_no_epochs(
    archbuild: Archbuild, asked: list[str], elsewhere: Path
) -> None:
    head = ["--head", "manifold", "--set", "head.start=k-means"]
    stages = ["--pretrain", "1", "--cluster", "5", "--visualize"]
    status, _, err = archbuild(*asked, *head, *stages)
    assert status == 0, err
    assert "the manifold head trains nothing: no epochs" in err
    drawn = {path.name for path in (elsewhere / "out" / "plots").rglob("*.png")}
    assert {"curves-pretrain.png", "scatter-manifold.png", "clusters-manifold.png"} <= drawn
    assert "curves-cluster-manifold.png" not in drawn
    status, _, err = archbuild(*asked, *head, "--cluster", "5")
    assert (status, "trains nothing" in err) == (0, False), err


def test_a_precision_is_kept_with_the_run_and_advised_against_on_processor_cores(
    archbuild: Archbuild, asked: list[str]
) -> None:
    mixed = [*asked, "--pretrain", "1", "--precision", "mixed_bfloat16"]
    status, _, err = archbuild(*mixed)
    assert status == 0
    assert "--precision mixed_bfloat16 is for accelerators" in err
    status, out, err = archbuild(*asked, "--pretrain", "1")
    assert (status, out) == (2, "")
    assert "precision: mixed_bfloat16 -> absent" in err
    assert archbuild(*mixed, "--metrics").status == 0


def test_without_a_number_the_specs_own_epochs_count(
    archbuild: Archbuild, asked: list[str], tiny: Path
) -> None:
    stages = {"pretrain": {"epochs": 2}, "cluster": {"epochs": 1}}
    tiny.write_text(json.dumps({**SPEC, **stages}))
    status, _, err = archbuild(*asked, "--pretrain", "--cluster")
    assert status == 0
    assert "pretrain: 2 epochs of 3 steps" in err
    assert "cluster-kld: 1 epoch of 3 steps" in err


def test_a_head_says_which_command_makes_what_it_starts_from(
    archbuild: Archbuild, asked: list[str], elsewhere: Path
) -> None:
    status, out, err = archbuild(*asked, "--cluster", "1")
    assert (status, out) == (2, "")
    assert "--pretrain" in err
    assert "not finished: 'cluster-kld' starts from" in newest_log(elsewhere)


def test_a_run_that_breaks_down_ends_with_1(archbuild: Archbuild, asked: list[str]) -> None:
    options = ["--set", "pretrain.optimizer=sgd", "--set", "pretrain.learning_rate=1e30"]
    status, out, err = archbuild(*asked, "--pretrain", "3", *options, "--set", "pretrain.warm_up=0")
    assert (status, out) == (1, "")
    assert "stopped being finite in stage 'pretrain'" in err


def test_quiet_leaves_results_only(archbuild: Archbuild, asked: list[str]) -> None:
    status, out, err = archbuild(*asked, "--metrics", "--quiet")
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ["space", "raw"]


def test_pictures_are_named(
    archbuild: Archbuild, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "draw", lambda _: [Path("a.png"), Path("b.png")])
    status, out, err = archbuild(*asked, "--pretrain", "0", "--visualize", "--json")
    assert status == 0
    assert json.loads(out)["pictures"] == ["a.png", "b.png"]
    assert "2 pictures in out/plots/DIGITS/tiny/0" in err


def test_before_the_first_epoch_there_is_nothing_to_draw(
    archbuild: Archbuild, asked: list[str], elsewhere: Path
) -> None:
    status, out, err = archbuild(*asked, "--visualize", "--json")
    assert (status, json.loads(out)["pictures"]) == (0, [])
    assert "nothing to draw: out/saved_params/DIGITS/tiny/0 holds no epoch" in err
    assert "the run is in" not in err
    assert not (elsewhere / "out" / "saved_params").exists()


def test_an_internal_error_leaves_its_traceback_in_the_log(
    archbuild: Archbuild, asked: list[str], elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "measure", lambda _: 1 // 0)
    status, _, err = archbuild(*asked, "--metrics")
    assert status == 1
    assert "internal error: ZeroDivisionError" in err
    assert "the traceback is in the log: out/logs/" in err
    assert "ZeroDivisionError" in newest_log(elsewhere)
    assert "Traceback" in newest_log(elsewhere)


def test_a_folder_that_cannot_be_written(archbuild: Archbuild, asked: list[str]) -> None:
    Path("file").touch()
    status, _, err = archbuild(*asked, "--metrics", "--out", "file/out")
    assert status == 2
    assert "check the folder, or choose another" in err


def test_images_that_cannot_be_read_are_warned_of(
    archbuild: Archbuild, asked: list[str], elsewhere: Path
) -> None:
    from PIL import Image

    folder = elsewhere / "images"
    folder.mkdir()
    for index in range(12):
        Image.new("L", (8, 8), 20 * index).save(folder / f"{index}.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    wanted = [*asked, "-d", "images", "--metrics", "--set", "head.n_clusters=2"]
    status, _, err = archbuild(*wanted)
    assert status == 0
    assert "warning: images: 1 images cannot be read" in err
    assert "WARNING images: 1 images cannot be read" in newest_log(elsewhere)
    assert archbuild(*wanted, "--quiet").err == ""


def test_held_out_rows_that_are_missing_do_not_cost_the_table(
    archbuild: Archbuild, asked: list[str], elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = replace(registry.DATASETS["DIGITS"], held_out="SERKET3000")
    monkeypatch.setattr(registry, "DATASETS", {**registry.DATASETS, "DIGITS": linked})
    status, out, err = archbuild(*asked, "--pretrain", "0", "--cluster", "0", "--metrics")
    assert status == 0
    methods = [line.split()[1] for line in out.splitlines()]
    assert methods == ["method", "k-means", "k-means", "k-means", "head"]
    assert re.search("^warning: nothing is measured on held-out rows: .*SERKET", err, re.MULTILINE)
    assert "WARNING nothing is measured on held-out rows" in newest_log(elsewhere)


def test_ctrl_c_says_how_to_go_on_and_another_process_has_to_wait(
    archbuild: Archbuild, asked: list[str], elsewhere: Path, clean_environment: Mapping[str, str]
) -> None:
    command = [sys.executable, "-m", "archbuild", *asked, "--pretrain", "5000"]
    with subprocess.Popen(
        command, env=clean_environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        said = ""
        while "pretrain 2/5000" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        status, _, refusal = archbuild(*asked, "--pretrain", "5000")
        process.send_signal(signal.SIGINT)
        out, rest = process.communicate(timeout=60)
    assert (status, process.returncode, out) == (2, 130, "")
    assert f"in use by process {process.pid}" in refusal
    *_, last = rest.splitlines()
    assert re.fullmatch(
        r"archbuild: stopped after pretrain \d+/5000; the same command goes on from there", last
    )
    assert "I0000" not in said  # nor any other word of TensorFlow's
    assert said.splitlines()[1:3] == ["starting Keras", "pretrain: 5000 epochs of 3 steps"]
    assert "not finished: stopped after pretrain" in newest_log(elsewhere)


# training from scratch: --train


def files_of(stage: Path) -> dict[str, str]:
    """Digests of a stage's files; the manifest holds times."""
    paths = (path for path in stage.iterdir() if path.name != "manifest.json")
    return {path.name: sha256(path) for path in sorted(paths)}


@pytest.fixture
def scratch(elsewhere: Path, prior: Path) -> list[str]:
    """As ``asked``, for the spec with a mixture prior."""
    return ["-d", "DIGITS", "-a", str(prior), "--out", "out"]


def test_a_head_that_refines_says_so_before_anything_is_trained(
    archbuild: Archbuild, asked: list[str]
) -> None:
    status, out, err = archbuild(*asked, "--pretrain", "1", "--train", "1")
    assert (status, out) == (2, "")
    assert "ask for --pretrain 50 --cluster 20 in place of --train" in err
    assert "pretrain 1/1" not in err


def test_a_mixture_from_scratch_needs_something_to_be_fitted_to(
    archbuild: Archbuild, scratch: list[str]
) -> None:
    without = ["--set", "head.gamma_training=null"]
    status, _, err = archbuild(*scratch, *without, "--train", "1")
    assert status == 2
    assert "--pretrain 50 --cluster 50" in err
    assert "--set 'head.gamma_training={weight: 5e-4, length: 50}'" in err


@pytest.mark.parametrize(("length", "unit"), [(2, "epochs"), (3, "epochs"), (5, "steps")])
def test_gamma_training_that_leaves_no_epoch_is_refused(
    archbuild: Archbuild, scratch: list[str], length: int, unit: str
) -> None:
    gamma = f"head.gamma_training={{weight: 1, length: {length}, unit: {unit}}}"
    status, _, err = archbuild(*scratch, "--train", "2", "--set", gamma)
    begins = 2 if unit == "steps" else length  # of 3 steps each
    assert status == 2
    assert f"begin after {begins} epochs of head.gamma_training, and train.epochs is 2" in err
    assert f"--train {2 * begins}" in err


def test_training_from_scratch_goes_on_where_it_was_stopped(
    archbuild: Archbuild, scratch: list[str], elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Progress.__call__

    def press_ctrl_c(self: Progress, event: Event) -> None:
        whole(self, event)
        if isinstance(event, EpochDone) and event.row["epoch"] == 1:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "__call__", press_ctrl_c)
        status, _, err = archbuild(*scratch, "--train", "3")
    assert status == 130
    assert "stopped after train-gmm 1/3; the same command goes on from there" in err
    status, _, err = archbuild(*scratch, "--train", "3")
    assert status == 0
    assert "train-gmm: 3 epochs of 3 steps, resumed after epoch 1" in err
    assert archbuild(*scratch, "--train", "3", "--out", "whole").status == 0
    stage = Path("saved_params", "DIGITS", "prior", "0", "train-gmm")
    assert files_of("out" / stage) == files_of("whole" / stage)


def test_no_stage_touches_what_owes_it_nothing(
    archbuild: Archbuild, scratch: list[str], elsewhere: Path
) -> None:
    stages = ["--pretrain", "1", "--cluster", "1", "--train", "2"]
    status, out, _ = archbuild(*scratch, *stages, "--metrics", "--json")
    assert status == 0
    spaces = [row["space"] for row in json.loads(out)["metrics"]["rows"] if row["method"] == "head"]
    assert spaces == ["gmm", "train-gmm"]

    assert archbuild(*scratch, "--train", "2", "--out", "alone").status == 0
    run = Path("saved_params", "DIGITS", "prior", "0")
    refined, trained = files_of("out" / run / "cluster-gmm"), files_of("out" / run / "train-gmm")
    assert files_of("alone" / run / "train-gmm") == trained

    assert archbuild(*scratch, "--train", "2", "--fresh").status == 0
    assert files_of("out" / run / "cluster-gmm") == refined
    status, _, err = archbuild(*scratch, "--pretrain", "1", "--fresh")
    assert status == 0
    assert "cluster-gmm: dropped, it was trained on the old weights" in err
    assert not files_of("out" / run / "cluster-gmm")
    assert files_of("out" / run / "train-gmm") == trained


def test_a_stage_of_another_network_says_which_option_makes_it_anew(
    archbuild: Archbuild, scratch: list[str]
) -> None:
    assert archbuild(*scratch, "--train", "2").status == 0
    other = ["--set", "layers[1].num_units=9"]
    status, _, err = archbuild(*scratch, *other, "--metrics")
    assert status == 2
    assert "layers[1].num_units: 16 -> 9" in err
    assert "train again with --fresh --train" in err


# pictures of a run that another process trains


def test_a_run_in_training_can_be_looked_at(
    archbuild: Archbuild,
    elsewhere: Path,
    clean_environment: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    titles = titles_of(monkeypatch, "draw_curves", "draw_generated", "draw_components")
    asked = ["-d", "SPIRAL", "-a", "0", "--out", "out"]
    command = [sys.executable, "-m", "archbuild", *asked, "--train", "1000000", "--quiet"]
    manifest = Path("out/saved_params/SPIRAL/gmvae-spiral/0/train-gmvae/manifest.json")
    with subprocess.Popen(command, env=clean_environment) as trainer:
        try:
            while not manifest.exists():
                assert trainer.poll() is None
                time.sleep(0.1)
            status, out, err = archbuild(*asked, "--visualize", "--json")
            assert trainer.poll() is None
        finally:
            trainer.kill()
    assert status == 0, err
    assert {Path(path).name for path in json.loads(out)["pictures"]} == {
        f"{what}-train-gmvae.png"
        for what in ("curves", "occupancy", "components", "generated", "surface")
    }
    assert all(Path(path).stat().st_size > 5000 for path in json.loads(out)["pictures"])
    assert len(titles) == 3
    assert all(re.search(r", epoch [1-9]\d*, not finished$", title) for title in titles)
    assert json.loads(manifest.read_text())["epoch"] > 1  # the trainer was not disturbed


def titles_of(monkeypatch: pytest.MonkeyPatch, *names: str) -> list[str]:
    """The titles of the pictures that these draw, as they are drawn."""
    titles = []

    def listening(draw: Any) -> Any:
        def drawing(*arguments: Any, **options: Any) -> Any:
            titles.extend(each for each in arguments if isinstance(each, str) and " · " in each)
            return draw(*arguments, **options)

        return drawing

    for name in names:
        draw_one = getattr(figures, name)
        monkeypatch.setattr(f"{draw_one.__module__}.{name}", listening(draw_one))
    return titles
