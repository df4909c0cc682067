from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from archbuild.data import held_out, load_dataset
from archbuild.data.sets import binarized_mnist
from archbuild.errors import DataError
from tests.data.conftest import found

SIZES = {"train": 5, "valid": 3, "test": 2}


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(binarized_mnist, "N_IMAGES", SIZES)


def pixels_of(part: str) -> np.ndarray:
    """``(n, 28, 28, 1)``."""
    rng = np.random.default_rng(SIZES[part])
    return rng.integers(0, 2, (SIZES[part], 28, 28, 1), dtype=np.uint8)


def text_of(part: str) -> str:
    rows = pixels_of(part).reshape(-1, 784).tolist()
    return "".join(" ".join(map(str, row)) + "\n" for row in rows)


def write(folder: Path, part: str, text: str | None = None, suffix: str = ".gz") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"binarized_mnist_{part}.amat{suffix}"
    content = (text_of(part) if text is None else text).encode()
    path.write_bytes(gzip.compress(content) if suffix else content)
    return path


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("BINARIZED_MNIST", ["train", "valid", "test"]),
        ("BINARIZED_MNIST-60K", ["train", "valid"]),
        ("BINARIZED_MNIST-TRAIN", ["train"]),
        ("BINARIZED_MNIST-VALID", ["valid"]),
        ("BINARIZED_MNIST-TEST", ["test"]),
    ],
)
def test_each_name_has_its_files_one_after_the_other(tmp_path, name, parts, suffix):
    paths = {part: write(tmp_path / "BINARIZED_MNIST", part, suffix=suffix) for part in SIZES}
    dataset = load_dataset(name, tmp_path)
    assert (dataset.shape, dataset.labels, dataset.arch_stem) == ((1, 28, 28), None, "mnist")
    expected = np.concatenate([pixels_of(part) for part in parts])
    np.testing.assert_array_equal(dataset.rows(slice(None)), expected)
    assert dataset.source == ", ".join(str(paths[part]) for part in parts)
    assert found(tmp_path, name) == (True, dataset.source)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", ["BINARIZED_MNIST-60K", "BINARIZED_MNIST-TRAIN"])
def test_the_test_images_are_held_out(tmp_path, name):
    write(tmp_path, "test")
    assert held_out(name, tmp_path).name == "BINARIZED_MNIST-TEST"


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda text: text.replace("1", "0.5", 1), r"line 1: expected 784 values, each 0 or 1"),
        (lambda text: text.replace("\n", " 1\n"), "line 1: expected 784"),
        (lambda text: text.replace("0 1 ", "01 ", 1), "line 1: expected 784"),
        (lambda text: text[:1569], "line 2: expected 784"),
        (lambda text: text[:1568], "has 1 lines, and the test part has 2 images"),
        (lambda text: text + text, "has 4 lines"),
    ],
)
def test_files_of_another_kind_are_refused(tmp_path, change, part):
    write(tmp_path, "test", change(text_of("test")))
    with pytest.raises(DataError, match=part):
        load_dataset("BINARIZED_MNIST-TEST", tmp_path)


@pytest.mark.usefixtures("small")
def test_a_file_cut_short_and_missing_ones_are_named(tmp_path):
    path = write(tmp_path, "test")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"_test\.amat\.gz cannot be read as bytes"):
        load_dataset("BINARIZED_MNIST-TEST", tmp_path)
    with pytest.raises(DataError, match=r"put binarized_mnist_train\.amat and binarized_mnist_v"):
        load_dataset("BINARIZED_MNIST-60K", tmp_path)


def test_the_real_images_are_those_of_mnist(real_data):
    images = load_dataset("BINARIZED_MNIST-TEST", real_data)
    assert len(images) == 10_000
    # drawn from MNIST's grey values, whose mean over the test images is .1325
    np.testing.assert_allclose(images.values.mean(), 0.1325, atol=0.001)
