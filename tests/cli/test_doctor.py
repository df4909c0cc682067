from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from archbuild.cli import doctor
from archbuild.errors import UsageError
from archbuild.models.published import PUBLISHED
from tests.cli.calling import Archbuild


def test_a_sound_machine(archbuild: Archbuild, elsewhere: Path) -> None:
    status, out, err = archbuild("doctor", "--data-dir", "mine")
    assert (status, err) == (0, "")
    assert "works (1 x 3 + 2 x 4 = 11)" in out
    assert "processor cores" in out
    assert re.search(r"^DIGITS +found", out, re.MULTILINE)
    assert "mine/COIL20" in out
    assert max(map(len, out.splitlines())) <= 100


def test_a_backend_that_does_not_start(
    archbuild: Archbuild, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> str:
        raise UsageError("Keras does not start with the backend 'nonsense'")

    monkeypatch.setattr(doctor, "start_keras", refuse)
    status, out, _ = archbuild("doctor")
    assert status == 1
    assert "backend  Keras does not start with the backend 'nonsense'" in out
    assert re.search(r"^DIGITS +found", out, re.MULTILINE)  # the rest is still said


def test_a_package_that_is_missing(
    archbuild: Archbuild, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "REQUIRED", ("numpy", "no-such-package-anywhere"))
    monkeypatch.setattr(doctor, "_backend", lambda: (True, []))
    status, out, err = archbuild("doctor")
    assert status == 1
    assert "NOT INSTALLED, and needed" in out
    assert "missing: no-such-package-anywhere" in err


def test_a_run_is_checked_and_damage_ends_with_status_1(
    archbuild: Archbuild, elsewhere: Path
) -> None:
    model = shutil.copytree(PUBLISHED / "spiral", elsewhere / "model")
    status, out, err = archbuild("doctor", "--run", "model")
    assert (status, err) == (0, "")
    assert "opens, with" in out
    next(model.glob("*/head.npz")).write_bytes(b"other")
    status, out, err = archbuild("doctor", "--run", "model")
    assert status == 1
    assert err.startswith("damaged: train-gmvae/head.npz")
