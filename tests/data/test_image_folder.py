from __future__ import annotations

import logging

import numpy as np
import pytest
from PIL import Image

from archbuild.data import load_dataset
from archbuild.errors import DataError
from tests.data.writers import write_image

GREY = np.arange(20, dtype=np.uint8).reshape(4, 5)
COLOUR = np.stack([GREY, GREY + 100, GREY + 200], axis=-1)


def test_images_of_a_folder_come_in_the_order_of_their_names(tmp_path):
    write_image(tmp_path / "b.png", GREY + 1)
    write_image(tmp_path / "a.bmp", GREY)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "._a.png").write_bytes(b"left by another system")
    dataset = load_dataset(str(tmp_path))
    assert dataset.shape == (1, 4, 5)
    assert dataset.labels is None
    np.testing.assert_array_equal(dataset.values[..., 0], [GREY, GREY + 1])
    assert dataset.scale == 1 / 255


def test_folders_inside_are_classes(tmp_path):
    for name in ("dog/1.png", "cat/1.png", "cat/deep/2.png"):
        write_image(tmp_path / name, GREY)
    dataset = load_dataset(str(tmp_path))
    assert dataset.class_names == ("cat", "dog")
    assert dataset.labels.tolist() == [0, 0, 1]


def test_one_folder_inside_is_no_classes(tmp_path):
    for name in ("all/1.png", "all/2.png"):
        write_image(tmp_path / name, GREY)
    assert load_dataset(str(tmp_path)).labels is None


def test_folders_beside_images_are_left_out_with_a_warning(tmp_path, caplog):
    for name in ("1.png", "2.png", "cat/3.png"):
        write_image(tmp_path / name, GREY)
    with caplog.at_level(logging.WARNING):
        assert len(load_dataset(str(tmp_path))) == 2
    assert "the folders are left out" in caplog.text


def test_mixed_sizes_become_the_most_common_one(tmp_path, caplog):
    for name in ("1.png", "2.png"):
        write_image(tmp_path / name, GREY)
    write_image(tmp_path / "0.png", np.full((9, 9), 7, np.uint8))
    with caplog.at_level(logging.WARNING):
        dataset = load_dataset(str(tmp_path))
    assert dataset.shape == (1, 4, 5)
    assert (dataset.values[0] == 7).all()
    assert "1 images of another size" in caplog.text


def test_the_input_shape_decides_size_and_channels(tmp_path):
    write_image(tmp_path / "1.png", COLOUR)
    write_image(tmp_path / "2.png", GREY)
    assert load_dataset(str(tmp_path)).shape == (3, 4, 5)
    assert load_dataset(str(tmp_path), input_shape=(1, 8, 8)).shape == (1, 8, 8)
    assert load_dataset(str(tmp_path), input_shape=(4, 4, 5)).shape == (4, 4, 5)
    assert load_dataset(str(tmp_path), input_shape=(20,)).shape == (1, 4, 5)
    with pytest.raises(DataError, match="not 2; change Input"):
        load_dataset(str(tmp_path), input_shape=(2, 4, 5))


def test_corrupt_images_are_left_out_with_a_warning_that_lists_them(tmp_path, caplog):
    for name in ("cat/1.png", "dog/2.png", "dog/3.png"):
        write_image(tmp_path / name, GREY)
    write_image(tmp_path / "cat/cut.png", np.random.default_rng(0).integers(0, 256, (64, 64), "u1"))
    content = (tmp_path / "cat/cut.png").read_bytes()
    (tmp_path / "cat/cut.png").write_bytes(content[: len(content) // 2])
    (tmp_path / "dog/text.jpg").write_text("no image")
    with caplog.at_level(logging.WARNING):
        dataset = load_dataset(str(tmp_path))
    assert dataset.labels.tolist() == [0, 1, 1]
    assert "2 images cannot be read" in caplog.text
    assert "cut.png" in caplog.text
    assert "text.jpg" in caplog.text


def test_sixteen_bits_keep_their_upper_byte(tmp_path):
    deep = np.arange(0, 60000, 3000, dtype=np.uint16).reshape(4, 5)
    for name in ("1.png", "2.png"):
        write_image(tmp_path / name, deep)
    np.testing.assert_array_equal(load_dataset(str(tmp_path)).values[0, ..., 0], deep >> 8)


def test_photographs_stand_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    for name in ("1.png", "2.png"):
        Image.fromarray(GREY).save(tmp_path / name, exif=exif)
    dataset = load_dataset(str(tmp_path))
    np.testing.assert_array_equal(dataset.values[0, ..., 0], np.rot90(GREY, -1))


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_images_are_refused(tmp_path, count):
    for index in range(count):
        write_image(tmp_path / f"{index}.png", GREY)
    with pytest.raises(DataError, match=f"holds {count} images .* at least two"):
        load_dataset(str(tmp_path))
