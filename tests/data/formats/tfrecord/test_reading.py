from __future__ import annotations

import gzip
import logging

import numpy as np
import pytest

from archbuild.data import dataset as dataset_module
from archbuild.data import dataset_name, held_out, load_dataset, spill
from archbuild.data.request import Known, ReadOptions
from archbuild.data.summary import summarise
from archbuild.errors import DataError
from benchmarks.attack.records import example, field, framed, tensor
from tests.data.formats.tfrecord.records import picture, write

ROWS = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
WORDS = ["b", "a", "b", "b", "a", "c"]


def records(**features):
    lengths = {len(values) for values in features.values()}
    return [{name: of[row] for name, of in features.items()} for row in range(lengths.pop())]


def said(dataset) -> str:
    return " / ".join(map(str, dataset.guesses))


@pytest.mark.parametrize("suffix", [".tfrecord", ".tfrecords", ".TFRecord", ".tfrecord.gz"])
def test_rows_and_labels_are_found(tmp_path, suffix):
    path = tmp_path / f"own{suffix}"
    write(path, records(x=ROWS, label=WORDS))
    if suffix.endswith(".gz"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    dataset = load_dataset(str(path))
    np.testing.assert_array_equal(dataset.values, ROWS)
    assert dataset.labels.tolist() == [1, 0, 1, 1, 0, 2]
    assert dataset.name == "own"


def test_whole_numbers_and_marks_of_classes(tmp_path):
    path = write(tmp_path / "own.tfrecord", records(fea=np.arange(12).reshape(4, 3), y=np.eye(4)))
    dataset = load_dataset(path)
    assert dataset.values.dtype == np.int64
    assert dataset.values.tolist() == np.arange(12).reshape(4, 3).tolist()
    assert dataset.labels.tolist() == [0, 1, 2, 3]


def test_several_features_are_asked_about_as_arrays_of_other_files_are(tmp_path):
    path = write(tmp_path / "own.tfrecord", records(a=ROWS, b=ROWS[:, :2], kind=[3, 1, 3, 1, 2, 2]))
    with pytest.raises(DataError, match=r"several features that may be rows: a \(6, 4\) float32"):
        load_dataset(path)
    dataset = load_dataset(f"{path}:kind", options=ReadOptions(array="b"))
    np.testing.assert_array_equal(dataset.values, ROWS[:, :2])
    assert dataset.class_names == ("1", "2", "3")
    assert "left out: 1 features: a (6, 4) float32 [otherwise: --set data.array=a]" in said(dataset)
    with pytest.raises(DataError, match="no feature 'c'; it has a"):
        load_dataset(path, options=ReadOptions(array="c"))


def test_labels_lie_beside_the_rows(tmp_path):
    path = write(tmp_path / "own.tfrecord", records(**{"part/x": ROWS, "part/label": WORDS}))
    assert load_dataset(path).n_classes == 3
    assert load_dataset(path, options=ReadOptions(labels="none")).labels is None


def test_serialised_tensors_say_their_type_and_shape(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 9, 3), np.uint8)
    path = write(tmp_path / "own.tfrecord", records(image=[*map(tensor, images)]))
    dataset = load_dataset(path)
    np.testing.assert_array_equal(dataset.values, images)
    assert dataset.shape == (3, 8, 9)
    assert dataset.scale == 1 / 255
    write(tmp_path / "own.tfrecord", records(image=[tensor(images[0]), tensor(images[1, :4])]))
    with pytest.raises(DataError, match=r"record 1 .*a tensor of \(4, 9, 3\) uint8, and the first"):
        load_dataset(path)


def test_raw_bytes_are_refused_with_what_to_write(tmp_path):
    path = write(tmp_path / "own.tfrecord", records(raw=[b"\x00\x01\xff" * 9] * 3, label=[0, 1, 1]))
    with pytest.raises(DataError, match=r"no feature of rows: raw \(3,\) bytes that do not say"):
        load_dataset(path)
    with pytest.raises(DataError, match=r"'raw' holds bytes that do not say .*serialize_tensor"):
        load_dataset(path, options=ReadOptions(array="raw"))


def test_images_are_read_as_in_a_folder(tmp_path, caplog):
    contents = [picture(0), picture(90), b"broken", picture(60, (4, 5), "BMP")]
    path = write(tmp_path / "own.tfrecord", records(image=contents, label=[1, 0, 0, 1]))
    with caplog.at_level(logging.WARNING):
        dataset = load_dataset(path)
    assert dataset.shape == (1, 4, 5)
    np.testing.assert_array_equal(dataset.values[:, 0, 1, 0], [1, 91, 61])
    assert dataset.labels.tolist() == [1, 0, 1]
    assert dataset.ids.tolist() == ["0", "1", "3"]
    assert "1 images cannot be read, left out: record 2" in caplog.text
    found = summarise(path)
    assert (found.n_rows, found.shape, found.n_classes) == (3, (1, 4, 5), 2)
    with pytest.raises(DataError, match=r"read as images, where channels would change nothing"):
        load_dataset(path, options=ReadOptions(channels="last"))


def test_images_without_a_label_are_counted(tmp_path):
    contents = [picture(value) for value in (0, 90, 60)]
    path = write(tmp_path / "own.tfrecord", records(image=contents, y=[1.0, np.nan, 0.0]))
    found = summarise(path)
    assert (found.n_classes, found.n_unlabelled) == (2, 1)


