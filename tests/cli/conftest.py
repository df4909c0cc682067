"""The command line as users call it, in this process and in one of its own."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from archbuild.cli.main import main
from tests.cli.calling import PRIOR, SPEC, Archbuild, Ended


@pytest.fixture
def archbuild(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Archbuild:
    """Call ``archbuild`` with arguments, in this process."""

    def call(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["archbuild", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Ended(ended.value.code, captured.out, captured.err)

    return call


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no datasets from outside."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ARCHBUILD_DATA", raising=False)
    return tmp_path


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A spec for DIGITS that trains in no time."""
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(SPEC))
    return path


@pytest.fixture
def prior(tmp_path: Path) -> Path:
    """A spec for DIGITS with a mixture prior, that can be trained from scratch."""
    path = tmp_path / "prior.json"
    head = {**PRIOR["head"], "gamma_training": {"weight": 5e-4, "length": 1}}
    path.write_text(json.dumps({**PRIOR, "head": head}))
    return path


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a terminal gives a program, also where the suite runs without one."""
    monkeypatch.setenv("TERM", "xterm")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
