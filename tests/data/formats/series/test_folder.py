from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archbuild.data import dataset_name, held_out, load_dataset
from archbuild.data.request import ReadOptions
from archbuild.data.summary import summarise
from archbuild.errors import DataError

TRAIN, TEST = ("0.5,1,2:a", "3,4.5,5:b", "1,1,1.5:a"), ("7,8,9.5,6:b", "1,2,3.5:a")


def said(dataset) -> str:
    return " / ".join(map(str, dataset.guesses))


def write(folder: Path, name: str = "Own", suffix: str = ".ts") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for part, lines in (("TRAIN", TRAIN), ("TEST", TEST)):
        if suffix == ".ts":
            text = "\n".join(["@classLabel true a b", "@data", *lines])
        else:
            cells = [line.replace(",", "\t").split(":") for line in lines]
            text = "\n".join(f"{'ab'.index(label)}\t{series}" for series, label in cells)
        (folder / f"{name}_{part}{suffix}").write_text(text)
    return folder


@pytest.mark.parametrize("suffix", [".ts", ".tsv", ".txt"])
def test_both_parts_are_one_dataset(tmp_path, suffix):
    dataset = load_dataset(str(write(tmp_path / "Series", suffix=suffix)))
    assert (dataset.name, dataset.values.shape) == ("Series", (5, 4, 1))
    assert dataset.labels.tolist() == [0, 1, 0, 1, 0]
    assert dataset.gaps
    np.testing.assert_array_equal(dataset.values[3, :, 0], [7, 8, 9.5, 6])
    assert "all of which are used; Series-TRAIN and Series-TEST name one each" in said(dataset)
    assert summarise(str(tmp_path / "Series")).n_rows == 5


@pytest.mark.parametrize("suffix", [".ts", ".tsv"])
def test_the_key_that_is_printed_for_labels_works(tmp_path, suffix):
    path = str(write(tmp_path / "Series", suffix=suffix))
    assert "labels: " in said(load_dataset(path))
    assert "--set data.labels=none" in said(load_dataset(path))
    told = load_dataset(path, options=ReadOptions(labels="none"))
    assert (told.labels, "labels: " in said(told)) == (None, False)


def test_a_part_can_be_named_and_leaves_the_other_unseen(tmp_path):
    text = f"{write(tmp_path / 'Series')}-TRAIN"
    dataset = load_dataset(text)
    assert (dataset.name, len(dataset), dataset.shape) == ("Series-TRAIN", 3, (1, 3))
    assert dataset_name(text) == "Series-TRAIN"
    assert len(held_out(text, input_shape=(1, 3))) == 2
    assert held_out(str(tmp_path / "Series")) is None


def test_one_kind_of_several_is_read_and_the_others_are_counted(tmp_path):
    for suffix in (".txt", ".ts"):
        write(tmp_path / "around" / "Series", suffix=suffix)
    dataset = load_dataset(str(tmp_path / "around"))
    assert "train (Own_TRAIN.ts)" in said(dataset)
    assert "left out: 2 other files: .txt (2)" in said(dataset)


def test_several_datasets_are_refused(tmp_path):
    write(write(tmp_path), "Other")
    with pytest.raises(DataError, match="several datasets, 'Other', 'Own'; name a file"):
        load_dataset(str(tmp_path))


def test_a_header_is_for_tables(tmp_path):
    with pytest.raises(DataError, match=r"data\.header is for tables"):
        load_dataset(str(write(tmp_path)), options=ReadOptions(header=False))


def test_other_files_are_named_for_reading_them_one_by_one(tmp_path):
    np.save(tmp_path / "a.npy", np.eye(3))
    with pytest.raises(DataError, match=r"read one by one: 'a\.npy'; give the path"):
        load_dataset(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "match"),
    [("own.zip", "unpack it"), ("own.arff", r"take the \.ts or \.tsv"), ("own.pkl", "run code")],
)
def test_what_is_not_read_is_refused_with_advice(tmp_path, name, match):
    (tmp_path / name).write_text("1,2\n3,4\n")
    with pytest.raises(DataError, match=match):
        load_dataset(str(tmp_path / name))
