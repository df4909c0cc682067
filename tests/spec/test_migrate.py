from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archbuild.spec import Vocabulary, validate_document
from archbuild.spec.migrate import MIGRATIONS, migrate
from archbuild.spec.top import CURRENT_VERSION

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize("version", range(CURRENT_VERSION + 1))
def test_files_of_every_version_load_for_ever(vocabulary: Vocabulary, version: int) -> None:
    files = sorted(FIXTURES.glob(f"version_{version}*"))
    assert files, "a version without a frozen file"
    for path in files:
        for spec in validate_document(path, vocabulary):
            assert spec.tree["spec_version"] == CURRENT_VERSION


def test_every_older_version_has_a_step() -> None:
    assert set(MIGRATIONS) == set(range(CURRENT_VERSION))


@pytest.mark.parametrize("version", [2, 99, -1, "1", True, None, 1.5, [1]])
def test_unknown_versions(version: Any) -> None:
    migrated, (problem,) = migrate({"name": "fc-2", "spec_version": version})
    assert migrated is None
    assert problem.path == ("spec_version",)


def test_version_1_is_not_migrated() -> None:
    tree = json.loads((FIXTURES / "version_1.json").read_text())
    assert migrate(tree) == (tree, [])
