from __future__ import annotations

import numpy as np
import pytest

from archbuild.data.formats.tfrecord.example import FLOAT_LIST, INT64_LIST, Feature, features_of
from archbuild.data.formats.tfrecord.tensor import tensor_of
from archbuild.data.formats.tfrecord.wire import fields, varints
from benchmarks.attack.records import example, field, varint

NUMBERS = [0, 1, 127, 128, -1, 2**63 - 1, -(2**63), 300]


def test_whole_numbers_of_every_length():
    content = b"".join(map(varint, NUMBERS))
    np.testing.assert_array_equal(varints(np.frombuffer(content, np.uint8)), NUMBERS)
    assert varints(np.empty(0, np.uint8)).tolist() == []


@pytest.mark.parametrize("content", [b"\x80", b"\x01\xff", b"\xff" * 10 + b"\x01"])
def test_whole_numbers_that_do_not_end_are_refused(content):
    with pytest.raises(ValueError, match="does not end where it should"):
        varints(np.frombuffer(content, np.uint8))


def test_lists_are_read_packed_and_not():
    floats = np.array([1.5, -2, 0], "<f4")
    whole = b"".join(map(varint, NUMBERS))
    apart = b"".join(b"\x0d" + each.tobytes() for each in floats)
    for content in (field(1, floats.tobytes()), apart):
        found = Feature(FLOAT_LIST, content)
        assert len(found) == 3
        np.testing.assert_array_equal(found.numbers(), floats)
    apart = b"".join(b"\x08" + varint(each) for each in NUMBERS)
    for content in (field(1, whole), apart):
        found = Feature(INT64_LIST, content)
        assert len(found) == len(NUMBERS)
        np.testing.assert_array_equal(found.numbers(), NUMBERS)
    assert len(Feature(INT64_LIST, b"")) == len(Feature(FLOAT_LIST, b"")) == 0


@pytest.mark.keras
def test_what_tensorflow_serialises_is_read():
    tf = pytest.importorskip("tensorflow")
    train = tf.train
    whole = train.Feature(int64_list=train.Int64List(value=NUMBERS))
    floats = train.Feature(float_list=train.FloatList(value=[0.5, -3]))
    texts = train.Feature(bytes_list=train.BytesList(value=[b"text"]))
    features = {"a": whole, "b": floats, "c": texts, "d": train.Feature()}
    made = train.Example(features=train.Features(feature=features))
    found = features_of(made.SerializeToString())
    assert found["a"].numbers().tolist() == NUMBERS
    assert found["b"].numbers().tolist() == [0.5, -3]
    assert found["c"].only_bytes() == b"text"
    assert len(found["d"]) == 0
    for dtype in ("float16", "float32", "float64", "uint8", "int16", "int64", "bool", "uint32"):
        values = np.arange(6).reshape(2, 1, 3).astype(dtype)
        read = tensor_of(tf.io.serialize_tensor(values).numpy())
        np.testing.assert_array_equal(read, values)
        assert read.dtype == values.dtype
    assert tensor_of(tf.io.serialize_tensor(["text"]).numpy()) is None


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\x0b", "kind 3"),
        (b"\x0a\x05ab", "beyond the end"),
        (b"\x0a", "beyond the end"),
        (b"\x80" * 12, "beyond the end"),
        (b"\x12\x00", "SequenceExample"),
        (field(1, b"\x12\x00"), "no feature"),
        (field(1, field(1, b"\x08\x01")), "no feature"),
        (example({"a": 1}) * 2, "the feature 'a' twice"),
        (field(1, field(1, field(1, b"a") + field(2, field(1, b"") * 2))), "no single list"),
        (field(1, field(1, field(1, b"\xff"))), "codec can't decode"),
        (field(1, field(1, b"") * 10_001), "twice"),
    ],
)
def test_what_is_no_example_is_refused(content, text):
    with pytest.raises(ValueError, match=text):
        features_of(content)


def test_so_many_features_are_refused():
    with pytest.raises(ValueError, match="more than 10,000 features"):
        features_of(example({str(number): 1 for number in range(10_001)}))


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (FLOAT_LIST, field(1, b"123")),
        (FLOAT_LIST, b"\x0d1234\x0e1234"),
        (FLOAT_LIST, b"\x0d123"),
        (INT64_LIST, field(1, b"\x80")),
        (INT64_LIST, b"\x08\x01\x10\x01"),
        (INT64_LIST, b"\x08\x01\x08"),
        (INT64_LIST, field(1, b"\x01") + field(1, b"\x01")),
    ],
)
def test_broken_lists_are_refused(kind, content):
    with pytest.raises(ValueError, match=r"."):
        Feature(kind, content).numbers()


def test_bytes_that_are_nearly_a_tensor_are_none():
    shape = field(2, field(2, b"\x08\x02"))
    sound = b"\x08\x04" + shape + field(4, b"ab")
    assert tensor_of(sound).tolist() == [97, 98]
    wrong = [b"", sound + b"\x08\x04", b"\x08\x07" + sound[2:], sound[:-1], b"\x08\x01" + sound[2:]]
    wrong += [b"\x08\x04" + field(2, field(2, b"\x08\x02") * 9) + field(4, b"ab"), b"plain bytes"]
    assert all(tensor_of(content) is None for content in wrong)
    assert [each.number for each in fields(sound)] == [1, 2, 4]
