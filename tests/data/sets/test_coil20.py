from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from archbuild.data import load_dataset
from archbuild.errors import DataError
from tests.data.conftest import found
from tests.data.writers import write_73, write_image

OBJECTS = np.repeat(np.arange(1, 21), 72)


@pytest.fixture(scope="module")
def small() -> np.ndarray:
    """``(1440, 4, 4)``: stands for the MATLAB version."""
    return np.random.default_rng(0).integers(0, 256, (1440, 4, 4), dtype=np.uint8)


@pytest.fixture(scope="module")
def png_folder(tmp_path_factory) -> Path:
    """The PNG version, 6 x 6, each image filled with its object and its angle."""
    folder = tmp_path_factory.mktemp("coil") / "coil-20-proc"
    for number in range(1440):
        image = np.full((6, 6), number // 72 + 1, np.uint8)
        image[3:] = number % 72
        write_image(folder / f"obj{number // 72 + 1}__{number % 72}.png", image)
    return folder


def write_mat(path: Path, images: np.ndarray, is_73: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns_first = images.swapaxes(1, 2).reshape(len(images), -1)
    variables = {"X": columns_first, "Y": OBJECTS[: len(images), np.newaxis]}
    write_73(path, **variables) if is_73 else savemat(path, variables)


@pytest.mark.parametrize("is_73", [False, True])
def test_pixels_of_the_matlab_file_are_turned_upright(tmp_path, small, is_73):
    write_mat(tmp_path / "COIL20" / "COIL20.mat", small, is_73)
    dataset = load_dataset("coil20", tmp_path)
    assert (dataset.shape, dataset.n_classes) == ((1, 4, 4), 20)
    np.testing.assert_array_equal(dataset.values[..., 0], small)
    np.testing.assert_array_equal(dataset.labels, OBJECTS - 1)
    assert found(tmp_path, "COIL20")[0]
    assert "4 x 4" in found(tmp_path, "COIL20")[1]


def test_a_matlab_file_of_version_7_3_without_the_images_is_refused(tmp_path):
    (tmp_path / "COIL20").mkdir()
    write_73(tmp_path / "COIL20" / "COIL20.mat", other=np.ones((2, 3, 4)), Y=np.ones((2, 1)))
    with pytest.raises(DataError, match="no variable X of 1440 square images"):
        load_dataset("COIL20", tmp_path)


@pytest.mark.parametrize("as_archive", [True, False])
def test_png_images_come_by_object_and_angle(tmp_path, png_folder, as_archive):
    if as_archive:
        (tmp_path / "COIL20").mkdir()
        with zipfile.ZipFile(tmp_path / "COIL20" / "coil-20-proc.zip", "w") as archive:
            for path in png_folder.iterdir():
                archive.write(path, f"coil-20-proc/{path.name}")
    dataset = load_dataset("COIL20", tmp_path if as_archive else png_folder.parent)
    assert dataset.shape == (1, 6, 6)
    np.testing.assert_array_equal(dataset.values[:, 0, 0, 0], OBJECTS)
    np.testing.assert_array_equal(dataset.values[:, 5, 0, 0], np.tile(np.arange(72), 20))
    np.testing.assert_array_equal(dataset.labels, OBJECTS - 1)


@pytest.mark.parametrize("axis", [None, 1, 3])
def test_npy_arrays_are_read_with_their_labels(tmp_path, small, axis):
    values = small if axis is None else np.expand_dims(small, axis)
    np.save(tmp_path / "coil_X.npy", values)
    np.save(tmp_path / "coil_y.npy", OBJECTS)
    dataset = load_dataset("COIL20", tmp_path)
    np.testing.assert_array_equal(dataset.values[..., 0], small)
    assert dataset.n_classes == 20


def test_npy_of_floats_are_images_too(tmp_path, small):
    np.save(tmp_path / "COIL20.npy", small / 256)
    dataset = load_dataset("COIL20", tmp_path)
    assert dataset.shape == (1, 4, 4)
    assert dataset.labels is None


@pytest.mark.parametrize(
    ("input_shape", "side"), [(None, 4), ((1, 4, 4), 4), ((1, 6, 6), 6), ((36,), 6), ((16,), 4)]
)
def test_the_input_shape_chooses_the_version(tmp_path, small, input_shape, side):
    write_mat(tmp_path / "COIL20.mat", small)
    np.save(tmp_path / "COIL20.npy", np.zeros((1440, 6, 6), np.uint8))
    dataset = load_dataset("COIL20", tmp_path, input_shape=input_shape)
    assert dataset.shape == (1, side, side)


def test_a_version_that_is_not_there_is_said_so(tmp_path, small):
    write_mat(tmp_path / "COIL20.mat", small)
    with pytest.raises(DataError) as caught:
        load_dataset("COIL20", tmp_path, input_shape=(1, 128, 128))
    for part in ("[1, 128, 128]", "4 x 4", "coil-20-proc.zip", "output_shape: [1, 4, 4]"):
        assert part in str(caught.value)


def test_nothing_there_says_what_to_put_where(tmp_path):
    with pytest.raises(DataError) as caught:
        load_dataset("COIL20", tmp_path)
    assert str(tmp_path / "COIL20") in str(caught.value)
    assert "coil-20-proc.zip" in str(caught.value)
    assert not found(tmp_path, "COIL20")[0]


def test_missing_images_are_counted(tmp_path, small):
    write_mat(tmp_path / "COIL20.mat", small[:1400])
    with pytest.raises(DataError, match="has 1400 images, and COIL20 has 1440"):
        load_dataset("COIL20", tmp_path)


@pytest.mark.parametrize("name", ["coil-20-proc.zip", "COIL20.mat", "COIL20.npy"])
def test_damaged_files_are_refused_and_reported_by_find(tmp_path, name):
    (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match=name):
        load_dataset("COIL20", tmp_path)
    assert not found(tmp_path, "COIL20")[0]


def test_an_archive_without_views_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "coil-20-proc.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(DataError, match="no images named as obj1__0"):
        load_dataset("COIL20", tmp_path)


def test_real_coil20_stands_upright(real_data):
    dataset = load_dataset("COIL20", real_data, input_shape=(1, 32, 32))
    assert (len(dataset), dataset.n_classes) == (1440, 20)
    car = dataset.values[72 * 5, ..., 0] > 40  # object 6 is a car seen from the side
    assert np.ptp(np.flatnonzero(car.any(axis=0))) > 1.5 * np.ptp(np.flatnonzero(car.any(axis=1)))
