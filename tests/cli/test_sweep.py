from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from archbuild.cli.sweep import table_text
from archbuild.experiments.sweeps import Sweep, running
from archbuild.runs import RunFolder
from tests.cli.calling import Archbuild


@pytest.fixture
def asked(elsewhere: Path, tiny: Path) -> list[str]:
    """The arguments that every sweep here begins with."""
    return ["sweep", "-d", "DIGITS", "-a", str(tiny), "--out", "out", "--seeds", "2"]


class Refusing:
    """A process that fails."""

    def __init__(self, arguments: list[str], on_event: object) -> None:
        self.error = {"kind": "SpecError", "message": f"seed {arguments[5]} was bad"}

    def run(self) -> bool:
        return False


def test_a_sweep_ends_in_a_table_and_is_not_run_again(
    archbuild: Archbuild, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    once = ["--seeds", "1", "--pretrain", "0"]
    status, out, err = archbuild(*asked, *once)
    assert status == 0, err
    heading, *rows = out.splitlines()
    assert heading.split()[:5] == ["space", "method", "seeds", "ACC", "median"]
    named = [row.split()[:3] for row in rows]
    assert named == [["raw", "k-means", "1"], ["pretrain", "k-means", "1"]]
    said = err.splitlines()
    assert said[0] == "seed 0 kld: begins"
    assert said[1].startswith("seed 0 kld: done, ACC 0.")
    assert said[-1].startswith("the table is in out/sweeps/DIGITS-tiny.json")
    assert (
        Path("out/sweeps/DIGITS-tiny.csv")
        .read_text()
        .startswith("seed,space,method,supervision,labels_used,error,sequence_error,acc,")
    )

    monkeypatch.setattr(running, "Child", None)  # no process is started again
    again = archbuild(*asked, *once)
    assert (again.status, again.out) == (0, out)
    assert again.err.splitlines()[0].startswith("seed 0 kld: already done, ACC 0.")

    status, out, _ = archbuild(*asked, *once, "--json")
    assert status == 0
    assert json.loads(out) == json.loads(Path("out/sweeps/DIGITS-tiny.json").read_text())


def test_failures_are_named_at_the_end(
    archbuild: Archbuild, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "Child", Refusing)
    status, out, err = archbuild(*asked, "--pretrain", "1", "--head", "kld,kmeans")
    assert (status, out) == (1, "no run has been measured\n")
    assert "4 of 4 failed" in err
    assert "    seed 1 kmeans: seed 1 was bad" in err.splitlines()
    status, _, err = archbuild(*asked, "--pretrain", "1", "--json")
    *_, end, whole, _, error = map(json.loads, err.splitlines())
    assert status == 1
    assert (end["event"], end["run"], end["state"]) == ("run_ends", "seed 1", "failed")
    assert (whole["event"], whole["done"], whole["failed"]) == ("sweep_ends", 0, 2)
    assert (error["event"], error["exit_status"]) == ("error", 1)


def test_quiet_leaves_the_table(
    archbuild: Archbuild, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "Child", Refusing)
    status, _, err = archbuild(*asked, "--pretrain", "1", "--quiet")
    assert status == 1
    assert err.startswith("archbuild: 2 of 2 failed")


def test_a_stopped_sweep_says_how_to_go_on(
    archbuild: Archbuild, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(self: Sweep, processes: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Sweep, "run", stop)
    status, out, err = archbuild(*asked, "--pretrain", "1")
    assert (status, out) == (130, "")
    assert "stopped with 0 of 2 done; the same command goes on from there" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "add --pretrain and --cluster, or --train"),
        (["--pretrain", "1", "--grid", "batch_size"], "expected KEY=VALUE,VALUE"),
        (["--pretrain", "1", "--grid", "batch_size=0,64"], "batch_size"),
        (["--pretrain", "1", "--head", "kld,kmean"], "Did you mean 'kmeans'"),
        (["--pretrain", "1", "--seeds", "0"], "not a whole number from 1"),
    ],
)
def test_a_mistake_is_told_before_anything_is_run(
    archbuild: Archbuild, asked: list[str], arguments: list[str], said: str
) -> None:
    status, out, err = archbuild(*asked, *arguments)
    assert (status, out) == (2, "")
    assert said.lower() in err.lower()
    assert not Path("out").exists()


