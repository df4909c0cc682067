from __future__ import annotations

import logging
import weakref
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from archbuild.data import Dataset, dataset, held_out, load_dataset, spill
from archbuild.data.formats.images import stack
from archbuild.data.formats.images.folder import survey
from archbuild.data.request import Known, ReadRequest
from archbuild.errors import DataError
from tests.data.writers import png_bytes, write_image

GREY = np.arange(20, dtype=np.uint8).reshape(4, 5)
COLOUR = np.stack([GREY, GREY + 100, GREY + 200], axis=-1)


def said(dataset: Dataset) -> str:
    return "\n".join(map(str, dataset.guesses))


def test_images_of_a_folder_come_in_the_order_of_their_names(tmp_path):
    write_image(tmp_path / "b.png", GREY + 1)
    write_image(tmp_path / "a.bmp", GREY)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "._a.png").write_bytes(b"left by another system")
    dataset = load_dataset(str(tmp_path))
    assert dataset.shape == (1, 4, 5)
    assert dataset.labels is None
    np.testing.assert_array_equal(dataset.values[..., 0], [GREY, GREY + 1])
    assert dataset.scale == 1 / 31
    assert "left out: 2 files that are no images: hidden (1), .txt (1)" in said(dataset)


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


@pytest.mark.parametrize(
    ("largest", "divisor"), [(60_000, 65_535), (4_000, 4_095), (255, 255), (1, 1)]
)
@pytest.mark.parametrize("kind", [np.uint16, np.int32])
def test_the_range_of_deep_images_decides_their_divisor(tmp_path, largest, divisor, kind):
    deep = np.linspace(0, largest, 20).astype(kind).reshape(4, 5)
    for name in ("1.tif", "2.tif"):
        write_image(tmp_path / name, deep)
    dataset = load_dataset(str(tmp_path))
    np.testing.assert_array_equal(dataset.values[0, ..., 0], deep)
    assert dataset.scale == 1 / divisor


def test_a_mask_is_not_divided(tmp_path):
    for name in ("1.png", "2.png"):
        write_image(tmp_path / name, GREY % 2)
    assert load_dataset(str(tmp_path)).scale == 1.0


def split_folders(folder: Path) -> Path:
    for number, name in enumerate(
        (
            *("train/cat/1.png", "train/dog/2.png", "train/dog/3.png"),
            *("Test/cat/4.png", "Test/dog/5.png", "val/cat/6.png"),
        )
    ):
        write_image(folder / name, GREY + 10 * number)
    return folder


def test_parts_above_the_classes_are_no_classes(tmp_path):
    folder = split_folders(tmp_path / "photos")
    dataset = load_dataset(str(folder))
    assert (len(dataset), dataset.class_names) == (6, ("cat", "dog"))
    assert "photos-TRAIN" in said(dataset)


def test_a_part_can_be_named_and_leaves_the_test_rows_unseen(tmp_path):
    folder = split_folders(tmp_path / "photos")
    part = load_dataset(f"{folder}-TRAIN")
    assert (part.name, len(part), part.class_names) == ("photos-TRAIN", 3, ("cat", "dog"))
    assert len(held_out(f"{folder}-TRAIN")) == 2
    assert held_out(str(folder)) is None


def test_a_folder_around_the_classes_is_seen_through(tmp_path):
    for name in ("zip/data/dog/1.png", "zip/data/cat/1.png"):
        write_image(tmp_path / name, GREY)
    dataset = load_dataset(str(tmp_path))
    assert dataset.class_names == ("cat", "dog")
    assert "folder: the one inside, zip/data" in said(dataset)


def test_one_image_is_enough_for_a_model(tmp_path):
    write_image(tmp_path / "1.png", GREY)
    dataset = load_dataset(str(tmp_path / "1.png"), known=Known(scale=1 / 255))
    assert (len(dataset), dataset.ids.tolist(), dataset.scale) == (1, ["1.png"], 1 / 255)


def test_photographs_stand_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    for name in ("1.png", "2.png"):
        Image.fromarray(GREY).save(tmp_path / name, exif=exif)
    dataset = load_dataset(str(tmp_path))
    np.testing.assert_array_equal(dataset.values[0, ..., 0], np.rot90(GREY, -1))


def test_images_are_known_by_their_paths_in_the_folder(tmp_path):
    for name in ("dog/1.png", "cat/deep/2.png"):
        write_image(tmp_path / name, GREY)
    (tmp_path / "cat/broken.png").write_bytes(b"")
    assert load_dataset(str(tmp_path)).ids.tolist() == ["cat/deep/2.png", "dog/1.png"]


