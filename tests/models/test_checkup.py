"""What the check of a run folder finds: damage of each kind, and what only differs here."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from archbuild.io.atomic import sha256
from archbuild.models.checkup import check_run

pytestmark = pytest.mark.graphs(False)
HEAD = "cluster-gmm"


@pytest.fixture
def run(gmm_runs: Path, tmp_path: Path) -> Path:
    """A copy of a run with both stages; its rows still lie where training read them."""
    (found,) = (gmm_runs / "clustered").glob("saved_params/*/*/0")
    return shutil.copytree(found, tmp_path / "run")


def found(run: Path, state: str) -> dict[str, str]:
    return {each.subject: each.text for each in check_run(run) if each.state == state}


def edit(run: Path, stage: str, change) -> None:
    """Change the manifest of a stage."""
    path = run / stage / "manifest.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_a_whole_run_is_good(run: Path) -> None:
    assert {each.state for each in check_run(run)} == {"good"}
    assert found(run, "good")["data"].startswith("150 rows")


def test_every_damaged_file_is_named(run: Path) -> None:
    (run / "pretrain" / "latents.npy").write_bytes(b"other")
    (run / HEAD / "head.npz").unlink()
    assert set(found(run, "damaged")) == {"pretrain/latents.npy", f"{HEAD}/head.npz"}


def test_a_damaged_manifest_or_spec_does_not_end_the_check(run: Path) -> None:
    (run / HEAD / "manifest.json").write_text("{}")
    damaged = found(run, "damaged")
    assert [subject.partition("/")[0] for subject in damaged] == [HEAD]
    (run / "spec.json").write_text("[")
    assert "spec.json" in found(run, "damaged")


def test_arrays_of_other_shapes_with_right_digests_are_damage(run: Path) -> None:
    latents = run / "pretrain" / "latents.npy"
    np.save(latents, np.zeros((150, 7), np.float32))
    edit(run, "pretrain", lambda m: m["files"].update({"latents.npy": sha256(latents)}))
    assert "expected latents of 3" in found(run, "damaged")["pretrain, arrays"]


def test_other_versions_only_differ(run: Path) -> None:
    edit(run, HEAD, lambda m: m["versions"].update({"keras": "0.1", "elsewhere": "1"}))
    differs = found(run, "differs")
    assert differs["keras"].startswith("the run: 0.1; here: ")
    assert differs["elsewhere"] == "the run: 1; here: not installed"
    assert not found(run, "damaged")


def test_rows_that_are_gone_or_changed_only_differ(run: Path) -> None:
    edit(run, "pretrain", lambda m: m["origin"].update({"location": None}))
    edit(run, HEAD, lambda m: m["origin"].update({"location": None}))
    assert "does not record" in found(run, "differs")["data"]
    place = {"dataset": str(run / "gone.npz"), "data_dir": None}
    edit(run, HEAD, lambda m: m["origin"].update({"location": place}))
    assert "gone.npz" in found(run, "differs")["data"]


def test_another_pretrained_network_differs(run: Path) -> None:
    edit(run, HEAD, lambda m: m["request"].update({"pretrain": "0" * 64}))
    assert "another pretrained network" in found(run, "differs")[HEAD]
    shutil.rmtree(run / "pretrain")
    assert "no longer here" in found(run, "differs")[HEAD]
