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
