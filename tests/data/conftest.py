from __future__ import annotations

import os
from pathlib import Path

import pytest

from archbuild.data import find_datasets
from archbuild.data.guard import reading
from archbuild.data.request import Arrays, ReadRequest


@pytest.fixture
def real_data() -> Path:
    """The folder with the real datasets, for the tests that look at them."""
    folder = os.environ.get("ARCHBUILD_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("ARCHBUILD_DATA names no folder with the real datasets")
    return Path(folder)


@pytest.fixture(autouse=True)
def in_this_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let readers that work apart work here, which is quicker; ``test_apart`` tests the way."""
    if request.path.stem != "test_apart":
        from archbuild.data import apart

        def here(reader: apart.Reader, asked: ReadRequest, form: str, hangs: bool) -> Arrays:
            with reading(asked.path, form):
                return reader(asked)

        monkeypatch.setattr(apart, "_read", here)


def found(data: Path, name: str) -> tuple[bool, str]:
    """What ``find_datasets`` answers for one name."""
    return next((ok, where) for each, ok, where in find_datasets(data) if each == name)
