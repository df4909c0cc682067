from __future__ import annotations

import errno
import os
import subprocess
import sys

import numpy as np
import pytest

from archbuild.data import limits, load_dataset, spill
from archbuild.errors import DataError


def test_small_arrays_are_in_memory():
    assert not isinstance(spill.room_for((10, 3), np.float32, "x"), np.memmap)


def test_large_arrays_are_on_disk_and_leave_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(spill, "IN_MEMORY", 100)
    monkeypatch.setattr(spill.tempfile, "tempdir", str(tmp_path))
    room = spill.room_for((50, 3), np.float32, "x")
    assert isinstance(room, np.memmap)
    if os.name == "posix":
        assert not list(tmp_path.iterdir())
    for row in range(50):
        room[row] = row
        spill.release(room)
    np.testing.assert_array_equal(room[:, 2], np.arange(50))
    del room
    assert not list(tmp_path.iterdir())


def test_more_than_the_disk_holds_is_refused_with_the_way_to_another(monkeypatch):
    monkeypatch.setattr(spill, "IN_MEMORY", 100)
    monkeypatch.setattr(limits, "_free_space", lambda folder: 2**30)
    with pytest.raises(DataError, match=r"photos would take 4\.0 GiB.* set TMPDIR"):
        spill.room_for((2**30,), np.float32, "photos")


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system reserves no space")
def test_a_disk_that_fills_up_is_noticed_before_anything_is_written(monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(spill, "IN_MEMORY", 100)
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(DataError, match=r"does not have \(No space left on device\); set TMPDIR"):
        spill.room_for((50, 3), np.float32, "x")


def test_a_part_is_a_copy_of_its_own(tmp_path):
    values = np.arange(24.0).reshape(2, 3, 4)
    np.save(tmp_path / "x.npy", values)
    mapped = np.moveaxis(np.load(tmp_path / "x.npy", mmap_mode="r"), 1, -1)
    for array in (np.moveaxis(values, 1, -1), mapped):
        part = spill.read_part(array, slice(0, 1))
        assert type(part) is np.ndarray
        assert part.flags.c_contiguous
        assert part.flags.owndata
        np.testing.assert_array_equal(part[0], values[0].T)


def test_changes_that_are_private_to_a_map_are_kept(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(5000))
    private = np.load(tmp_path / "x.npy", mmap_mode="c")
    private[:] = 7
    spill.release(private)
    assert (private == 7).all()


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_going_through_a_large_file_keeps_little_of_it_in_memory(tmp_path):
    path = tmp_path / "large.npy"
    rows, width = 400_000, 200  # 320 MB, of which the file system holds next to nothing
    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (rows, width)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + rows * width * 4)
    code = f"""
import re, numpy as np
from archbuild.data import load_dataset
# ru_maxrss would begin with that of the process that started this one
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024
before = peak()
dataset = load_dataset({str(path)!r})
dataset.digest()
assert sum(len(rows) for rows in dataset.chunks()) == len(dataset)
for start in range(0, len(dataset), 10_000):
    dataset.rows(slice(start, start + 10_000))
dataset.rows(np.arange(0, len(dataset), 20))
print(peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 120  # MiB


def test_a_limit_on_the_size_of_files_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(spill, "IN_MEMORY", 8)

    def refuse(*_: object) -> None:
        raise OSError(errno.EFBIG, "File too large")

    monkeypatch.setattr("os.posix_fallocate", refuse)
    np.savez(tmp_path / "x.npz", x=np.eye(3))
    with pytest.raises(DataError, match=r"x\.npz cannot be read now: .* \(ulimit -f\): raise it"):
        load_dataset(str(tmp_path / "x.npz"))


def mapped(values, monkeypatch):
    """A copy of an array in a temporary file."""
    with monkeypatch.context() as small:
        small.setattr(spill, "IN_MEMORY", 0)
        room = spill.room_for(values.shape, values.dtype, "x")
    room[:] = values
    return room


def test_an_array_in_memory_is_one_part_and_a_map_several(monkeypatch):
    values = np.arange(30.0).reshape(10, 3)
    monkeypatch.setattr(spill, "PART_BYTES", 4 * values[:1].nbytes)
    assert list(spill.parts_of(values)) == [slice(0, 10)]
    there = mapped(values, monkeypatch)
    assert spill.is_mapped(there[:, :2])
    assert not spill.is_mapped(values)
    assert list(spill.parts_of(there)) == [slice(0, 4), slice(4, 8), slice(8, 10)]


@pytest.mark.parametrize("most", [10**6, 10])
def test_parts_are_joined_in_memory_or_on_disk(monkeypatch, most):
    monkeypatch.setattr(spill, "IN_MEMORY", most)
    monkeypatch.setattr(spill, "PART_BYTES", 20)
    parts = [np.arange(6).reshape(2, 3), np.arange(6, 9).reshape(1, 3)]
    whole = spill.joined(parts, 3, "x")
    np.testing.assert_array_equal(whole, np.arange(9).reshape(3, 3))
    assert spill.is_mapped(whole) == (most == 10)
    with pytest.raises(ValueError, match="expected parts of 4 rows"):
        spill.joined(parts, 4, "x")


@pytest.mark.parametrize("most", [10**6, 10])
def test_arrays_are_stacked_in_memory_or_on_disk(monkeypatch, most):
    monkeypatch.setattr(spill, "IN_MEMORY", most)
    arrays = [np.arange(6).reshape(2, 3), np.ones((2, 3), int)]
    np.testing.assert_array_equal(spill.stacked(arrays, 2, "x"), np.stack(arrays))
