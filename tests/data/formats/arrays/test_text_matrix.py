from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from archbuild.data import Dataset, load_dataset, spill
from archbuild.data import dataset as dataset_module
from archbuild.data.request import Known, ReadOptions
from archbuild.data.summary import summarise
from archbuild.errors import DataError

NUMBERS = [[1.0, 2.5], [3.0, -4.0]]


def read(folder: Path, text: str, labels: str | None = None, encoding: str = "utf-8") -> Dataset:
    path = folder / "data.txt"
    path.write_bytes(text.encode(encoding))
    if labels is not None:
        (folder / "category.txt").write_text(labels)
    return load_dataset(str(path))


@pytest.mark.parametrize(
    "text",
    [
        "1 2.5\n3 -4\n",
        "1\t2.5\r\n3\t-4",
        "  1.0e+00 \t 2.5 \n\n 3   -4e0\n \t \n",
        "# width height\n1 2.5 # größe\n#\n3 -4\n",
        "\ufeff1 2.5\n3 -4\n",
    ],
)
def test_numbers_stand_apart_by_blanks_or_tabs(tmp_path, text):
    dataset = read(tmp_path, text)
    np.testing.assert_array_equal(dataset.values, NUMBERS)
    assert (dataset.name, dataset.values.dtype, dataset.labels) == ("data", np.float32, None)
    assert (dataset.columns, dataset.ids) == ((), None)


def test_what_numpy_saved_is_read(tmp_path, rng):
    values = rng.normal(size=(7, 3)).astype(np.float32)
    np.savetxt(tmp_path / "z.TXT", values, header="latents")
    dataset = load_dataset(str(tmp_path / "z.TXT"))
    np.testing.assert_array_equal(dataset.values, values)


@pytest.mark.parametrize("labels", ["10\n2\n", "10.0\n\n2.0", "# of saves\n1.000e+01\n2.0e0\n"])
def test_labels_lie_beside_it_and_are_whole_numbers_however_written(tmp_path, labels):
    dataset = read(tmp_path, "1 2.5\n3 -4\n", labels)
    assert dataset.class_names == ("2", "10")
    assert dataset.labels.tolist() == [1, 0]


def test_labels_may_be_words(tmp_path):
    assert read(tmp_path, "1\n2\n3\n", "cup\nred ball\ncup\n").class_names == ("cup", "red ball")


def test_another_number_of_labels_is_refused_unless_they_are_not_wanted(tmp_path):
    with pytest.raises(DataError, match=r"category\.txt has 3 labels, and .*data\.txt has 2 rows"):
        read(tmp_path, "1 2.5\n3 -4\n", "0\n1\n1\n")
    dataset = load_dataset(str(tmp_path / "data.txt"), known=Known())
    assert (len(dataset), dataset.labels) == (2, None)


def test_a_matrix_of_that_name_has_no_labels(tmp_path):
    (tmp_path / "category.txt").write_text("1 2\n3 4\n")
    assert load_dataset(str(tmp_path / "category.txt")).labels is None


def test_flat_images_fit_an_input_of_images(tmp_path, rng):
    values = rng.integers(0, 256, (60, 784))
    np.savetxt(tmp_path / "data.txt", values, fmt="%d")
    dataset = load_dataset(str(tmp_path / "data.txt"), input_shape=(1, 28, 28))
    fitted = dataset.fitted_to((1, 28, 28))
    np.testing.assert_array_equal(fitted.values[..., 0], values.reshape(60, 28, 28))
    summary = summarise(str(tmp_path / "data.txt"))
    assert (summary.shape, summary.scaling) == ((784,), "minmax")
    assert "[1, 28, 28]" in summary.size_reason