def test_shards_are_one_dataset_in_parts_by_their_names(tmp_path):
    for part, rows in (("train", ROWS[:4]), ("test", ROWS[4:])):
        for place, some in enumerate(np.split(rows, 2)):
            name = f"own-{part}.tfrecord-{place:05}-of-00002"
            write(tmp_path / name, records(x=some, label=[place] * len(some)))
    dataset = load_dataset(str(tmp_path))
    assert len(dataset) == 6
    assert "parts: the files train (2), test (2), one below the other" in said(dataset)
    train = f"{tmp_path}-TRAIN"
    np.testing.assert_array_equal(load_dataset(train).values, ROWS[:4])
    np.testing.assert_array_equal(held_out(train).values, ROWS[4:])
    one = str(tmp_path / "own-test.tfrecord-00001-of-00002")
    assert dataset_name(one) == "own-test"
    assert len(load_dataset(one, known=Known())) == 1


def test_a_folder_of_two_kinds_is_no_dataset(tmp_path):
    write(tmp_path / "a.tfrecord", records(x=ROWS))
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="Parquet and TFRecord files, which cannot be one dataset"):
        load_dataset(str(tmp_path))


@pytest.mark.parametrize(
    ("last", "text"),
    [
        ({"x": ROWS[0, :3], "y": 1}, "3 float32, and the first record has 4 float32"),
        ({"x": [1, 2, 3, 4], "y": 1}, "4 int64, and the first record has 4 float32"),
        ({"y": 1}, "no feature 'x'"),
        ({"x": ROWS[0]}, "no feature 'y'"),
        ({"x": ROWS[0], "y": [1, 2]}, "2 int64, and the first record has 1 int64"),
        ({"x": ROWS[0], "y": b"1"}, "1 bytes, and the first record has 1 int64"),
        ({"x": b"1234", "y": 1}, "1 bytes, and the first record has 4 float32"),
    ],
)
def test_a_record_unlike_the_first_is_named(tmp_path, last, text):
    path = write(tmp_path / "own.tfrecord", [{"x": ROWS[0], "y": 0}, {"x": ROWS[1], "y": 1}, last])
    match = rf"own.tfrecord: record 2 \(counted from 0, at byte \d+\) is unlike .*'y': {text}; all"
    with pytest.raises(DataError, match=match):
        load_dataset(path)


def test_a_feature_that_the_first_record_lacks_is_told(tmp_path):
    rows = records(x=ROWS, y=WORDS)
    del rows[0]["y"]
    dataset = load_dataset(write(tmp_path / "own.tfrecord", rows))
    assert dataset.labels is None
    assert "features: left out: 'y', which record 1 has and the first has not" in said(dataset)


def test_features_that_nobody_uses_may_differ(tmp_path):
    some = [{"x": ROWS[0], "t": "a"}, {"x": ROWS[1], "t": ROWS[1]}]
    path = write(tmp_path / "own.tfrecord", some)
    assert len(load_dataset(path)) == 2


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "has no records"),
        (framed(b"\x0a\x7f"), "record 0 .* is no tf.train.Example: it holds a field goes beyond"),
        (framed(field(1, b"") + field(2, b"")), "SequenceExample"),
        (framed(b""), "no feature of rows: .none.; expected"),
        (framed(example({"x": 0.5, "z": 1.5})) * 3, r"no feature of rows: x \(3,\) float32, z"),
    ],
)
def test_files_without_rows_are_refused(tmp_path, content, text):
    path = tmp_path / "own.tfrecord"
    path.write_bytes(content)
    with pytest.raises(DataError, match=text):
        load_dataset(str(path))


def test_rows_that_the_file_cannot_hold_are_refused_before_they_are_made(tmp_path):
    path = tmp_path / "own.tfrecord"
    path.write_bytes(framed(example({"x": np.zeros(10_000)})) + framed(b"") * 30_000)
    with pytest.raises(
        DataError, match=r"the feature 'x' of 30,001 records .* would take 1\.1 GiB"
    ):
        load_dataset(str(path))


def test_a_packed_list_that_is_long_is_refused_before_it_is_decoded(tmp_path):
    path = tmp_path / "own.tfrecord"
    whole = field(1, field(1, field(1, b"x") + field(2, field(3, field(1, bytes(2**22))))))
    path.write_bytes(gzip.compress(framed(whole) * 2))
    with pytest.raises(
        DataError, match=r"record 0 .*, whose lists are long, would take 128\.0 MiB"
    ):
        load_dataset(str(path))


def test_many_rows_are_read_onto_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(spill, "IN_MEMORY", 100)
    monkeypatch.setattr(dataset_module, "_CHUNK_BYTES", 64)
    rows = np.random.default_rng(0).normal(size=(101, 4)).astype(np.float32)
    path = write(tmp_path / "own.tfrecord", records(x=rows, y=np.arange(101) % 3))
    dataset = load_dataset(path)
    assert isinstance(dataset.values, np.memmap)
    np.testing.assert_array_equal(dataset.values, rows)
    assert dataset.labels.tolist() == [row % 3 for row in range(101)]
