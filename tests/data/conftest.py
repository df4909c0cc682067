from __future__ import annotations

import os
from pathlib import Path

import pytest

from archbuild.data import find_datasets


@pytest.fixture
def real_data() -> Path:
    """The folder with the real datasets, for the tests that look at them."""
    folder = os.environ.get("ARCHBUILD_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("ARCHBUILD_DATA names no folder with the real datasets")
    return Path(folder)


def found(data: Path, name: str) -> tuple[bool, str]:
    """What ``find_datasets`` answers for one name."""
    return next((ok, where) for each, ok, where in find_datasets(data) if each == name)
