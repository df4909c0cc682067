from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archbuild.data import Dataset, load_dataset
from archbuild.data.request import Known, ReadOptions
from archbuild.errors import DataError
from archbuild.spec.sections import data_section


def read(folder: Path, text: str, known: Known | None = None, **section: Any) -> Dataset:
    (folder / "table.csv").write_text(text)
    return load_dataset(str(folder / "table.csv"), options=ReadOptions.of(section), known=known)


def said(dataset: Dataset) -> str:
    return "\n".join(map(str, dataset.guesses))


ROWS = ("-99,20,Oslo,a", "2,-99.0,Rome,Unknown", "3,30,unknown,b", "4,40,Rome,b", "5,30,Oslo,a")
TEXT = "\n".join(["id,age,city,label", *ROWS, ""])


def test_listed_marks_are_missing_in_every_column_but_the_names(tmp_path):
    dataset = read(tmp_path, TEXT, missing=[-99, "unknown"])
    assert dataset.columns == (
        *("age", "age is missing", "city=Oslo", "city=Rome", "city is missing"),
    )
    np.testing.assert_array_equal(dataset.values[:, 0], [20, 30, 30, 40, 30])
    assert (dataset.ids[0], dataset.n_unlabelled) == ("-99", 1)
    assert "1 of 5 cells missing" in said(dataset)
    known = Known(dataset.columns, dataset.encoding)
    np.testing.assert_array_equal(
        read(tmp_path, TEXT, known, missing=[-99, "unknown"]).values, dataset.values
    )


def test_numbers_alone_may_be_marks(tmp_path):
    rows = "".join(f"{row % 5},{row}\n" for row in range(20))
    dataset = read(tmp_path, "a,b\n" + rows + "-9,3.5\n", missing=[-9])
    assert dataset.columns == ("a", "a is missing", "b")


@pytest.mark.parametrize("mark", ["\\N", "#N/A", "NaT", "<NA>", "None", "-1.#IND"])
def test_marks_of_databases_and_of_spreadsheets_are_known(tmp_path, mark):
    dataset = read(tmp_path, f"a,b\n1,2\n{mark},3\n2,4.5\n")
    assert dataset.columns == ("a", "a is missing", "b")


@pytest.mark.parametrize("mark", ["-", "missing", "k.A.", "#DIV/0!"])
def test_a_text_that_may_be_a_mark_is_refused_with_the_key_that_makes_it_one(tmp_path, mark):
    text = "a,b\n" + "".join(f"{row},{row / 2}\n" for row in range(20)) + f"{mark},3\n"
    with pytest.raises(DataError) as caught:
        read(tmp_path, text)
    key = str(caught.value).partition("--set '")[2].partition("'")[0]
    section = data_section([key])
    assert section == {"missing": [mark]}
    assert read(tmp_path, text, **section).columns == ("a", "a is missing", "b")


def test_the_key_for_a_code_is_printed(tmp_path):
    text = "a,b\n" + "".join(f"{row % 7 if row % 5 else -99},{row / 2}\n" for row in range(20))
    assert "--set 'data.missing=[-99]'" in said(read(tmp_path, text))


def test_arrays_have_no_use_for_marks(tmp_path):
    np.save(tmp_path / "own.npy", np.eye(3))
    with pytest.raises(DataError, match=r"data\.missing is for tables"):
        load_dataset(str(tmp_path / "own.npy"), options=ReadOptions(missing=("-99",)))
