from __future__ import annotations

import json
from pathlib import Path

import pytest

from archbuild.cli.runs import size_text
from tests.cli.calling import Archbuild
from tests.runs.making import make_run

ROWS = [{"space": "pretrain", "method": "k-means", "acc": 0.81234, "nmi": 0.7}]


def test_the_list_for_people(archbuild: Archbuild, elsewhere: Path) -> None:
    make_run(Path(), rows=ROWS)
    make_run(Path("sweeps/DIGITS/tiny/x=1"), seed=3, stages={"pretrain": "running"}, age=9)
    make_run(Path(), "OTHER", stages={}, age=99)
    status, out, err = archbuild("runs")
    assert (status, err) == (0, "")
    heading, first, best, second, where, third = out.splitlines()
    assert heading.split() == ["dataset", "arch", "seed", "changed", "size", "stages"]
    assert first.split()[:3] == ["DIGITS", "tiny", "0"]
    assert first.endswith(" kB  pretrain 2/3 finished")
    assert best.strip() == "best: ACC 0.8123 NMI 0.7000 (pretrain, k-means)"
    assert second.endswith("pretrain 2/3 stopped")
    assert where.strip() == "in sweeps/DIGITS/tiny/x=1"
    assert third.endswith("no epoch yet")


def test_the_list_for_programs(archbuild: Archbuild, elsewhere: Path) -> None:
    run = make_run(Path("out"), rows=ROWS)
    status, out, _ = archbuild("runs", "--out", "out", "--json")
    (entry,) = json.loads(out)["runs"]
    assert status == 0
    assert entry["path"] == str(run.path)
    assert entry["stages"] == {"pretrain": {"state": "finished", "epoch": 2, "epochs": 3}}
    assert entry["best"]["acc"] == 0.81234
    assert entry["size"] > 1000
    assert entry["in_use"] is False


def test_where_nothing_was_run(archbuild: Archbuild, elsewhere: Path) -> None:
    assert archbuild("runs") == (0, "", "no runs in saved_params\n")
    assert json.loads(archbuild("runs", "--json").out) == {"runs": []}


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_400, "99.4 kB"),
        (99_960, "100 kB"),
        (999_600, "1.0 MB"),
        (123_456_789, "123 MB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_sizes_have_two_or_three_digits(size: int, text: str) -> None:
    assert size_text(size) == text