def test_large_folders_are_read_onto_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(spill, "IN_MEMORY", 10)
    for name in ("1.png", "2.png", "3.png"):
        write_image(tmp_path / name, GREY + int(name[0]))
    (tmp_path / "1.png").write_text("broken")
    values = load_dataset(str(tmp_path)).values
    assert isinstance(values, np.memmap)
    np.testing.assert_array_equal(values[..., 0], [GREY + 2, GREY + 3])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_mode_becomes_the_channels_that_are_asked_for(tmp_path, mode):
    suffix = "tif" if mode == "CMYK" else "png"
    plain = np.full((4, 5), 255, np.uint16) * 257 if mode == "I;16" else None
    white = Image.fromarray(plain) if mode == "I;16" else Image.new(mode, (5, 4), _white(mode))
    for number in (1, 2):
        white.save(tmp_path / f"{number}.{suffix}")
    for channels in (1, 3, 4):
        dataset = load_dataset(str(tmp_path), input_shape=(channels, 4, 5))
        np.testing.assert_allclose(dataset.values * dataset.scale, 1)


def _white(mode: str) -> object:
    return {"CMYK": (0, 0, 0, 0), "P": (255, 255, 255), "LA": (255, 255)}.get(mode, "white")


def test_what_is_transparent_is_white_as_in_a_viewer(tmp_path):
    clear = Image.new("RGBA", (5, 4), (0, 0, 0, 0))
    clear.save(tmp_path / "1.png")
    palette = Image.new("P", (5, 4), 0)
    palette.save(tmp_path / "2.png", transparency=bytes([0] * 9))
    for channels in (1, 3):
        dataset = load_dataset(str(tmp_path), input_shape=(channels, 4, 5))
        assert (dataset.values == 255).all()
        assert "transparency: 2 images may be transparent in places" in said(dataset)
    assert load_dataset(str(tmp_path), input_shape=(4, 4, 5)).values[0].max() == 0


def test_of_an_animation_the_first_picture_is_read(tmp_path):
    first, second = Image.new("L", (5, 4), 10), Image.new("L", (5, 4), 200)
    for number in (1, 2):
        first.save(tmp_path / f"{number}.gif", save_all=True, append_images=[second])
    assert (load_dataset(str(tmp_path), input_shape=(1, 4, 5)).values == 10).all()


def test_what_is_no_image_after_all_is_left_out(tmp_path, caplog, recwarn):
    for number in (1, 2):
        write_image(tmp_path / f"{number}.png", GREY)
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "bomb.png").write_bytes(png_bytes(60_000, 60_000, b"0"))
    Image.fromarray(np.full((4, 5), np.nan, np.float32)).save(tmp_path / "floats.tif")
    with caplog.at_level(logging.WARNING):
        assert len(load_dataset(str(tmp_path))) == 2
    assert "3 images cannot be read, left out: bomb.png (60000 x" in caplog.text
    assert "), empty.png, floats.tif (NaN" in caplog.text
    assert not recwarn.list


def test_a_survey_reads_headers_alone(tmp_path):
    for name in ("cat/1.png", "cat/2.png", "dog/3.png"):
        write_image(tmp_path / name, np.eye(*((9, 9) if name[-5] == "3" else (4, 5)), dtype="u1"))
    (tmp_path / "dog/4.png").write_text("broken")
    assert survey(ReadRequest(tmp_path))[:3] == (3, (1, 4, 5), 2)
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="holds 0 images"):
        survey(ReadRequest(tmp_path / "none"))


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_images_are_refused(tmp_path, count):
    for index in range(count):
        write_image(tmp_path / f"{index}.png", GREY)
    with pytest.raises(DataError, match=f"holds {count} images .* at least 2 are needed"):
        load_dataset(str(tmp_path))


def test_a_survey_counts_no_image_whose_pixels_are_broken(tmp_path):
    for number in range(6):
        write_image(tmp_path / f"{number}.png", np.zeros((90, 90), np.uint8) + GREY[0, number % 5])
        content = (tmp_path / f"{number}.png").read_bytes()
        (tmp_path / f"{number}.png").write_bytes(content[:60])
    with pytest.raises(DataError, match="holds 0 images that can be read"):
        survey(ReadRequest(tmp_path))


def test_what_is_there_in_place_of_images_is_named(tmp_path):
    (tmp_path / "1.heic").write_bytes(b"")
    with pytest.raises(DataError, match=r"left out: 1 files that are no images: \.heic \(1\)"):
        load_dataset(str(tmp_path))


def test_a_single_image_is_no_dataset(tmp_path):
    write_image(tmp_path / "1.png", GREY)
    with pytest.raises(DataError, match="give the folder of all images"):
        load_dataset(str(tmp_path / "1.png"))


def test_the_range_of_many_images_is_found_one_part_at_a_time(monkeypatch):
    values = np.arange(40, dtype=np.uint8).reshape(10, 2, 2, 1)
    monkeypatch.setattr(dataset, "_CHUNK_BYTES", 8)
    held: list[weakref.ref[np.ndarray]] = []

    def read(values, part):
        assert sum(each() is not None for each in held) <= 1
        copy = np.array(values[part])
        held.append(weakref.ref(copy))
        return copy

    monkeypatch.setattr(stack, "read_part", read)
    assert stack._range_of_rows(values) == (0.0, 39.0)
    assert len(held) == 5
