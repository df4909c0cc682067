from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pytest

from archbuild.data.formats.tables.frame import is_frame, is_plain_frame, read_frame
from archbuild.data.request import Known, ReadOptions, ReadRequest
from archbuild.errors import DataError

CELLS = {
    "age": [30.0, None, 50.0],
    "city": ["Oslo", "Rome", "Oslo"],
    "member": [True, False, True],
    "joined": [datetime.date(1970, 1, day) for day in (1, 2, 3)],
    "label": [0, 1, 1],
}
REQUEST = ReadRequest(Path("X"))


@pytest.fixture(params=["pandas", "polars"])
def library(request):
    return pytest.importorskip(request.param)


def test_columns_of_a_frame_are_encoded(library):
    frame = library.DataFrame({**CELLS, "city": ["Oslo", "Rome", "Oslo"]})
    request = ReadRequest(Path("X"), options=REQUEST.options)
    arrays = read_frame(library.concat([frame] * 3), request)
    assert arrays.columns == (
        *("age", "age is missing", "city=Oslo", "city=Rome"),
        *("member", "joined", "label"),
    )
    np.testing.assert_allclose(arrays.values[1], [40, 1, 0, 1, 0, 1, 1])
    known = Known(arrays.columns, arrays.encoding, 1.0)
    again = read_frame(frame[:2], ReadRequest(Path("X"), known=known))
    np.testing.assert_array_equal(again.values, arrays.values[:2])


def test_a_frame_of_numbers_is_plain(library):
    assert is_plain_frame(library.DataFrame({"a": [1.0, 2.0], "b": [1, 2]}))
    assert not is_plain_frame(library.DataFrame({"a": [1.0, float("nan")]}))
    assert not is_plain_frame(library.DataFrame({"a": ["x", "y"]}))
    assert is_frame(library.DataFrame({"a": [1.0]}))
    assert not is_frame(np.ones((3, 2)))


def test_nullable_columns_of_pandas_have_gaps():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"n": pandas.array([1, None] * 4, dtype="Int64"), "c": ["x", "y"] * 4})
    assert read_frame(frame, REQUEST).columns == ("n", "n is missing", "c=x", "c=y")


def test_labels_that_are_told_need_not_be_there():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"n": [1.0, 2.0, 3.0], "c": ["x", "y", "x"]})
    told = ReadOptions(columns={"kind": "label", "c": "embedding"})
    request = ReadRequest(Path("X"), options=told)
    assert read_frame(frame, request).columns == ("n", "c=x", "c=y")
    labelled = frame.assign(kind=[0, 1, 0])
    assert read_frame(labelled, request).columns == ("n", "c=x", "c=y")


def test_whole_numbers_that_lose_digits_beside_floats_are_no_plain_array(library):
    keys, halves = [2**60 + row for row in range(9)], [row / 2 for row in range(9)]
    frame = library.DataFrame({"key": keys, "x": halves})
    assert not is_plain_frame(frame)
    with pytest.raises(DataError, match=f"'key' goes from {2**60} to {2**60 + 8}"):
        read_frame(frame, REQUEST)
    assert is_plain_frame(library.DataFrame({"key": keys}))