def test_ctrl_c_brings_the_process_to_a_safe_point(
    asked: list[str], clean_environment: Mapping[str, str]
) -> None:
    run = RunFolder(Path("out/saved_params/DIGITS/tiny/0"))
    with subprocess.Popen(
        [sys.executable, "-m", "archbuild", *asked, "--pretrain", "5000"],
        env=clean_environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + 120
        while run.stage("pretrain").status() == "absent" and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, ""), err
    assert err.splitlines() == [
        "seed 0 kld: begins",
        "stopping at the next safe point; Ctrl-C again stops at once",
        "seed 0 kld: stopped",
        "archbuild: stopped with 0 of 2 done; the same command goes on from there",
    ]
    assert not run.in_use()
    run.stage("pretrain").verify()


def row(setting: Mapping[str, str], space: str, **scores: float) -> dict[str, Any]:
    """One of the table, of two seeds."""
    spread = {
        name: {
            "mean": value,
            "std": 0.01,
            "median": value,
            "best": {"seed": 1, "value": value + 0.01},
            "worst": {"seed": 0, "value": value - 0.01},
        }
        for name, value in scores.items()
    }
    return {
        "setting": dict(setting),
        "space": space,
        "method": "head",
        "seeds": [0, 1],
        "scores": spread,
    }


def test_the_table_of_labelled_data_goes_by_accuracy() -> None:
    rows = [
        row({"batch_size": size}, "kld", acc=0.5, nmi=0.4, silhouette=0.3) for size in ("64", "8")
    ]
    heading, first, _ = table_text({"grid": {"batch_size": ["64", "8"]}, "table": rows}).split("\n")
    assert heading.split("  ")[0] == "batch_size"
    assert first.split() == [
        *("64", "kld", "head", "2", "0.5000", "±", "0.0100", "0.5000"),
        *("0.5100", "(1)", "0.4900", "(0)", "0.4000", "±", "0.0100"),
    ]
    assert "silhouette" not in heading


def test_a_row_says_how_many_labels_were_used() -> None:
    alone = row({}, "probe", acc=0.3) | {"supervision": "semi-supervised", "labels_used": 1000}
    _, first = table_text({"grid": {}, "table": [alone]}).split("\n")
    assert "head, 1,000 labels" in first


def test_the_table_without_labels_goes_by_silhouette() -> None:
    alone = row({}, "kld", silhouette=0.3)
    alone["scores"]["silhouette"]["std"] = None
    heading, first = table_text({"grid": {}, "table": [alone]}).split("\n")
    assert heading.split()[3] == "silhouette"
    assert first.split()[3:5] == ["0.3000", "0.3000"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--range", "batch_size=8..64"], "are for a search: add --search N"),
        (["--by", "silhouette"], "are for a search: add --search N"),
        (["--search", "3"], "nothing to search over"),
        (["--search", "3", "--grid", "batch_size=8,9", "--by", "acc"], "labels never choose"),
        (["--address", "h:1"], "for a Ray cluster only"),
    ],
)
def test_options_that_mean_nothing_together_are_refused(
    archbuild: Archbuild, asked: list[str], words: list[str], message: str
) -> None:
    status, out, err = archbuild(*asked, "--pretrain", *words)
    assert (status, out) == (2, "")
    assert message in err


def test_a_search_says_which_setting_was_best(
    archbuild: Archbuild, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("optuna")
    monkeypatch.setattr(running, "Child", Refusing)
    words = ["--pretrain", "--cluster", "--search", "2", "--grid", "batch_size=599,300"]
    status, out, err = archbuild(*asked, *words, "--json")
    assert status == 1
    found = json.loads(out)
    assert found["search"] == {"score": "silhouette", "trials": 2, "best": None}
    assert len([*Path("out/sweeps").glob("DIGITS-tiny-search-silhouette-*.journal")]) == 1
    assert "failed, and the table is without them" in err
