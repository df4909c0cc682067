from __future__ import annotations

import errno
import struct

import pytest

from archbuild.data import load_dataset
from archbuild.data.guard import reading
from archbuild.errors import DataError, RunError


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (struct.error("short"), "x cannot be read as y (error: short); copy it again"),
        (RecursionError("deep"), "x cannot be read as y (RecursionError: deep); copy it again"),
        (KeyError("a"), "x cannot be read as y (KeyError: a); copy it again"),
        (OverflowError(), "x cannot be read as y (OverflowError); copy it again"),
        (ValueError("one\ntwo"), "x cannot be read as y (one); copy it again"),
        (OSError(errno.EFBIG, "large"), "x cannot be read now: a limit on the size of files"),
        (OSError(errno.ENOSPC, "full"), "x cannot be read now: the disk is full: set TMPDIR"),
        (MemoryError(), "x: memory ran out while it was read as y, or a limit on memory"),
        (PermissionError(13, "Permission denied", "z"), "z cannot be opened (Permission denied)"),
    ],
)
def test_whatever_is_raised_becomes_one_sentence_with_its_cause(error, told):
    with pytest.raises(DataError) as caught, reading("x", "y"):
        raise error
    assert str(caught.value).startswith(told)
    assert caught.value.__cause__ is error


def test_errors_of_archbuild_and_interrupts_pass():
    for error in (RunError("known"), KeyboardInterrupt()):
        with pytest.raises(type(error)), reading("x", "y"):
            raise error


@pytest.mark.parametrize(
    "name",
    ["a\0.csv", f"{'a' * 300}.csv", "MNIST\ud800.csv"],
)
def test_a_name_that_no_file_can_have_is_refused(name):
    with pytest.raises(DataError):
        load_dataset(name)


def test_pipes_and_devices_are_refused():
    with pytest.raises(DataError, match="neither a file nor a folder"):
        load_dataset("/dev/null")
