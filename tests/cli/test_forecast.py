"""What ``--dry-run`` prints, and that it leaves nothing behind."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from archbuild.cli.forecast import duration_text, forecast_text
from archbuild.experiments.forecast import Forecast, MemoryForecast, StageForecast
from tests.cli.calling import Archbuild

FOUND = Forecast(
    run=Path("run"),
    n_rows=1797,
    shape=(1, 8, 8),
    parameters=1234567,
    stages=(
        StageForecast("pretrain", "finished", 5, 5, 0),
        StageForecast(
            "cluster-kld", "resumes", 20, 3, 113, 330, 3.0, 0.004, 0.5, 11.5, 10_000, 30_000
        ),
    ),
    memory=MemoryForecast(1000, 2000, 3000, 4000, 5000, 10**9, 4 * 10**9),
    disk_free=10**9,
    notes=("not counted: pictures",),
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.00412, "4.1 ms"),
        (0.25, "250 ms"),
        (3.14, "3.1 s"),
        (61, "61 s"),
        (200, "3.3 min"),
        (3000, "50 min"),
        (9000, "2:30:00 h"),
    ],
)
def test_durations_have_the_unit_that_fits(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_the_text_has_every_part() -> None:
    lines = [" ".join(line.split()) for line in forecast_text(FOUND).splitlines()]
    assert lines[1] == "pretrain finished 5/5 - - - - 0 s"
    assert lines[2] == "cluster-kld resumes 3/20 113 4 ms 500 ms 3.0 s 12 s"
    assert "rows 1,797 of 1x8x8" in lines
    assert "parameters 1,234,567 of the network, 330 of the head" in lines
    assert "time about 12 s" in lines
    assert "memory about 1.0 GB at a time; available: 4.0 GB" in lines
    assert "disk 10.0 kB to stay, 30.0 kB while training; available: 1.0 GB" in lines
    assert lines[-1] == "not counted: pictures"


def test_what_a_system_does_not_tell_is_unknown() -> None:
    text = forecast_text(replace(FOUND, memory=MemoryForecast()))
    assert "available: unknown" in text
    assert "this system does not measure them" in text


@pytest.mark.graphs(False)
def test_a_dry_run_leaves_nothing_behind(archbuild: Archbuild, elsewhere: Path, tiny: Path) -> None:
    before = sorted(elsewhere.rglob("*"))
    asked = ["-d", "DIGITS", "-a", str(tiny), "--pretrain", "2", "--cluster", "1", "--dry-run"]
    status, out, err = archbuild(*asked, "--json", "--out", "out")
    assert status == 0
    assert sorted(elsewhere.rglob("*")) == before
    document = json.loads(out)
    assert [stage["name"] for stage in document["stages"]] == ["pretrain", "cluster-kld"]
    assert document["parameters"]["network"] == 580
    assert (document["rows"], document["shape"]) == (1797, [1, 8, 8])
    assert document["seconds"] == pytest.approx(
        sum(stage["seconds"] for stage in document["stages"]), abs=0.1
    )
    assert '"event": "stage_begins"' not in err


def test_a_dry_run_is_one_of_stages(archbuild: Archbuild, elsewhere: Path, tiny: Path) -> None:
    asked = ["-d", "DIGITS", "-a", str(tiny), "--metrics", "--dry-run"]
    status, out, err = archbuild(*asked)
    assert (status, out) == (2, "")
    assert "--dry-run forecasts stages: add --pretrain" in err
