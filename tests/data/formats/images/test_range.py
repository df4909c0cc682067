from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from archbuild.data import Dataset, held_out, load_dataset
from archbuild.data.formats.images.folder import survey
from archbuild.data.origin import Origin
from archbuild.data.request import Known, ReadOptions, ReadRequest
from archbuild.data.scaling import Scaler
from archbuild.errors import DataError
from tests.data.writers import png_bytes, write_image

RAMP = np.linspace(0, 1, 20).reshape(4, 5)
BYTES = np.rint(RAMP * 255).astype(np.uint8)
TWELVE = np.rint(RAMP * 4_000).astype(np.uint16)
SIXTEEN = np.rint(RAMP * 60_000).astype(np.uint16)


def write(folder: Path, **images: np.ndarray) -> str:
    """Write each image twice, so that one is left if the other is looked at alone."""
    for name, image in images.items():
        for number in (1, 2):
            write_image(folder / f"{name}{number}.tif", image)
    return str(folder)


def shown(dataset: Dataset) -> np.ndarray:
    return dataset.rows(slice(None))[..., 0]


def range_said(dataset: Dataset) -> str:
    return " / ".join(str(guess) for guess in dataset.guesses if guess.subject == "range")


@pytest.mark.parametrize(("deep", "divisor"), [(TWELVE, 4_095), (SIXTEEN, 65_535)])
def test_each_depth_of_a_mixed_folder_has_its_own_divisor(tmp_path, deep, divisor):
    dataset = load_dataset(write(tmp_path, a=BYTES, b=deep))
    np.testing.assert_allclose(shown(dataset)[0], BYTES / 255, rtol=1e-6)
    np.testing.assert_allclose(shown(dataset)[2], deep / divisor, rtol=1e-6)
    assert f"images of more bits divided by {divisor:,}" in range_said(dataset)
    assert "8-bit images divided by 255" in range_said(dataset)
    assert f"data.divide_by={divisor}" in range_said(dataset)
    assert range_said(dataset) in map(str, survey(ReadRequest(tmp_path)).guesses)


def test_divide_by_is_one_divisor_for_all_depths(tmp_path):
    options = ReadOptions(divide_by=65_535)
    dataset = load_dataset(write(tmp_path, a=BYTES, b=TWELVE), options=options)
    np.testing.assert_allclose(shown(dataset)[0], BYTES / 65_535, rtol=1e-6)
    assert range_said(dataset) == ""


@pytest.mark.parametrize(("largest", "divisor"), [(1.0, 1), (1.02, 1), (255.0, 255), (4_000, 4095)])
def test_floats_are_read_with_a_word(tmp_path, largest, divisor):
    floats = (RAMP * largest).astype(np.float32)
    dataset = load_dataset(write(tmp_path, a=floats))
    np.testing.assert_allclose(shown(dataset)[0], floats / divisor, rtol=1e-6)
    assert "floats from 0 to" in range_said(dataset)
    assert survey(ReadRequest(tmp_path)).is_scaled == (largest != 1.02)


def test_numbers_below_zero_stay_as_they_are(tmp_path):
    hounsfield = np.rint(RAMP * 3_000 - 1_000).astype(np.int32)
    dataset = load_dataset(write(tmp_path, a=hounsfield))
    np.testing.assert_array_equal(shown(dataset)[0], hounsfield)
    assert "from -1,000 to 2,000, used as they are" in range_said(dataset)
    assert not survey(ReadRequest(tmp_path)).is_scaled


def test_numbers_beyond_sixteen_bits_are_not_clipped(tmp_path):
    large = np.rint(RAMP * 1_000_000).astype(np.int32)
    dataset = load_dataset(write(tmp_path, a=large))
    np.testing.assert_allclose(shown(dataset)[0], large / (2**20 - 1), rtol=1e-6)


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_depths_that_cannot_be_compared_are_refused(tmp_path, kind):
    with pytest.raises(DataError, match=r"from -1,000 to 0 beside others.*data\.divide_by"):
        load_dataset(write(tmp_path, a=BYTES, b=((RAMP - 1) * 1_000).astype(kind)))


def test_floats_from_0_to_1_lie_beside_bytes(tmp_path):
    dataset = load_dataset(write(tmp_path, a=BYTES, b=RAMP.astype(np.float32)))
    np.testing.assert_allclose(shown(dataset)[0], shown(dataset)[2], atol=0.005)


