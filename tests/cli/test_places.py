from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.calling import Archbuild


@pytest.mark.parametrize(
    "arguments", [("list", "archs"), ("-d", "DIGITS", "-a", "0", "--dry-run"), ("runs",)]
)
def test_a_working_directory_that_is_gone_is_named(
    arguments: tuple[str, ...], archbuild: Archbuild, elsewhere: Path
) -> None:
    elsewhere.rmdir()
    status, out, err = archbuild(*arguments)
    assert (status, out) == (2, "")
    assert "the working directory is not there" in err
    elsewhere.mkdir()


@pytest.mark.parametrize("most", [5, 20])
def test_a_tiny_limit_on_open_files_is_named(
    most: int, clean_environment: Mapping[str, str], tmp_path: Path
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "archbuild", "list", "heads"],
        cwd=tmp_path,
        env=clean_environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most)),
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"this shell allows {most} open files" in ended.stderr
    assert "ulimit -n 1024" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["new", "--for", "rows.csv", "--output", "own.yaml"], 0, "own.yaml: written"),
        (["clean", "--all", "--stage", "pretrain"], 0, "nothing to remove"),
        (["validate", "none.yaml"], 2, "there is no such file"),
    ],
)
@pytest.mark.parametrize("closed", [(0,), (0, 1), (0, 1, 2)])
def test_closed_streams_are_no_matter(
    arguments: list[str],
    status: int,
    said: str,
    closed: tuple[int, ...],
    clean_environment: Mapping[str, str],
    tmp_path: Path,
) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n2,4\n3,1\n")
    command = " ".join([sys.executable, "-m", "archbuild", *arguments])
    ended = subprocess.run(
        ["sh", "-c", f"exec {command} {' '.join(f'{number}>&-' for number in closed)}"],
        cwd=tmp_path,
        env=clean_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == status
    assert 2 in closed or said in ended.stderr
    assert "internal error" not in ended.stderr
    assert (tmp_path / "own.yaml").exists() == (arguments[0] == "new")
