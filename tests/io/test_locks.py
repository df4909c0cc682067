"""A lock is seen without being touched."""

from __future__ import annotations

import os

import pytest
from filelock import FileLock

from archbuild.io.locks import is_locked


def test_a_lock_is_seen_while_it_is_held(tmp_path):
    path = tmp_path / ".lock"
    with FileLock(path):
        assert is_locked(path)
    assert not is_locked(path)


def test_a_look_makes_no_file(tmp_path):
    assert not is_locked(tmp_path / ".lock")
    assert list(tmp_path.iterdir()) == []


def test_a_look_holds_nothing(tmp_path):
    path = tmp_path / ".lock"
    path.touch()
    assert not is_locked(path)
    with FileLock(path, timeout=0):
        assert is_locked(path)


def test_a_link_is_no_lock(tmp_path):
    link = tmp_path / ".lock"
    with FileLock(tmp_path / "other"):
        link.symlink_to(tmp_path / "other")
        assert not is_locked(link)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.timeout(10)
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / ".lock")
    assert not is_locked(tmp_path / ".lock")
