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
