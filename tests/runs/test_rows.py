"""Arrays of all rows in files, in memory or as maps."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import spill
from archbuild.errors import RunError
from archbuild.io.atomic import save_npz
from archbuild.runs.rows import copied_rows, read_rows, save_archive, save_rows


@pytest.fixture(params=["memory", "map"])
def most(request, monkeypatch):
    """The bytes that are held in memory."""
    bytes_ = 2**20 if request.param == "memory" else 10
    monkeypatch.setattr(spill, "IN_MEMORY", bytes_)
    monkeypatch.setattr(spill, "PART_BYTES", 64)
    return bytes_


@pytest.mark.parametrize("dtype", ["float32", "int64"])
@pytest.mark.parametrize("shape", [(40, 5), (40,), (8, 3, 2)])
def test_a_file_has_the_bytes_of_numpy_and_comes_back(tmp_path, most, rng, dtype, shape):
    values = (100 * rng.random(shape)).astype(dtype)
    np.save(tmp_path / "numpy.npy", values)
    there = spill.joined([values], len(values), "x")
    save_rows(tmp_path / "ours.npy", there)
    assert (tmp_path / "ours.npy").read_bytes() == (tmp_path / "numpy.npy").read_bytes()
    found = read_rows(tmp_path / "ours.npy", tuple(shape))
    assert spill.is_mapped(found) == (most == 10)
    np.testing.assert_array_equal(found, values)
    copied = copied_rows(tmp_path / "ours.npy")
    (tmp_path / "ours.npy").unlink()
    np.testing.assert_array_equal(copied, values)


def test_a_slice_of_columns_is_written_as_its_copy_would_be(tmp_path, most, rng):
    values = spill.joined([rng.random((30, 6))], 30, "x")
    save_rows(tmp_path / "ours.npy", values[:, :2])
    np.save(tmp_path / "numpy.npy", np.array(values[:, :2]))
    assert (tmp_path / "ours.npy").read_bytes() == (tmp_path / "numpy.npy").read_bytes()


def test_columns_that_come_first_in_memory_come_first_in_the_file(tmp_path, rng):
    values = np.asfortranarray(rng.random((30, 6)))
    save_rows(tmp_path / "ours.npy", values)
    np.save(tmp_path / "numpy.npy", values)
    assert (tmp_path / "ours.npy").read_bytes() == (tmp_path / "numpy.npy").read_bytes()


def test_an_archive_has_the_bytes_of_one_from_memory(tmp_path, most, rng):
    arrays = {"a": rng.random((30, 6)), "b": np.arange(40), "c": np.array(["x", "yy"])}
    save_npz(tmp_path / "memory.npz", arrays)
    there = {
        name: of if name == "c" else spill.joined([of], len(of), name)
        for name, of in arrays.items()
    }
    save_archive(tmp_path / "ours.npz", there)
    assert (tmp_path / "ours.npz").read_bytes() == (tmp_path / "memory.npz").read_bytes()


def test_another_shape_and_broken_values_are_refused(tmp_path, most):
    path = tmp_path / "x.npy"
    np.save(path, np.ones((30, 3)))
    with pytest.raises(RunError, match=r"expected shape \(any, 4\)"):
        read_rows(path, (None, 4))
    np.save(path, np.full((30, 3), np.nan))
    for read in (lambda: read_rows(path, (None, 3)), lambda: copied_rows(path)):
        with pytest.raises(RunError, match="expected finite numbers"):
            read()
    path.write_bytes(path.read_bytes()[:-8])
    for read in (lambda: read_rows(path, (None, 3)), lambda: copied_rows(path)):
        with pytest.raises(RunError, match=r"expected [\d,]+ bytes of numbers"):
            read()
