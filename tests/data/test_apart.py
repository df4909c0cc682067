"""The process of its own; other tests of readers that work there read in their own process."""

from __future__ import annotations

import os

import h5py
import numpy as np
import pytest

from archbuild.data import load_dataset
from archbuild.data.request import ReadRequest
from archbuild.errors import DataError
from tests.data.apart_readers import crash, fill, hang, send, send_objects


@pytest.fixture
def request_here(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(os.getcwd())  # where the readers are
    (tmp_path / "x.bin").write_bytes(b"x")
    return ReadRequest(tmp_path / "x.bin")


@pytest.mark.parametrize(
    ("reader", "told"),
    [
        (crash, "cannot be read as a trial: the library that reads it crashed .SIGSEGV"),
        (hang, "longer than sound files of its size take; .* ARCHBUILD_LARGEST_GIB=1"),
        (fill, "memory ran out"),
        (send_objects, "values of type object"),
    ],
)
def test_the_death_of_a_reader_is_one_sentence(request_here, reader, told):
    with pytest.raises(DataError, match=rf"x\.bin.*{told}"):
        reader(request_here)


def test_arrays_come_back_as_they_are(request_here):
    found = send(request_here)
    np.testing.assert_array_equal(found.values, [[0, 2, 4], [1, 3, 5]])
    assert found.labels.tolist() == [["a"], ["b"]]
    assert found[2:4] == (["1", "2"], ("x", "y"))


def test_a_chunk_of_zarr_that_unpacks_to_gibibytes_ends_there(tmp_path):
    zarr = pytest.importorskip("zarr", minversion="3")
    made = zarr.create_array(tmp_path / "x.zarr", shape=(10, 4), dtype="f8")  # packed by zstd
    made[...] = 1.0
    block = (1 << 1 | 2**17 << 3).to_bytes(3, "little") + b"\0"  # a byte, 128 Ki times; RFC 8878
    last = (1 | 1 << 1 | 2**17 << 3).to_bytes(3, "little") + b"\0"
    head = (0xFD2FB528).to_bytes(4, "little") + b"\xa0" + (2**31 - 2**17).to_bytes(4, "little")
    (tmp_path / "x.zarr/c/0/0").write_bytes(head + block * (2**14 - 2) + last)
    with pytest.raises(DataError, match=r"x\.zarr: memory ran out while it was read as a zarr"):
        load_dataset(str(tmp_path / "x.zarr"))


def test_an_hdf5_file_is_read_there(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"], file["y"] = np.eye(3), [1, 0, 1]
    dataset = load_dataset(str(tmp_path / "x.h5"))
    np.testing.assert_array_equal(dataset.values, np.eye(3))
    assert dataset.labels.tolist() == [1, 0, 1]
    (tmp_path / "x.h5").write_bytes(b"")
    with pytest.raises(DataError, match=r"x\.h5 cannot be read as an HDF5 file"):
        load_dataset(str(tmp_path / "x.h5"))
