"""Every archbuild command in the README and in docs/ runs as it stands, with one epoch for many."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(document: Path) -> list[str]:
    """The lines of its code blocks that start with ``archbuild``, one epoch in place of many."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", document.read_text(), re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    shortened = [re.sub(r"--(pretrain|cluster) \d+", r"--\1 1", line) for line in lines]
    return [line for line in shortened if line.startswith("archbuild ")]


@pytest.fixture
def folder(tmp_path, rng):
    """An empty folder but for the user's table that the documents speak of."""
    groups = rng.integers(0, 3, 90)
    values = rng.normal(size=(90, 6)) + 4 * groups[:, None]
    rows = [",".join(f"{value:.3f}" for value in row) for row in values]
    lines = [f"{row},group {group}" for row, group in zip(rows, groups, strict=True)]
    header = "a,b,c,d,e,f,label"
    (tmp_path / "mine.csv").write_text("\n".join([header, *lines]) + "\n")
    return tmp_path


def test_the_readme_has_commands_to_run():
    assert len(commands(ROOT / "README.md")) >= 8


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_commands_run_one_after_the_other(document, folder):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for line in commands(document):
        arguments = shlex.split(line, comments=True)[1:]
        done = subprocess.run(
            [sys.executable, "-m", "archbuild", *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"


@pytest.mark.parametrize("document", [*DOCUMENTS, ROOT / "CONTRIBUTING.md"], ids=lambda p: p.name)
def test_the_links_lead_somewhere(document):
    links = re.findall(r"\]\(([^)#:]+)\)", document.read_text())
    missing = [link for link in links if not (document.parent / link).exists()]
    assert missing == []


def test_the_printed_spec_is_valid(tmp_path):
    from archbuild.spec import validate_document
    from archbuild.vocabulary import default_vocabulary

    block = re.search(r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text(), re.S | re.M)
    (tmp_path / "readme.yaml").write_text(block[1])
    (spec,) = validate_document(tmp_path / "readme.yaml", default_vocabulary())
    assert np.prod(spec.input_shape) == 784
