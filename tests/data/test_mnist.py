from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from archbuild.data import find_datasets, load_dataset
from archbuild.errors import DataError
from tests.data.writers import write_idx

# 2 x 2 pixels that carry the row's number, so that a selection can be told by its rows
TRAIN = np.arange(60_000, dtype=">u4").view(np.uint8).reshape(-1, 2, 2)
TEST = np.arange(60_000, 70_000, dtype=">u4").view(np.uint8).reshape(-1, 2, 2)
LABELS = np.arange(70_000) % 10


def write_mnist(folder: Path, joint: str = "-", end: str = "") -> None:
    for prefix, images, labels in (
        ("train", TRAIN, LABELS[:60_000]),
        ("t10k", TEST, LABELS[60_000:]),
    ):
        write_idx(folder / f"{prefix}-images{joint}idx3-ubyte{end}", images)
        write_idx(folder / f"{prefix}-labels{joint}idx1-ubyte{end}", labels)


def row_numbers(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values).reshape(-1, 4).view(">u4").ravel()


def found(data: Path, name: str) -> tuple[bool, str]:
    return next((ok, where) for each, ok, where in find_datasets(data) if each == name)


@pytest.fixture
def no_download(monkeypatch):
    def refuse():
        print("progress")
        raise Exception("URL fetch failure: no route")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", refuse)


@pytest.mark.parametrize(
    ("place", "joint", "end"),
    [
        ("MNIST", "-", ".gz"),
        ("MNIST/raw", "-", ""),
        (".", ".", ""),
        ("mnist", "-", ""),
        ("raw", "-", ""),
    ],
)
def test_idx_files_are_found_wherever_they_usually_lie(tmp_path, place, joint, end):
    write_mnist(tmp_path / place, joint, end)
    dataset = load_dataset("mnist", tmp_path)
    assert (len(dataset), dataset.shape, dataset.n_classes) == (70_000, (1, 2, 2), 10)
    np.testing.assert_array_equal(row_numbers(dataset.values), np.arange(70_000))
    np.testing.assert_array_equal(dataset.labels, LABELS)
    assert found(tmp_path, "MNIST") == (True, str(tmp_path / place))


def test_the_tum_selection_leaves_out_the_validation_rows(tmp_path):
    write_mnist(tmp_path)
    dataset = load_dataset("MNIST-60k", tmp_path)
    expected = np.r_[0:50_000, 60_000:70_000]
    np.testing.assert_array_equal(row_numbers(dataset.values), expected)
    np.testing.assert_array_equal(dataset.labels, LABELS[expected])
    assert (dataset.name, dataset.arch_stem) == ("MNIST-60K", "mnist")


def test_the_test_half_needs_its_own_files_only(tmp_path):
    write_idx(tmp_path / "t10k-images-idx3-ubyte", TEST)
    write_idx(tmp_path / "t10k-labels-idx1-ubyte", LABELS[60_000:])
    assert row_numbers(load_dataset("mnist-test", tmp_path).values)[0] == 60_000
    assert found(tmp_path, "MNIST-TEST")[0]
    assert not found(tmp_path, "MNIST")[0]


def test_the_keras_archive_is_read(tmp_path):
    np.savez(
        tmp_path / "mnist.npz",
        x_train=TRAIN,
        y_train=LABELS[:60_000],
        x_test=TEST,
        y_test=LABELS[60_000:],
    )
    dataset = load_dataset("MNIST", tmp_path)
    np.testing.assert_array_equal(row_numbers(dataset.values), np.arange(70_000))


def test_a_missing_file_of_the_four_is_named(tmp_path):
    write_mnist(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match="but not train-labels-idx1-ubyte; put them beside"):
        load_dataset("MNIST", tmp_path)
    assert "without train-labels-idx1-ubyte" in found(tmp_path, "MNIST")[1]


@pytest.mark.parametrize(
    ("name", "array", "part"),
    [
        ("t10k-labels-idx1-ubyte", LABELS[:9_999], "10000 images, and 9999 labels"),
        ("t10k-labels-idx1-ubyte", np.full(10_000, 77), "a label is 77"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(tmp_path, name, array, part):
    write_mnist(tmp_path)
    write_idx(tmp_path / name, array)
    with pytest.raises(DataError) as caught:
        load_dataset("MNIST-TEST", tmp_path)
    assert part in str(caught.value)


def test_another_number_of_images_is_not_mnist(tmp_path):
    write_idx(tmp_path / "t10k-images-idx3-ubyte", TEST[:500])
    write_idx(tmp_path / "t10k-labels-idx1-ubyte", LABELS[:500])
    with pytest.raises(DataError, match="MNIST's test half has 10000 images"):
        load_dataset("MNIST-TEST", tmp_path)


@pytest.mark.usefixtures("no_download")
def test_without_files_and_network_the_message_says_where_they_go(tmp_path, capsys):
    with pytest.raises(DataError) as caught:
        load_dataset("MNIST", tmp_path)
    for part in (str(tmp_path / "MNIST"), "no route", "mnist.npz", "--data-dir"):
        assert part in str(caught.value)
    assert capsys.readouterr().out == ""  # stdout belongs to results
    assert not found(tmp_path, "MNIST")[0]


def test_the_download_is_taken_where_nothing_lies(tmp_path, monkeypatch):
    halves = (TRAIN, LABELS[:60_000]), (TEST, LABELS[60_000:])
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: halves)
    dataset = load_dataset("MNIST-60K", tmp_path)
    assert len(dataset) == 60_000
    assert "download" in dataset.source


def test_real_mnist(real_data):
    dataset = load_dataset("MNIST", real_data)
    assert (len(dataset), dataset.shape) == (70_000, (1, 28, 28))
    counts = [6903, 7877, 6990, 7141, 6824, 6313, 6876, 7293, 6825, 6958]
    assert np.bincount(dataset.labels).tolist() == counts
