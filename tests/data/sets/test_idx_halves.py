from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import load_dataset
from archbuild.data.sets.fashion import FAMILY as FASHION
from archbuild.data.sets.mnist import FAMILY as MNIST
from archbuild.errors import DataError
from tests.data.conftest import found
from tests.data.writers import TEST, TRAIN, half_labels, row_numbers, write_halves, write_idx

FAMILIES = pytest.mark.parametrize(
    ("name", "family"), [("MNIST", MNIST), ("FASHION", FASHION)], ids=["mnist", "fashion"]
)
TRAIN_LABELS, TEST_LABELS = (half_labels(MNIST, half) for half in ("train", "test"))


@FAMILIES
def test_all_rows_come_with_their_labels_the_training_files_first(tmp_path, name, family):
    write_halves(tmp_path / name, family)
    dataset = load_dataset(name, tmp_path)
    assert (len(dataset), dataset.shape, dataset.n_classes) == (70_000, (1, 2, 2), 10)
    np.testing.assert_array_equal(row_numbers(dataset.values), np.arange(70_000))
    labels = np.concatenate([half_labels(family, half) for half in ("train", "test")])
    np.testing.assert_array_equal(dataset.labels, labels)
    assert (dataset.labels.dtype, dataset.scale) == (np.int64, 1 / 255)


@FAMILIES
@pytest.mark.parametrize(("half", "first", "count"), [("TRAIN", 0, 60_000), ("TEST", 60_000, 1e4)])
def test_a_half_needs_its_own_files_only(tmp_path, name, family, half, first, count):
    write_halves(tmp_path / name, family)
    other = {"TRAIN": "t10k", "TEST": "train"}[half]
    for path in (tmp_path / name).glob(f"{other}-*"):
        path.unlink()
    dataset = load_dataset(f"{name}-{half}", tmp_path)
    assert (len(dataset), row_numbers(dataset.values)[0]) == (count, first)
    assert found(tmp_path, f"{name}-{half}") == (True, str(tmp_path / name))
    assert not found(tmp_path, name)[0]


@FAMILIES
def test_the_keras_archive_is_read(tmp_path, name, family):
    np.savez(
        tmp_path / family.archives[0],
        x_train=TRAIN,
        y_train=half_labels(family, "train"),
        x_test=TEST,
        y_test=half_labels(family, "test"),
    )
    dataset = load_dataset(name, tmp_path)
    np.testing.assert_array_equal(row_numbers(dataset.values), np.arange(70_000))
    assert found(tmp_path, name) == (True, str(tmp_path / family.archives[0]))


def test_a_missing_file_of_the_four_is_named(tmp_path):
    write_halves(tmp_path, MNIST)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match="but not train-labels-idx1-ubyte; put them beside"):
        load_dataset("MNIST", tmp_path)
    assert "without train-labels-idx1-ubyte" in found(tmp_path, "MNIST")[1]


@pytest.mark.parametrize(
    ("array", "part"),
    [
        (TEST_LABELS[:9_999], "10000 images in its test half, and 9999 labels"),
        (np.full(10_000, 77), "a label is 77, and MNIST's go from 0 to 9"),
        (half_labels(FASHION, "test"), "the files of another dataset"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(tmp_path, array, part):
    write_halves(tmp_path, MNIST)
    write_idx(tmp_path / "t10k-labels-idx1-ubyte", array)
    with pytest.raises(DataError) as caught:
        load_dataset("MNIST-TEST", tmp_path)
    assert part in str(caught.value)


def test_another_number_of_images_is_refused(tmp_path):
    write_idx(tmp_path / "t10k-images-idx3-ubyte", TEST[:500])
    write_idx(tmp_path / "t10k-labels-idx1-ubyte", TEST_LABELS[:500])
    with pytest.raises(DataError, match="MNIST's test half has 10000 images"):
        load_dataset("MNIST-TEST", tmp_path)


@pytest.mark.parametrize(("mine", "other"), [(MNIST, FASHION), (FASHION, MNIST)])
def test_files_of_the_other_dataset_are_known_by_their_classes(tmp_path, mine, other):
    name = mine.folders[0]
    write_halves(tmp_path / name, other)
    with pytest.raises(DataError, match=f"and {mine.title} has .* another dataset"):
        load_dataset(name, tmp_path)


@pytest.fixture
def download(monkeypatch):
    """Put a function in the place of Keras's download of a family."""

    def replace(family, load):
        import keras

        monkeypatch.setattr(getattr(keras.datasets, family.keras_name), "load_data", load)

    return replace


@pytest.mark.keras
@FAMILIES
def test_without_files_and_network_the_message_says_where_they_go(
    tmp_path, capsys, download, name, family
):
    def refuse():
        print("progress")
        raise Exception("URL fetch failure: no route")

    download(family, refuse)
    with pytest.raises(DataError) as caught:
        load_dataset(name, tmp_path)
    for part in (str(tmp_path / name), "no route", family.archives[0], "--data-dir"):
        assert part in str(caught.value)
    assert capsys.readouterr().out == ""  # stdout belongs to results
    assert not found(tmp_path, name)[0]


@pytest.mark.keras
@FAMILIES
def test_the_download_is_taken_where_nothing_lies(tmp_path, download, name, family):
    halves = (TRAIN, half_labels(family, "train")), (TEST, half_labels(family, "test"))
    download(family, lambda: halves)
    dataset = load_dataset(f"{name}-TRAIN", tmp_path)
    np.testing.assert_array_equal(row_numbers(dataset.values), np.arange(60_000))
    assert "download" in dataset.source
