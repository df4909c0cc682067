from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from archbuild.data import load_dataset
from archbuild.data.formats.own import _USED, FORMATS
from archbuild.data.request import Known, ReadOptions
from archbuild.errors import DataError


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "table.csv").write_text("a,b\n1,2.5\n3,4.5\n")
    (tmp_path / "matrix.txt").write_text("1 2.5\n3 4.5\n")
    np.save(tmp_path / "flat.npy", np.ones((3, 2)))
    np.save(tmp_path / "images.npy", np.ones((3, 4, 4, 3)))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "options", "part"),
    [
        ("table.csv", {"channels": "first"}, "channels is for arrays whose rows have two axes"),
        ("table.csv", {"array": "x"}, "array is for files with several arrays"),
        ("images.npy", {"separator": ";"}, "data.separator is for text tables; remove"),
        ("images.npy", {"columns": {"a": "number"}}, "data.columns is for tables"),
        ("images.npy", {"labels": "y"}, "data.labels is for a column or an array"),
        (
            "images.npy",
            {"header": False, "decimal": ","},
            "decimal and header would change nothing",
        ),
        ("flat.npy", {"channels": "last"}, "is read as rows of one axis, where channels would"),
        ("matrix.txt", {"channels": "last"}, "is read as a matrix of text"),
    ],
)
def test_an_option_that_would_change_nothing_is_refused(files, name, options, part):
    with pytest.raises(DataError) as caught:
        load_dataset(str(files / name), options=ReadOptions(**options))
    assert part in str(caught.value)


@pytest.mark.parametrize("name", ["table.csv", "matrix.txt", "flat.npy", "images.npy"])
def test_options_for_all_formats_are_taken(files, name):
    options = ReadOptions(labels="none", divide_by=2.0, counts="none")
    assert load_dataset(str(files / name), options=options).scale == 0.5


def test_new_rows_may_come_in_another_format_than_the_training_rows(files):
    options = ReadOptions(separator=",", header=True)
    assert len(load_dataset(str(files / "flat.npy"), options=options, known=Known())) == 3


@pytest.mark.parametrize(
    "options", [{"separator": ","}, {"header": True}, {"columns": {"b": "ignore"}}, {"labels": "b"}]
)
def test_a_text_file_is_a_table_where_options_of_tables_are_set(files, options):
    path = files / "own.txt"
    path.write_text("a,b\n1,2\n3,4\n5,2\n")
    assert load_dataset(str(path), options=ReadOptions(**options)).columns[0] == "a"


def test_labels_of_images_without_metadata_are_refused(files):
    for name in "ab":
        (files / "photos" / name).mkdir(parents=True)
        Image.new("L", (8, 8)).save(files / "photos" / name / "1.png")
    with pytest.raises(DataError, match=r"no metadata\.csv .*, so it has no column 'breed'"):
        load_dataset(str(files / "photos"), options=ReadOptions(labels="breed"))


def test_an_array_of_a_table_without_images_is_refused(files):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({"a": [1.5, 2.5]}), files / "table.parquet")
    with pytest.raises(DataError, match="is read as a table without images, where array would"):
        load_dataset(str(files / "table.parquet"), options=ReadOptions(array="x"))


def test_every_reader_says_which_options_it_looks_at():
    assert {*FORMATS.values()} <= {*_USED}
    known = {name for name in ReadOptions.__dataclass_fields__}
    assert all(used <= known for _, used in _USED.values())
