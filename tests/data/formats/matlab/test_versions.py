"""Versions 4 and 5, which are read without SciPy: the same arrays, and no damage that hurts."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from scipy import sparse
from scipy.io import loadmat, savemat

from archbuild.data import load_dataset
from archbuild.data.formats.matlab.mat import _variables
from archbuild.errors import DataError

RNG = np.random.default_rng(3)
OLD = {
    "a": RNG.normal(size=(3, 4)),
    "whole": np.arange(12, dtype=np.int32).reshape(3, 4),
    "complex": RNG.normal(size=(2, 3)) + 1j,
    "thin": sparse.random(9, 5, 0.3, format="csc", random_state=3),
    "words": np.array(["hello", "world"]),
}
NEW = OLD | {
    "truths": RNG.normal(size=(3, 4)) > 0,
    "cube": RNG.normal(size=(2, 3, 4)).astype(np.float32),
    "letters": "日本é",
    "cells": np.array(["x", np.arange(3), "yy"], object),
    "empty": np.zeros((0, 3)),
}
FORMATS = {"4": OLD, "5": NEW, "packed": NEW}


def saved(variables, kind):
    file = BytesIO()
    savemat(file, variables, format="4" if kind == "4" else "5", do_compression=kind == "packed")
    return file.getvalue()


def same(ours, theirs):
    theirs = theirs.toarray() if sparse.issparse(theirs) else theirs
    if theirs.dtype == object:
        return all(map(same, ours.ravel(), theirs.ravel()))
    return ours.dtype == theirs.dtype and np.array_equal(ours, theirs)


@pytest.mark.parametrize("kind", list(FORMATS))
def test_the_arrays_are_those_of_scipy(tmp_path, kind):
    path = tmp_path / "x.mat"
    path.write_bytes(saved(FORMATS[kind], kind))
    expected = loadmat(path)
    found = _variables(path)
    assert found.keys() == FORMATS[kind].keys()
    for name, variable in found.items():
        assert same(variable.load(), expected[name]), name


def test_the_other_byte_order_is_read(tmp_path):
    """A file of version 4 and one of 5, as a machine with the high byte first wrote them."""
    name, values = b"X\0", np.arange(6.0).reshape(3, 2)
    numbers = values.astype(">f8").tobytes(order="F")
    old = struct.pack(">5i", 1000, 3, 2, 0, 2) + name + numbers
    parts = [(6, struct.pack(">2I", 6, 0)), (5, struct.pack(">2i", 3, 2)), (1, b"X"), (9, numbers)]
    body = b"".join(struct.pack(">2I", k, len(b)) + b + bytes(-len(b) % 8) for k, b in parts)
    new = b" " * 124 + b"\x01\0MI" + struct.pack(">2I", 14, len(body)) + body
    for content in (old, new):
        (tmp_path / "x.mat").write_bytes(content)
        np.testing.assert_array_equal(load_dataset(str(tmp_path / "x.mat")).values, values)


def test_a_packed_variable_that_unpacks_to_too_much_is_refused(tmp_path):
    size = 2**28
    head = struct.pack("<2I", 14, size) + struct.pack("<4I", 6, 8, 6, 0)
    head += struct.pack("<2I2i", 5, 8, size // 16, 2) + struct.pack("<2I", 0x10001, ord("X"))
    packed = zlib.compress(head + bytes(2**20))
    content = b" " * 124 + b"\0\x01IM" + struct.pack("<2I", 15, len(packed)) + packed
    (tmp_path / "x.mat").write_bytes(content)
    with pytest.raises(DataError, match=r"256\.0 MiB.*ARCHBUILD_LARGEST_GIB=1"):
        load_dataset(str(tmp_path / "x.mat"))


@pytest.mark.parametrize("kind", list(FORMATS))
def test_no_changed_byte_does_more_than_refuse(tmp_path, kind):
    path, content = tmp_path / "x.mat", saved({"X": OLD["thin"], "y": OLD["whole"][:, :1]}, kind)
    random = np.random.default_rng(0)
    for place in random.integers(len(content), size=60):  # many more: benchmarks/attack mat
        changed = bytearray(content)
        changed[place] = random.choice([0, 1, 127, 128, 255])
        path.write_bytes(changed)
        try:
            load_dataset(str(path))
        except DataError:
            continue
