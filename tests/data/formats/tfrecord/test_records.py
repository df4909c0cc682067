from __future__ import annotations

import gzip

import pytest

from archbuild.data import limits
from archbuild.data.formats.tfrecord.checksum import masked_crc
from archbuild.data.formats.tfrecord.records import Records
from archbuild.errors import DataError
from benchmarks.attack.records import framed

CONTENTS = [b"first", b"", b"third" * 500]


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "x.tfrecord"
    found.write_bytes(b"".join(map(framed, CONTENTS)))
    return found


def contents(*paths):
    records = Records(paths)
    found = [record.content for record in records]
    assert records.count == len(found)
    return found


def test_records_of_files_come_one_below_the_other(path):
    assert contents(path, path) == CONTENTS * 2


def test_files_may_be_packed_whatever_they_are_called(path):
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert contents(path) == CONTENTS


def test_a_plain_file_that_begins_as_a_packed_one_is_plain(path):
    content = bytes(0x88B1F)  # its length begins with the bytes of gzip
    path.write_bytes(framed(content))
    assert contents(path) == [content]


@pytest.mark.keras
def test_tensorflow_writes_the_same_bytes(path, tmp_path):
    tf = pytest.importorskip("tensorflow")
    with tf.io.TFRecordWriter(str(tmp_path / "y")) as writer:
        for content in CONTENTS:
            writer.write(content)
    assert (tmp_path / "y").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize(
    ("missing", "text"),
    [
        (1, r"record 2 \(counted from 0, at byte 37\) is cut short: 2,503 of its 2,504 bytes"),
        (2502, r"record 2 \(counted from 0, at byte 37\) is cut short: 2 of its 2,504 bytes"),
        (2510, r"record 2 \(counted from 0, at byte 37\) is cut short: 6 of the 12 bytes"),
    ],
)
def test_a_file_cut_short_names_record_and_offset(path, missing, text, is_packed):
    content = path.read_bytes()[:-missing]
    path.write_bytes(gzip.compress(content) if is_packed else content)
    with pytest.raises(DataError, match=text):
        list(Records([path]))
    with pytest.raises(DataError, match=text):
        assert Records([path]).count


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (0, r"record 0 .*no TFRecord, or one packed by ZLIB"),
        (13, r"record 0 \(counted from 0, at byte 0\) has another checksum"),
        (40, r"record 2 \(counted from 0, at byte 37\) has a length with another checksum"),
        (-1, r"record 2 \(counted from 0, at byte 37\) has another checksum"),
    ],
)
def test_changed_bytes_are_found(path, place, text):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=text):
        list(Records([path]))


def test_a_length_that_memory_could_not_hold_is_refused_before_it_is_read(path):
    head = (2**40).to_bytes(8, "little")
    head += masked_crc(head).to_bytes(4, "little")
    path.write_bytes(head)
    with pytest.raises(DataError, match="is cut short: 0 of its"):
        assert Records([path]).count
    path.write_bytes(gzip.compress(head))
    with pytest.raises(DataError, match=r"says that it has 1,099,511,627,776 bytes, and at most"):
        assert Records([path]).count


def test_packed_files_of_too_many_records_are_refused(path, monkeypatch):
    monkeypatch.setattr(limits, "FREE_RECORDS", 50)
    path.write_bytes(gzip.compress(framed(b"") * 51))
    with pytest.raises(DataError, match=r"unpacked, has more than 50 records, .*LARGEST_GIB=1"):
        assert Records([path]).count
    monkeypatch.setenv("ARCHBUILD_LARGEST_GIB", "1")
    assert Records([path]).count == 51
