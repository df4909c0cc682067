from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import Archbuild


@pytest.mark.parametrize("kind", ["dense", "conv", "conv1d"])
def test_what_is_written_validates(archbuild: Archbuild, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "mine.yaml"
    status, out, err = archbuild("new", "--kind", kind, path)
    assert (status, out) == (0, "")
    assert f"archbuild validate {path}" in err
    assert archbuild("new", "--kind", kind).out == path.read_text()
    assert archbuild("validate", path).status == 0


def test_an_existing_file_is_kept(archbuild: Archbuild, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("mine")
    status, _, err = archbuild("new", path)
    assert status == 2
    assert "exists already" in err
    assert path.read_text() == "mine"


def test_a_name_that_would_not_be_read_as_yaml(archbuild: Archbuild, tmp_path: Path) -> None:
    status, _, err = archbuild("new", tmp_path / "mine.json")
    assert status == 2
    assert "archbuild new --kind dense mine.yaml" in err
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there(archbuild: Archbuild, tmp_path: Path) -> None:
    status, _, err = archbuild("new", tmp_path / "none" / "mine.yaml")
    assert status == 2
    assert "no such file or directory" in err
