from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from archbuild.data import Dataset, load_dataset, spill
from archbuild.data import dataset as dataset_module
from archbuild.errors import DataError


def read(folder: Path, text: str, column: str = "", encoding: str = "utf-8") -> Dataset:
    path = folder / "table.csv"
    path.write_bytes(text.encode(encoding))
    return load_dataset(f"{path}:{column}" if column else str(path))


NUMBERS = [[1.0, 2.5], [3.0, -4.0]]


@pytest.mark.parametrize(
    "text",
    [
        "1,2.5\n3,-4\n",
        "width,height\n1,2.5\n3,-4\n",
        "width;height\r\n1;2.5\r\n3;-4\r\n",
        "width\theight\n1\t2.5\n\n3\t-4",
        '"width","a, b"\n"1","2.5"\n3,-4\n',
        "\ufeffwidth,height\n1,2.5\n3,-4e0\n",
        '\n"two\nlines",height\n1,2.5\n3,-4\n',
    ],
)
def test_numbers_are_read_with_and_without_a_header(tmp_path, text):
    dataset = read(tmp_path, text)
    np.testing.assert_array_equal(dataset.values, NUMBERS)
    assert dataset.labels is None


@pytest.mark.parametrize("name", ["label", "Class", "TARGET", "y"])
def test_a_label_column_is_known_by_its_name(tmp_path, name):
    dataset = read(tmp_path, f"a,{name},b\n1,cat,2.5\n3,ant,-4\n")
    np.testing.assert_array_equal(dataset.values, NUMBERS)
    assert dataset.labels.tolist() == [1, 0]
    assert dataset.class_names == ("ant", "cat")


def test_a_header_of_numbers_is_known_by_its_label_column(tmp_path):
    dataset = read(tmp_path, "0,1,label\n1,2.5,cat\n3,-4,ant\n")
    np.testing.assert_array_equal(dataset.values, NUMBERS)


def test_the_label_column_can_be_named_or_numbered(tmp_path):
    named = read(tmp_path, "species,a,b\ncat,1,2.5\nNone,3,-4\n", column="species")
    assert named.class_names == ("None", "cat")
    numbered = read(tmp_path, "cat,1,2.5\nant,3,-4\n", column="1")
    assert numbered.class_names == ("ant", "cat")
    np.testing.assert_array_equal(numbered.values, NUMBERS)


def test_row_numbers_of_data_frames_are_left_out_with_a_warning(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        dataset = read(tmp_path, ",a,b\n0,1,2.5\n1,3,-4\n")
    np.testing.assert_array_equal(dataset.values, NUMBERS)
    assert "row numbers" in caplog.text
    assert dataset.ids.tolist() == ["0", "1"]


def test_a_first_column_called_id_names_the_rows(tmp_path):
    dataset = read(tmp_path, "Id,a,b,label\nx 1,1,2.5,cat\nx 2,3,-4,ant\n")
    np.testing.assert_array_equal(dataset.values, NUMBERS)
    assert dataset.ids.tolist() == ["x 1", "x 2"]
    assert dataset.columns == ("a", "b")


def test_without_a_header_there_are_no_names(tmp_path):
    dataset = read(tmp_path, "1,2.5\n3,-4\n")
    assert dataset.columns == ()
    assert dataset.ids is None


def test_large_tables_are_read_in_parts_onto_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(spill, "IN_MEMORY", 100)
    monkeypatch.setattr(dataset_module, "_CHUNK_BYTES", 64)
    values = np.random.default_rng(0).normal(size=(101, 2)).astype(np.float32)
    lines = [f'{a},"two\n\nlines",{b}\n\n' for a, b in values.tolist()]
    dataset = read(tmp_path, "a,text,b\n" + "".join(lines), column="text")
    assert isinstance(dataset.values, np.memmap)
    np.testing.assert_array_equal(dataset.values, values)


@pytest.mark.parametrize(
    ("text", "column", "parts"),
    [
        ("a,b,c\n1,red,x\n2,blue,y\n", "", ["'b' (for instance 'red')", "'c' (for instance 'x')"]),
        ("a,b\n1,\n2,3\nNA,4\n", "", ["line 2, column 'b', line 4, column 'a'", "fill these"]),
        ("a,b\n1,2\n\n2,nan\n", "", ["line 4, column 'b'"]),
        ("a,b\n1,2\n2,1e300\n", "", ["line 3, column 'b' (1e300)"]),
        ("a\n" + "nan\n" * 8, "", ["line 6, column 'a' and 3 more"]),
        ("a,label\n1,cat\n2,\n", "", ["line 3, column 'label'"]),
        ("a,b\n1,1_000\n2,3\n", "", ["'b' (for instance '1_000')"]),
        ("a,b\n1,2\n3\n", "", ["line 3: 1 cells, where the first line has 2"]),
        ("a,b\n1,2\n3,4,5\n", "", ["line 3: 3 cells"]),
        ("width,b\n1,2\n3,4\n", "widht", ["no column 'widht'; did you mean 'width'?"]),
        ("a,b\n1,2\n3,4\n", "zzz", ["no column 'zzz'. Its columns are: a, b"]),
        ("", "", ["is empty"]),
        ("a,b\n", "", ["has a header and no rows"]),
        ("label\ncat\nant\n", "", ["no column beside its labels"]),
        ("a,b\n1,2\n", "", ["at least 2 rows"]),
    ],
)
def test_what_cannot_be_read_is_named_by_line_and_column(tmp_path, text, column, parts):
    with pytest.raises(DataError) as caught:
        read(tmp_path, text, column)
    for part in [*parts, "table.csv"]:
        assert part in str(caught.value)


def test_another_encoding_is_refused(tmp_path):
    with pytest.raises(DataError, match="no table in UTF-8"):
        read(tmp_path, "größe,b\n1,2\n3,4\n", encoding="latin-1")
