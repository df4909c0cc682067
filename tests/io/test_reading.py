"""Files that are damaged or foreign are refused by name; whole ones come back as they were."""

from __future__ import annotations

import os
import zipfile

import numpy as np
import pytest

from archbuild.errors import DataError, RunError
from archbuild.io import atomic
from archbuild.io.reading import (
    fitting,
    guarded,
    map_npy,
    read_json,
    read_json_lines,
    read_npy,
    read_npz,
)

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


@pytest.mark.parametrize("text", ["1" + "0" * 19, "-" + "9" * 5000])
def test_whole_numbers_beyond_all_counts_are_refused(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(RunError, match="beyond what a run counts"):
        read_json(path)


@pytest.mark.parametrize("number", [10**18, -(10**18)])
def test_the_largest_counts_come_back(tmp_path, number):
    path = tmp_path / "x.json"
    path.write_text(str(number))
    assert read_json(path) == number
    path.write_text(str(number + (1 if number > 0 else -1)))
    with pytest.raises(RunError, match="beyond what a run counts"):
        read_json(path)


def test_large_documents_are_refused_before_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr("archbuild.io.reading._LARGEST_JSON", 10)
    path = tmp_path / "x.jsonl"
    path.write_text("[1, 2, 3, 4]")
    for read in (read_json, read_json_lines):
        with pytest.raises(RunError, match="at most 10 bytes, got 12"):
            read(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.timeout(10)
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x")
    for read in (read_json, read_json_lines, read_npz, lambda path: read_npy(path, (None,))):
        with pytest.raises(RunError, match="is no file that could be read"):
            read(tmp_path / "x")


def test_an_array_has_the_bytes_that_it_declares(tmp_path):
    path = tmp_path / "x.npy"
    with path.open("wb") as stream:
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
        np.lib.format.write_array_header_1_0(stream, header)
        stream.write(bytes(80))
    with pytest.raises(RunError, match="expected 80 bytes of numbers"):
        read_npy(path, (None,))
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.write(path, "x.npy")
    with pytest.raises(RunError, match="expected 80 bytes of numbers"):
        read_npz(tmp_path / "x.npz")


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_map_has_the_values_of_the_file_and_its_shape(tmp_path, order):
    path = tmp_path / "x.npy"
    np.save(path, np.asarray(ARRAY, order=order))
    np.testing.assert_array_equal(map_npy(path, (None, 3)), ARRAY)
    np.testing.assert_array_equal(map_npy(path, None), ARRAY)
    with pytest.raises(RunError, match=r"x\.npy is damaged \(expected shape \(any, 4\)"):
        map_npy(path, (None, 4))


@pytest.mark.parametrize("change", [lambda content: content[:-4], lambda content: content + b"0"])
def test_a_map_has_as_many_bytes_as_its_header_declares(tmp_path, change):
    path = tmp_path / "x.npy"
    np.save(path, ARRAY)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(RunError, match=r"x\.npy is damaged .*expected \d+ bytes of numbers"):
        map_npy(path, None)


@pytest.mark.parametrize("content", [b"", b"PK", b"\x93NUMPY"])
def test_files_that_end_too_early_are_refused(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    for read in (read_npz, lambda path: read_npy(path, (None,))):
        with pytest.raises(RunError, match="not NumPy's format"):
            read(tmp_path / "x")


def test_a_compressed_archive_is_refused(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", a=np.zeros(10**6))
    with pytest.raises(RunError, match=r"'a\.npy' is compressed"):
        read_npz(tmp_path / "x.npz")


@pytest.mark.parametrize("error", [EOFError(), RecursionError(), MemoryError(), KeyError("a")])
def test_whatever_goes_wrong_is_about_the_file_and_has_its_cause(error):
    for guard in (guarded("some.npz"), fitting("some.npz", "its network")):
        with pytest.raises(RunError, match=r"some\.npz") as caught, guard:
            raise error
        assert caught.value.__cause__ is error


def test_only_what_was_looked_up_is_called_missing():
    with pytest.raises(RunError, match=r"'centres' is missing\)"), guarded("some.npz"):
        raise KeyError("centres")
    with pytest.raises(RunError, match=r"\(a number is wrong\)"), guarded("some.npz"):
        raise ValueError("a number is wrong")


def test_what_archbuild_says_itself_is_left_as_it_is():
    for guard in (guarded("some.npz"), fitting("some.npz", "its network")):
        with pytest.raises(DataError, match=r"^mine$"), guard:
            raise DataError("mine")
