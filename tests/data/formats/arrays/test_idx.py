from __future__ import annotations

import gzip

import numpy as np
import pytest

from archbuild.data.formats.arrays.idx import read_idx
from archbuild.errors import DataError
from tests.data.writers import idx_bytes, write_idx

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_plain_and_gzipped_files_are_read(tmp_path, name):
    write_idx(tmp_path / name, IMAGES)
    np.testing.assert_array_equal(read_idx(tmp_path / name, 3), IMAGES)


def test_an_unpacked_file_that_kept_its_gz_name_is_read(tmp_path):
    (tmp_path / "images.gz").write_bytes(idx_bytes(IMAGES))
    np.testing.assert_array_equal(read_idx(tmp_path / "images.gz", 3), IMAGES)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (idx_bytes(IMAGES)[:-3], "declares 24 values, [2, 3, 4], but 21 are there"),
        (idx_bytes(IMAGES) + b"\0", "but it goes on"),
        (idx_bytes(IMAGES)[:9], "ends inside its header"),
        (b"", "begins with the bytes (none)"),
        (b"<!DOCTYPE html>", "begins with the bytes 3c 21 44 4f"),
        (idx_bytes(IMAGES[0, 0]), "00 00 08 03"),
        (
            gzip.compress(idx_bytes(IMAGES), mtime=0)[:-12],
            "cannot be read as bytes",
        ),
        (b"\0\0\x08\x03" + b"\xff" * 12, "GiB"),
    ],
)
def test_damaged_files_are_refused_in_one_sentence(tmp_path, content, part):
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_idx(path, 3)
    assert part in str(caught.value)
    assert str(path) in str(caught.value)
