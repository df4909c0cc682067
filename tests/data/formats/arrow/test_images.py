from __future__ import annotations

import json
import logging
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from archbuild.data import Dataset, held_out, load_dataset
from archbuild.data.request import Known, ReadOptions
from archbuild.data.summary import summarise
from archbuild.errors import DataError

pa = pytest.importorskip("pyarrow")
pytest.importorskip("pyarrow.parquet")
pytest.importorskip("pyarrow.feather")

GREY = np.arange(20, dtype=np.uint8).reshape(4, 5)


def content(image: np.ndarray, kind: str = "PNG") -> bytes:
    file = BytesIO()
    Image.fromarray(image).save(file, kind)
    return file.getvalue()


def cells(count: int = 4) -> list[dict[str, Any]]:
    return [{"bytes": content(GREY + 50 * row), "path": f"{row}.png"} for row in range(count)]


def write(folder: Path, name: str = "photos.parquet", names: Any = None, **columns: Any) -> str:
    table = pa.table(columns)
    if names:
        features = {"label": {"names": names, "_type": "ClassLabel"}}
        kept = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": kept})
    writer = pa.parquet.write_table if name.endswith("parquet") else pa.feather.write_feather
    writer(table, folder / name)
    return str(folder / name)


def said(dataset: Dataset) -> str:
    return " / ".join(map(str, dataset.guesses))


@pytest.mark.parametrize("name", ["photos.parquet", "photos.feather"])
def test_images_are_rows_and_labels_have_their_names(tmp_path, name):
    path = write(
        tmp_path, name, ["cat", "dog"], image=cells(), label=[0, 1, 1, 0], note=list("abcd")
    )
    dataset = load_dataset(path)
    np.testing.assert_array_equal(dataset.values[1, ..., 0], GREY + 50)
    assert (dataset.shape, dataset.scale) == ((1, 4, 5), 1 / 255)
    assert dataset.ids.tolist() == ["0.png", "1.png", "2.png", "3.png"]
    assert (dataset.class_names, dataset.labels.tolist()) == (("cat", "dog"), [0, 1, 1, 0])
    assert "rows: the images of column 'image'" in said(dataset)
    assert "left out: the columns 'note'" in said(dataset)
    assert "labels: column 'label', 2 classes [otherwise: --set data.labels=none]" in said(dataset)


def test_a_column_of_bytes_is_images_if_they_are(tmp_path):
    dataset = load_dataset(write(tmp_path, jpg=[content(GREY, "JPEG"), content(GREY + 9, "JPEG")]))
    assert (dataset.shape, dataset.ids.tolist()) == ((1, 4, 5), ["row 0", "row 1"])
    with pytest.raises(DataError, match="raw"):
        load_dataset(write(tmp_path, raw=[b"ab", b"cd"]))


def test_what_is_no_image_is_left_out_with_its_row(tmp_path, caplog):
    broken = [{"bytes": b"text", "path": None}, {"bytes": None, "path": "gone.png"}, None]
    with caplog.at_level(logging.WARNING):
        dataset = load_dataset(write(tmp_path, image=[*cells(2), *broken], label=list("abbab")))
    assert dataset.class_names == ("a", "b")
    assert "3 images cannot be read, left out: row 2, gone.png, row 4" in caplog.text


def test_the_size_is_that_of_folders(tmp_path):
    large = [{"bytes": content(np.zeros((160, 128), np.uint8) + row)} for row in range(3)]
    path = write(tmp_path, image=large, label=[0, 1, 0])
    summary = summarise(path)
    assert (summary.n_rows, summary.shape, summary.n_classes) == (3, (1, 64, 51), 2)
    assert load_dataset(path, input_shape=(3, 8, 8)).shape == (3, 8, 8)


def test_columns_can_be_named(tmp_path):
    path = write(tmp_path, image=cells(), mask=cells()[::-1], kind=[5, 5, 7, 7])
    dataset = load_dataset(path, options=ReadOptions(array="mask", labels="kind"))
    assert (dataset.ids[0], dataset.class_names) == ("3.png", ("5", "7"))
    assert "column 'mask'; left out: 'image' [otherwise: --set data.array=image]" in said(dataset)
    assert load_dataset(f"{path}:kind").n_classes == 2
    assert load_dataset(path, known=Known(scale=1 / 255)).labels is None


@pytest.mark.parametrize(
    ("options", "columns", "match"),
    [
        ({"array": "x"}, {}, "no images in a column 'x'"),
        ({"labels": "x"}, {}, "no column 'x' beside its images; it has 'label'"),
        ({"columns": {"label": "category"}}, {}, "leave it out"),
        ({"labels": "label"}, {"label": ["", None, "", None]}, "since it is blank in every row"),
        ({}, {"image": [{"bytes": None, "path": "a"}] * 4}, "names images and holds none; give"),
        ({}, {"image": [{"bytes": b"x", "path": "a"}] * 4}, "0 images that can be read"),
    ],
)
def test_what_cannot_be_is_refused_with_the_cause(tmp_path, options, columns, match):
    kinds = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = {"image": cells(), "label": list("abab"), **columns}
    path = write(tmp_path, image=pa.array(table["image"], kinds), label=table["label"])
    with pytest.raises(DataError, match=match):
        load_dataset(path, options=ReadOptions(**options))


def test_images_without_a_label_are_counted(tmp_path):
    dataset = load_dataset(write(tmp_path, image=cells(), label=["a", None, "b", "b"]))
    assert dataset.labels.tolist() == [0, -1, 1, 1]
    assert "column 'label', 2 classes; 1 of 4 rows have no label" in said(dataset)


def test_a_label_that_names_no_classes_is_left_out_with_a_word(tmp_path):
    dataset = load_dataset(write(tmp_path, image=cells(), label=[0.5, 1.5, 2.5, 3.5]))
    assert dataset.labels is None
    assert "labels: none; the column 'label' is left out, since it has fractions" in said(dataset)


def test_a_folder_of_files_is_one_dataset_with_parts(tmp_path):
    rows = {"train-00000-of-00002": cells(2), "train-00001-of-00002": cells(4)[2:]}
    rows["test-00000-of-00001"] = cells(1)
    (tmp_path / "photos" / "data").mkdir(parents=True)
    for name, images in rows.items():
        labels = list("abab")[: len(images)]
        write(tmp_path / "photos" / "data", f"{name}.parquet", image=images, label=labels)
    path = str(tmp_path / "photos")
    dataset = load_dataset(path)
    assert (dataset.name, len(dataset), dataset.n_classes) == ("photos", 5, 2)
    assert dataset.ids.tolist() == ["0.png", "1.png", "2.png", "3.png", "0.png"]
    assert "the files train (2), test (1), one below the other; photos-TRAIN and" in said(dataset)
    assert summarise(path).n_rows == 5
    assert len(load_dataset(f"{path}-TRAIN")) == 4
    known = Known(scale=1 / 255)
    assert len(held_out(f"{path}-TRAIN", known=known)) == 1


def test_a_folder_of_tables_is_one_table(tmp_path):
    for name in ("a", "b"):
        write(tmp_path, f"{name}.parquet", x=[1.0, 2.0], y=["u", "v"])
    dataset = load_dataset(str(tmp_path))
    assert (dataset.values[:, 0].tolist(), dataset.n_classes) == ([1, 2, 1, 2], 2)
    write(tmp_path, "c.parquet", z=[1.0, 2.0])
    with pytest.raises(DataError, match=r"c\.parquet has other columns than .*a\.parquet"):
        load_dataset(str(tmp_path))
