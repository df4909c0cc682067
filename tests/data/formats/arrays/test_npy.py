from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import load_dataset
from archbuild.errors import DataError


def test_an_array_is_mapped_and_not_loaded(tmp_path):
    values = np.random.default_rng(0).normal(size=(5, 3))
    np.save(tmp_path / "points.npy", values)
    dataset = load_dataset(str(tmp_path / "points.npy"))
    assert isinstance(dataset.values, np.memmap)
    assert dataset.name == "points"
    np.testing.assert_allclose(dataset.rows([4, 1]), values[[4, 1]], rtol=1e-6)


def test_a_truncated_file_is_refused(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((50, 50)))
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"x\.npy cannot be read as \.npy"):
        load_dataset(str(path))


def test_objects_are_refused_and_not_unpickled(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.array([{}, {}], object), allow_pickle=True)
    with pytest.raises(DataError, match="unequal length or of mixed kinds; they are never loaded"):
        load_dataset(str(path))


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "file is empty"), (b"not an array at all", "not begin as one")],
)
def test_another_kind_of_file_is_refused(tmp_path, content, reason):
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"cannot be read as .npy .*{reason}"):
        load_dataset(str(path))


def test_a_renamed_npz_is_named_as_such(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.zeros((3, 3)))
    (tmp_path / "x.npz").rename(tmp_path / "x.npy")
    with pytest.raises(DataError, match=r"ends in \.npz"):
        load_dataset(str(tmp_path / "x.npy"))


def test_a_broken_header_is_refused(tmp_path):
    header = b"{'descr': '<f8', 'shape': (3, 3), 'fortran_order': False, (\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(72)
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"cannot be read as \.npy"):
        load_dataset(str(tmp_path / "x.npy"))


def npy_with_header(path, header):
    text = header.ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode())
    with path.open("ab") as file:
        file.write(np.arange(6.0).tobytes())
    return path


def test_headers_of_python_2_are_read_without_a_warning(tmp_path, recwarn):
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (3L, 2L), }"
    dataset = load_dataset(str(npy_with_header(tmp_path / "x.npy", header)))
    assert dataset.values.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert not recwarn.list


def test_a_header_that_computes_is_refused_without_an_address(tmp_path):
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (3*1, 2), }"
    with pytest.raises(DataError, match="cannot be read as") as caught:
        load_dataset(str(npy_with_header(tmp_path / "x.npy", header)))
    assert "0x" not in str(caught.value)
