from __future__ import annotations

import pytest

from archbuild.data import limits
from archbuild.errors import DataError


def test_sizes_up_to_the_smaller_limit_pass(monkeypatch):
    monkeypatch.setattr(limits, "_physical_memory", lambda: 1000)
    limits.check_size(1000, "x")
    with pytest.raises(DataError, match="x would take"):
        limits.check_size(1001, "x")
    monkeypatch.setattr(limits, "_physical_memory", lambda: 2**60)
    limits.check_size(64 * 2**30, "x")
    with pytest.raises(DataError, match=r"the limit here is 64\.0 GiB"):
        limits.check_size(64 * 2**30 + 1, "x")


def test_room_is_bounded_by_the_disk_and_by_what_may_be_asked_for(monkeypatch):
    monkeypatch.setattr(limits, "_free_space", lambda folder: 1000)
    limits.check_room(1000, "x", "here")
    with pytest.raises(DataError, match=r"x would take .* the limit in here"):
        limits.check_room(1001, "x", "here")
    monkeypatch.setattr(limits, "_free_space", lambda folder: 2**60)
    with pytest.raises(DataError, match=r"64\.0 GiB; set TMPDIR"):
        limits.check_room(64 * 2**30 + 1, "x", "here")


def test_what_is_out_of_proportion_is_refused_and_the_way_out_is_named(monkeypatch):
    limits.check_declared(64 * 2**20, 1, "x")
    limits.check_declared(100 * 2**20, 2**20, "x")
    with pytest.raises(
        DataError, match=r"x would take 2\.0 GiB, and 1\.0 MiB are stored"
    ) as caught:
        limits.check_declared(2**31, 2**20, "x")
    assert str(caught.value).endswith("variable ARCHBUILD_LARGEST_GIB=2")
    monkeypatch.setenv("ARCHBUILD_LARGEST_GIB", "2")
    limits.check_declared(2**31, 2**20, "x")
    with pytest.raises(DataError, match="ARCHBUILD_LARGEST_GIB=3"):
        limits.check_declared(2**31 + 1, 2**20, "x")
    monkeypatch.setenv("ARCHBUILD_LARGEST_GIB", "much")
    with pytest.raises(DataError, match="is 'much'; expected a whole number of GiB"):
        limits.allowed_bytes(1)