@pytest.mark.parametrize("trained", ["bytes", "twelve", "mixed", "floats"])
@pytest.mark.parametrize(("new", "expected"), [(BYTES, BYTES / 255), (TWELVE, TWELVE / 4_095)])
def test_new_images_of_any_depth_come_to_the_range_of_the_model(tmp_path, trained, new, expected):
    images = {"bytes": {"a": BYTES}, "twelve": {"a": TWELVE}, "mixed": {"a": BYTES, "b": TWELVE}}
    images["floats"] = {"a": RAMP.astype(np.float32)}
    model = load_dataset(write(tmp_path / "train", **images[trained]))
    write_image(tmp_path / "new.tif", new)
    rows = load_dataset(str(tmp_path / "new.tif"), known=kept(model).known)
    np.testing.assert_allclose(shown(rows)[0], expected, rtol=1e-6)
    is_new = (new.dtype == np.uint8) != (trained == "bytes") if trained != "mixed" else False
    assert ("the model was trained on" in range_said(rows)) == is_new or trained == "floats"


def test_the_divisors_of_training_hold_for_images_that_use_less(tmp_path):
    model = load_dataset(write(tmp_path / "train", a=BYTES, b=SIXTEEN))
    write_image(tmp_path / "new.tif", TWELVE)
    rows = load_dataset(str(tmp_path / "new.tif"), known=kept(model).known)
    np.testing.assert_allclose(shown(rows)[0], TWELVE / 65_535, rtol=1e-6)


def kept(dataset: Dataset) -> Origin:
    """What a model keeps of its training rows, once through its file."""
    return Origin.from_json(Origin.of(dataset, Scaler.fit(dataset, "none")).to_json())


def test_the_rows_left_unseen_are_read_as_those_of_training(tmp_path):
    for part, image in (("train", SIXTEEN), ("test", TWELVE)):
        for kind in ("cat", "dog"):
            write_image(tmp_path / "photos" / part / kind / "1.tif", image)
    text = f"{tmp_path / 'photos'}-TRAIN"
    unseen = held_out(text, known=kept(load_dataset(text)).known)
    np.testing.assert_allclose(shown(unseen)[0], TWELVE / 65_535, rtol=1e-6)
    assert unseen.class_names == ("cat", "dog")


@pytest.mark.parametrize(("scale", "expected"), [(1 / 65_535, BYTES / 255), (1.0, BYTES)])
def test_a_model_that_keeps_one_scale_reads_bytes_as_it_did(tmp_path, scale, expected):
    write_image(tmp_path / "new.png", BYTES)
    rows = load_dataset(str(tmp_path / "new.png"), known=Known(scale=scale))
    np.testing.assert_allclose(shown(rows)[0], expected, rtol=1e-6)


def test_colours_of_sixteen_bits_are_said_to_be_cut(tmp_path):
    lines = np.repeat(SIXTEEN[..., np.newaxis], 3, axis=-1).astype(">u2")
    content = b"".join(b"\0" + line.tobytes() for line in lines)
    for number in (1, 2):
        (tmp_path / f"{number}.png").write_bytes(png_bytes(5, 4, content, bits=16, colour=2))
    dataset = load_dataset(str(tmp_path))
    np.testing.assert_array_equal(dataset.values[0, ..., 1], SIXTEEN >> 8)
    assert any("lower 8 of 16 bits of 2 colour images" in str(each) for each in dataset.guesses)


def test_further_pictures_of_a_file_are_counted(tmp_path):
    first, second = Image.fromarray(BYTES), Image.fromarray(BYTES // 2)
    for name in ("1.tif", "2.gif"):
        first.save(tmp_path / name, save_all=True, append_images=[second])
    dataset = load_dataset(str(tmp_path))
    assert any("2 files hold several pictures" in str(each) for each in dataset.guesses)


@pytest.mark.parametrize("images", [{"a": TWELVE}, {"a": TWELVE, "b": BYTES}])
def test_nothing_of_a_deep_image_is_transparent(tmp_path, images):
    dataset = load_dataset(write(tmp_path, **images), input_shape=(4, 4, 5))
    assert (dataset.rows(slice(None))[..., 3] == 1).all()
