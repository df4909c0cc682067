from __future__ import annotations

import gzip

import numpy as np
import pytest

from archbuild.data.formats.arrays import binary_matrix
from archbuild.data.formats.arrays.binary_matrix import BYTES, INTEGERS, read_matrix, read_rows
from archbuild.errors import DataError


def write_matrix(path, array, *, padding: int = 1) -> None:
    """Write an array as NORB's files have it, gzipped where the name says so."""
    magic = BYTES if array.dtype == np.uint8 else INTEGERS
    sizes = [*array.shape, *[padding] * (3 - array.ndim)]
    kind = "u1" if array.dtype == np.uint8 else "<i4"
    content = np.array([magic, array.ndim, *sizes], "<i4").tobytes() + array.astype(kind).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.mark.parametrize("name", ["a.mat", "a.mat.gz"])
@pytest.mark.parametrize(
    ("array", "magic"),
    [
        (np.arange(120, dtype=np.uint8).reshape(5, 2, 3, 4), BYTES),
        (np.arange(-3, 4), INTEGERS),
        (np.arange(20).reshape(5, 4), INTEGERS),
    ],
)
def test_arrays_come_back_whole_and_in_parts(tmp_path, monkeypatch, name, array, magic):
    write_matrix(tmp_path / name, array, padding=7)
    np.testing.assert_array_equal(read_matrix(tmp_path / name, magic, array.shape), array)
    monkeypatch.setattr(binary_matrix, "rows_at_a_time", lambda _: 2)
    parts = list(read_rows(tmp_path / name, magic, array.shape))
    assert [len(part) for part in parts] == [2] * (len(array) // 2) + [1]
    np.testing.assert_array_equal(np.concatenate(parts), array)


def test_other_files_are_refused(tmp_path):
    path, array = tmp_path / "a.mat", np.arange(20).reshape(5, 4)
    write_matrix(path, array)
    for magic, shape in ((BYTES, (5, 4)), (INTEGERS, (4, 5)), (INTEGERS, (20,))):
        with pytest.raises(DataError, match=r"magic number 0x1e3d4c54, 2 axes and the sizes \["):
            read_matrix(path, magic, shape)
    path.write_bytes(b"")
    with pytest.raises(DataError, match="magic number 0x0"):
        read_matrix(path, INTEGERS, array.shape)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda content: content[:-1], "ends before its 5 rows"),
        (lambda content: content + b"0", "goes on behind its 5 rows"),
    ],
)
def test_files_of_another_length_are_refused(tmp_path, change, part):
    path, array = tmp_path / "a.mat", np.arange(20).reshape(5, 4)
    write_matrix(path, array)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError, match=part):
        read_matrix(path, INTEGERS, array.shape)


def test_a_gzipped_file_cut_short_is_named(tmp_path):
    path, array = tmp_path / "a.mat.gz", np.arange(20).reshape(5, 4)
    write_matrix(path, array)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"a\.mat\.gz cannot be read as bytes"):
        read_matrix(path, INTEGERS, array.shape)
