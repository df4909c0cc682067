from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from archbuild.data import load_dataset
from archbuild.data.sets import svhn
from archbuild.errors import DataError
from tests.data.conftest import found

SIZES = {"train": 12, "extra": 20, "test": 10}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(svhn, "N_IMAGES", SIZES)


def images_of(part: str) -> np.ndarray:
    """``(n, 32, 32, 3)``."""
    rng = np.random.default_rng(SIZES[part])
    return rng.integers(0, 256, (SIZES[part], 32, 32, 3), dtype=np.uint8)


def classes_of(part: str) -> np.ndarray:
    """``(n,)``, from 1 to 10, as in the official files."""
    return (np.arange(SIZES[part]) % 10 + 1).astype(np.uint8)


def write(folder: Path, part: str, images=None, classes=None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    images = images_of(part) if images is None else images
    classes = classes_of(part) if classes is None else classes
    path = folder / f"{part}_32x32.mat"
    savemat(
        path,
        {"X": np.moveaxis(images, 0, -1), "y": classes[:, np.newaxis]},
        do_compression=True,
    )
    return path


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("SVHN", ["train", "test"]),
        ("SVHN-TRAIN", ["train", "extra"]),
        ("SVHN-TEST", ["test"]),
    ],
)
def test_each_name_has_its_files_one_after_the_other(tmp_path, name, parts):
    paths = {part: write(tmp_path / "SVHN", part) for part in SIZES}
    dataset = load_dataset(name, tmp_path)
    assert (dataset.shape, dataset.n_classes, dataset.arch_stem) == ((3, 32, 32), 10, "svhn")
    np.testing.assert_array_equal(
        dataset.values, np.concatenate([images_of(part) for part in parts])
    )
    np.testing.assert_array_equal(
        dataset.labels, np.concatenate([classes_of(part) for part in parts]) % 10
    )
    assert dataset.source == ", ".join(str(paths[part]) for part in parts)
    assert found(tmp_path, name) == (True, dataset.source)


def test_rows_are_colours_from_0_to_1(tmp_path):
    write(tmp_path, "test")
    rows = load_dataset("SVHN-TEST", tmp_path).rows([3])
    np.testing.assert_allclose(rows[0], images_of("test")[3] / 255, rtol=1e-6)


def test_class_10_is_the_digit_0(tmp_path):
    write(tmp_path, "test")
    dataset = load_dataset("SVHN-TEST", tmp_path)
    digits = [dataset.class_names[label] for label in dataset.labels]
    assert digits == ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"]


def test_training_without_the_extra_images_says_so(tmp_path):
    path = write(tmp_path / "svhn", "train")
    dataset = load_dataset("svhn-train", tmp_path)
    assert len(dataset) == SIZES["train"]
    assert dataset.source == f"{path}, without extra_32x32.mat"
    assert found(tmp_path, "SVHN-TRAIN") == (True, dataset.source)


def test_missing_files_are_named(tmp_path):
    write(tmp_path / "SVHN", "test")
    with pytest.raises(DataError, match=r"SVHN is not in .*SVHN; put train_32x32\.mat there"):
        load_dataset("SVHN", tmp_path)
    assert not found(tmp_path, "SVHN")[0]
    assert not found(tmp_path, "SVHN-TRAIN")[0]
    assert found(tmp_path, "SVHN-TEST")[0]


@pytest.mark.parametrize(
    ("images", "classes", "part"),
    [
        (images_of("test")[:9], classes_of("test")[:9], "expected (32, 32, 3, 10)"),
        (images_of("test"), classes_of("test")[:9], "labels y of shape (9, 1)"),
        (images_of("test")[:, :28, :28], None, "(10, 28, 28, 3)"),
        (images_of("test") / 255, None, "type float64"),
        (None, classes_of("test") - 1, "labels from 0 to 9"),
        (None, classes_of("test") + 1, "labels from 2 to 11"),
    ],
)
def test_files_of_another_kind_are_refused(tmp_path, images, classes, part):
    write(tmp_path, "test", images, classes)
    with pytest.raises(DataError) as caught:
        load_dataset("SVHN-TEST", tmp_path)
    assert part in str(caught.value)
    assert "download it again" in str(caught.value)


def test_a_file_without_labels_is_refused(tmp_path):
    savemat(tmp_path / "test_32x32.mat", {"X": np.moveaxis(images_of("test"), 0, -1)})
    with pytest.raises(DataError, match=r"labels y of shape \(\)"):
        load_dataset("SVHN-TEST", tmp_path)


def test_a_file_cut_short_is_refused(tmp_path):
    path = write(tmp_path, "test")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DataError, match=r"test_32x32\.mat cannot be read as \.mat"):
        load_dataset("SVHN-TEST", tmp_path)
