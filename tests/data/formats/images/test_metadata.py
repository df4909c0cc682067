from __future__ import annotations

import json
import os

import numpy as np
import pytest

from archbuild.data import load_dataset
from archbuild.data.request import ReadOptions
from archbuild.data.summary import summarise
from archbuild.errors import DataError
from tests.data.writers import write_image


@pytest.fixture
def folder(tmp_path):
    """Four images, of which the metadata are to name some."""
    for number in range(4):
        write_image(tmp_path / f"{number}.png", np.full((4, 4), 50 * number, np.uint8))
    return tmp_path


def said(dataset) -> str:
    return " / ".join(map(str, dataset.guesses))


def test_labels_come_from_a_table(folder):
    lines = ["file_name,label,text", "3.png,cat,a", '0.png,dog,"b, c"', "1.png,cat,", "9.png,x,"]
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n")
    dataset = load_dataset(str(folder))
    assert dataset.ids.tolist() == ["0.png", "1.png", "3.png"]
    assert [dataset.class_names[code] for code in dataset.labels] == ["dog", "cat", "cat"]
    assert "column 'label' of the metadata, 2 classes" in said(dataset)
    assert "left out: 1 images that the metadata do not name" in said(dataset)
    assert "metadata: left out: columns 'text'" in said(dataset)
    assert "left out: 1 of 4 rows of the metadata, whose images are not there: '9.png'" in said(
        dataset
    )
    assert "no images" not in said(dataset)
    assert summarise(str(folder)).n_classes == 2


def test_labels_come_from_lines_of_json_and_can_be_named(folder):
    rows = [{"file_name": f"{number}.png", "kind": number % 3} for number in range(4)]
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    plain = load_dataset(str(folder))
    assert plain.labels is None
    assert "left out: columns 'kind' [otherwise: --set data.labels=COLUMN]" in said(plain)
    dataset = load_dataset(str(folder), options=ReadOptions(labels="kind"))
    assert dataset.labels.tolist() == [0, 1, 2, 0]
    with pytest.raises(DataError, match="no column 'kin'; they have kind"):
        load_dataset(str(folder), options=ReadOptions(labels="kin"))
    assert load_dataset(str(folder), options=ReadOptions(labels="none")).labels is None


def test_each_part_has_its_own_file(tmp_path):
    for part, labels in (("train", "ab"), ("test", "ba")):
        for number in range(2):
            write_image(tmp_path / part / f"{number}.png", np.full((4, 4), number, np.uint8))
        lines = [f"{number}.png,{label}" for number, label in enumerate(labels)]
        (tmp_path / part / "metadata.csv").write_text("\n".join(["file_name,label", *lines]))
    dataset = load_dataset(str(tmp_path))
    assert dict(zip(dataset.ids, dataset.labels, strict=True)) == {
        "test/0.png": 1,
        "test/1.png": 0,
        "train/0.png": 0,
        "train/1.png": 1,
    }
    assert load_dataset(f"{tmp_path}-TEST").labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("metadata.csv", "name,label\n0.png,a\n", "has no column 'file_name'"),
        ("metadata.csv", "file_name,label\n0.png,\n1.png,\n", "since it is blank in every row"),
        ("metadata.csv", "file_name,label\n0.png,0.5\n1.png,1\n", "it has fractions"),
        ("metadata.jsonl", "[1]\n", "cannot be read as lines of JSON objects"),
        ("metadata.jsonl", "{\n", "cannot be read as lines of JSON objects"),
    ],
)
def test_what_cannot_be_read_is_named(folder, name, text, part):
    (folder / name).write_text(text)
    with pytest.raises(DataError, match=part):
        load_dataset(str(folder))


def test_images_without_a_label_are_counted(folder):
    (folder / "metadata.csv").write_text("file_name,label\n0.png,a\n1.png,\n")
    dataset = load_dataset(str(folder))
    assert dataset.labels.tolist() == [0, -1]
    assert "of the metadata, 1 classes; 1 of 2 rows have no label" in said(dataset)


def test_the_file_may_lie_above_the_only_folder_and_bear_windows_paths(tmp_path):
    for number in range(2):
        write_image(tmp_path / f"img/{number}.png", np.full((4, 4), number, np.uint8))
    (tmp_path / "metadata.csv").write_text("file_name,label\nimg\\0.png,b\n./img/1.png,a\n")
    assert load_dataset(str(tmp_path)).labels.tolist() == [1, 0]


def test_metadata_that_are_a_pipe_are_not_waited_for(folder):
    os.mkfifo(folder / "metadata.csv")
    with pytest.raises(DataError, match=r"metadata\.csv is no file that could be read"):
        load_dataset(str(folder))
