"""Files that are damaged or foreign are refused by name; whole ones come back as they were."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.errors import RunError
from archbuild.io import atomic
from archbuild.io.reading import fitting, read_json, read_json_lines, read_npy, read_npz

ARRAY = np.arange(6, dtype="float32").reshape(2, 3)


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", "[1, Infinity]", "-Infinity", "1e999", "[" * 100_000, "\xff"]
)
def test_what_is_not_json_is_refused(tmp_path, text):
    path = tmp_path / "spec.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(
        RunError, match=r"spec\.json is damaged \(not JSON: .*train again \(with --fresh"
    ):
        read_json(path)


def test_json_comes_back(tmp_path):
    value = {"a": [0.1, -2, None, True], "b": "Käfer"}
    atomic.write_json(tmp_path / "x.json", value)
    assert read_json(tmp_path / "x.json") == value
    atomic.write_json_lines(tmp_path / "x.jsonl", [value, {}])
    assert read_json_lines(tmp_path / "x.jsonl") == [value, {}]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RunError, match=r"cannot read .*absent\.json"):
        read_json(tmp_path / "absent.json")


def test_arrays_come_back(tmp_path):
    atomic.write_npy(tmp_path / "x.npy", ARRAY)
    atomic.write_npz(tmp_path / "x.npz", {"a": ARRAY, "labels": np.arange(2)})
    np.testing.assert_array_equal(read_npy(tmp_path / "x.npy", (None, 3)), ARRAY)
    found = read_npz(tmp_path / "x.npz")
    assert found.keys() == {"a", "labels"}
    np.testing.assert_array_equal(found["a"], ARRAY)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_arrays_that_are_not_finite_are_refused(tmp_path, value):
    broken = ARRAY.copy()
    broken[1, 1] = value
    atomic.write_npy(tmp_path / "x.npy", broken)
    atomic.write_npz(tmp_path / "x.npz", {"a": ARRAY, "centres": broken})
    with pytest.raises(RunError, match=r"x\.npy is damaged \(expected finite numbers, got 1 of 6"):
        read_npy(tmp_path / "x.npy", (None, None))
    with pytest.raises(RunError, match=r"'centres' in .*x\.npz is damaged"):
        read_npz(tmp_path / "x.npz")


@pytest.mark.parametrize("shape", [(None,), (None, 4), (1, None), (None, None, None)])
def test_another_shape_is_refused(tmp_path, shape):
    atomic.write_npy(tmp_path / "x.npy", ARRAY)
    with pytest.raises(RunError, match=r"x\.npy is damaged \(expected shape .*got \(2, 3\)"):
        read_npy(tmp_path / "x.npy", shape)


def test_objects_text_and_rubbish_are_refused(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object))
    np.save(tmp_path / "text.npy", np.array(["a"]))
    np.savez(tmp_path / "objects.npz", a=np.array([{}], dtype=object))
    for name in ("rubbish.npy", "rubbish.npz"):
        (tmp_path / name).write_bytes(b"PK\x03\x04rubbish")
    for name in ("objects.npy", "text.npy", "rubbish.npy"):
        with pytest.raises(RunError, match=rf"{name} is damaged"):
            read_npy(tmp_path / name, (None,))
    for name in ("objects.npz", "rubbish.npz"):
        with pytest.raises(RunError, match=rf"{name} is damaged"):
            read_npz(tmp_path / name)


def test_a_failure_to_fit_names_the_file(tmp_path):
    with (
        pytest.raises(RunError, match=r"x\.npz does not fit the head .*'centres', which is miss"),
        fitting(tmp_path / "x.npz", "the head"),
    ):
        {}["centres"]