def test_a_large_matrix_is_read_in_parts_onto_disk(tmp_path, rng, monkeypatch):
    monkeypatch.setattr(spill, "IN_MEMORY", 100)
    monkeypatch.setattr(dataset_module, "_CHUNK_BYTES", 64)
    values = rng.normal(size=(101, 2)).astype(np.float32)
    dataset = read(tmp_path, "".join(f"\n{a} {b} # row\n#\n" for a, b in values.tolist()))
    assert isinstance(dataset.values, np.memmap)
    np.testing.assert_array_equal(dataset.values, values)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1 2\n\n3\n", ["line 3: 1 numbers, where the first row has 2"]),
        ("# a\n1 2\n3 4 5\n", ["line 3: 3 numbers"]),
        ("1 2\n3 red\n", ["line 2: 'red' is no number", "category.txt"]),
        ("1 2\n3 4\n5 1_000\n", ["line 3: '1_000' is no number"]),
        ("width height\n1 2\n", ["line 1: 'width' is no number", "begin a header with #"]),
        ("some words that\nare no matrix\nat all\n", ["line 1: 'some' is no number"]),
        ("1,2\n3,4\n", ["line 1: '1,2' is no number", "end in .csv"]),
        ("1 2\n#\n3 nan\n-inf 1e300\n", ["line 3, column 2 (nan)", "line 4, column 1 (-inf)"]),
        ("1 2\n3 1e39\n", ["line 2, column 2 (1e39)", "beyond float32"]),
        (f"1 2\n3 {'9' * 400}\n", ["beyond float32", "[... 3"]),
        ("", ["is empty"]),
        ("# nothing\n\n", ["is empty"]),
        ("1 2\n", ["at least 2 rows"]),
    ],
)
def test_what_cannot_be_read_is_named_by_line(tmp_path, text, parts):
    with pytest.raises(DataError) as caught:
        read(tmp_path, text)
    for part in [*parts, "data.txt"]:
        assert part in str(caught.value)


def test_a_fault_behind_the_first_part_is_named_by_its_line_in_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset_module, "_CHUNK_BYTES", 64)
    with pytest.raises(DataError, match="line 42: 'x' is no number"):
        read(tmp_path, "# head\n" + "1 2\n" * 40 + "x 2\n")


@pytest.mark.parametrize("broken", ["data.txt", "category.txt"])
def test_another_encoding_is_refused_by_the_name_of_its_file(tmp_path, broken):
    for name in ("data.txt", "category.txt"):
        (tmp_path / name).write_text("1\n2\n", encoding="utf-16" if name == broken else "utf-8")
    with pytest.raises(DataError, match=rf"{broken} is no text in UTF-8"):
        load_dataset(str(tmp_path / "data.txt"))


def test_numbers_that_float32_would_blur_are_kept(tmp_path):
    path = tmp_path / "times.txt"
    path.write_text("".join(f"{1_700_000_000 + 20 * row} {row}\n" for row in range(9)))
    dataset = load_dataset(str(path))
    assert np.diff(dataset.rows(slice(None), exact=True)[:, 0]).tolist() == [20] * 8


def test_comments_are_counted(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("# one\n1 2\n3 4 # two\n5 6\n")
    assert "what is behind # is left out, in 2 lines" in str(load_dataset(str(path)).guesses[0])


@pytest.mark.parametrize(
    ("text", "key", "told"),
    [
        ("1;2\n3;4\n5;6\n", "data.separator: semicolon", {"separator": ";"}),
        ("1,5 2\n3 4\n5 6\n", "for decimal commas set data.decimal", {"decimal": ","}),
        ("a b\n1 2\n3 4\n", "data.header: true", {"header": True}),
    ],
)
def test_other_tables_are_read_by_the_key_that_is_named(tmp_path, text, key, told):
    path = tmp_path / "own.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=re.escape(key)):
        load_dataset(str(path))
    assert load_dataset(str(path), options=ReadOptions(**told)).shape == (2,)


def test_whole_numbers_that_float64_would_blur_are_refused(tmp_path):
    text = "".join(f"{row} {2**60 + row}\n" for row in range(9))
    with pytest.raises(DataError, match=f"column 2 goes from {2**60} to {2**60 + 8}, a range of 8"):
        read(tmp_path, text)
    assert read(tmp_path, text.replace(f"{2**60} ", "0 ").replace("0 115", "0 -115")).shape == (2,)
