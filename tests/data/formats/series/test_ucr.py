from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archbuild.data import held_out, load_dataset
from archbuild.data.request import ReadOptions
from archbuild.errors import DataError

NAN = np.nan


def write(path: Path, *lines: str, **header: object) -> str:
    keys = {"timeStamps": "false", "classLabel": "true a b", **header}
    head = ["# “Words” about the series", *(f"@{key} {value}" for key, value in keys.items())]
    path.write_text("\n".join([*head, "@data", *lines]) + "\n", encoding="utf-8")
    return str(path)


def said(dataset) -> str:
    return " / ".join(map(str, dataset.guesses))


def test_channels_and_classes_are_read(tmp_path):
    path = write(tmp_path / "own.ts", "1,2,3:4,5,6:a", "", "7,8,9:1.5,0,-1e1:b", "# end")
    dataset = load_dataset(path)
    expected = [[[1, 4], [2, 5], [3, 6]], [[7, 1.5], [8, 0], [9, -10]]]
    np.testing.assert_array_equal(dataset.values, expected)
    assert dataset.shape == (2, 3)
    assert dataset.class_names == ("a", "b")
    assert not dataset.gaps
    assert load_dataset(path, options=ReadOptions(labels="none")).labels is None


def test_shorter_series_have_no_values_behind_their_end(tmp_path):
    path = write(tmp_path / "own.ts", "1,2,3:4,5,6:a", "7:8:b", "9,?,1:2,NaN,3:a")
    dataset = load_dataset(path)
    assert dataset.gaps
    np.testing.assert_array_equal(dataset.values[1], [[7, 8], [NAN, NAN], [NAN, NAN]])
    assert "from 1 to 3; 1 of 3 series end before 3" in said(dataset)
    assert "missing: 2 values inside the series" in said(dataset)


def test_series_are_masked_and_not_imputed(tmp_path):
    path = write(tmp_path / "own.ts", "1,2,3:a", "7,8:b")
    assert load_dataset(path, options=ReadOptions(gaps="mask")).gaps
    with pytest.raises(DataError, match="impute is for tables"):
        load_dataset(path, options=ReadOptions(gaps="impute"))


def test_the_input_of_the_spec_settles_the_length(tmp_path):
    path = write(tmp_path / "own.ts", "1,2,3:4,5,6:a", "7,8:8,9:b")
    longer = load_dataset(path, input_shape=(2, 4))
    assert longer.shape == (2, 4)
    assert "2 of 2 series end before 4" in said(longer)
    shorter = load_dataset(path, input_shape=(2, 2))
    np.testing.assert_array_equal(shorter.values[0], [[1, 4], [2, 5]])
    assert "1 series are cut to 2, the length of Input" in said(shorter)
    assert load_dataset(path, input_shape=(8,)).shape == (2, 4)


def test_large_offsets_are_kept(tmp_path):
    path = write(tmp_path / "own.ts", "1700000000,1700000001:a", "1700000002:b")
    assert load_dataset(path).values.dtype == np.float64


BIG = 1_700_000_000_000_000_000  # nanoseconds since 1970; float64 has steps of 256 there


@pytest.mark.parametrize(
    ("lines", "header"),
    [
        ([f"1,2:{BIG},{BIG + 100}:a", f"3,4:{BIG + 200},{BIG}:b"], {}),
        ([f"(0,1):(0,{BIG}),(1,{BIG + 100}):a", f"(0,2):(0,{BIG}):b"], {"timeStamps": "true"}),
    ],
)
def test_numbers_that_float64_would_make_equal_are_refused(tmp_path, lines, header):
    path = write(tmp_path / "own.ts", *lines, **header)
    with pytest.raises(DataError, match=r"channel 2 goes from 1700000000000000000 to .* steps of"):
        load_dataset(path)


def test_numbers_beyond_2_to_53_that_float64_tells_apart_are_read(tmp_path):
    path = write(tmp_path / "own.ts", f"{BIG},{BIG + 101}:a", f"{BIG + 10**9},{-BIG}:b")
    assert load_dataset(path).values.max() == BIG + 10**9


def test_equal_numbers_and_those_that_are_cut_blur_nothing(tmp_path):
    path = write(tmp_path / "own.ts", *[f"{number},{2**53 + 1}:a" for number in (1, 2)])
    assert load_dataset(path).shape == (1, 2)
    assert load_dataset(path, input_shape=(1, 1)).values.max() == 2


def test_room_behind_short_series_is_in_proportion_to_the_file(tmp_path):
    path = write(tmp_path / "own.ts", ",".join("1" * 20_000) + ":a", *["1:b"] * 20_000)
    with pytest.raises(
        DataError, match=r"series at the length 20,000 would .*ARCHBUILD_LARGEST_GIB=3"
    ):
        load_dataset(path)


def test_a_quantity_is_no_class(tmp_path):
    path = write(tmp_path / "own.ts", "1,2:0.5", "3,4:0.7", classLabel="false", targetLabel="true")
    dataset = load_dataset(path)
    assert dataset.labels is None
    assert dataset.shape == (1, 2)
    assert "quantity" in said(dataset)


@pytest.mark.parametrize(
    ("lines", "header", "part"),
    [
        (["1,2:a", "1,x:b"], {}, "line 6: value 2, 'x', is no finite number"),
        (["1,2:a", "1,inf:b"], {}, "line 6: value 2, 'inf', is no finite number"),
        (["1,2:3,4:a", "1,2:b"], {}, "series of 1 and 2 channels"),
        (["1,2:a", "?,?:b"], {}, r"series 1 \(counted from 0\) has no values"),
        (["1,2:a", "1,2:"], {}, "line 6: expected a series and"),
        (["(0,1),(1,2):a", "(0,1),(1.3,2):b"], {"timeStamps": "true"}, "line 6: .* no multiples"),
        (["(1,1),(0,2):a"], {"timeStamps": "true"}, "line 5: the times do not rise"),
        (["1,2:a", "1,3:b"], {"timeStamps": "true"}, r"line 5: expected pairs \(time,value\)"),
        (["(0,1),(noon,2):a"], {"timeStamps": "true"}, "'.noon,2.' is no time and"),
        (["(0,1),(inf,2):a"], {"timeStamps": "true"}, "'.inf,2.' is no time and"),
        (["(0,1),(1e300,2),(1e308,2):a"], {"timeStamps": "true"}, "line 5: .* no multiples"),
        (["1,2:a", "1,1_0:b"], {}, "line 6: value 2, '1_0', is no finite number"),
        (["1,2:a", "1,1e39:b"], {}, "line 6: value 2, '1e39', is no finite number"),
        ([], {}, "no series behind its header"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, lines, header, part):
    with pytest.raises(DataError, match=part):
        load_dataset(write(tmp_path / "own.ts", *lines, **header))


def test_a_file_without_data_is_refused(tmp_path):
    (tmp_path / "own.ts").write_text("1,2:a\n")
    with pytest.raises(DataError, match="no line @data"):
        load_dataset(str(tmp_path / "own.ts"))


def write_table(path: Path, separator: str = "\t", rows: int = 6) -> str:
    values = np.random.default_rng(0).normal(size=(rows, 5))
    lines = [
        separator.join([f"{[1, -1][row % 2]:.7e}", *map(str, cells)])
        for row, cells in enumerate(values)
    ]
    path.write_text("".join(f"{'  ' * (separator == '   ')}{line}\n" for line in lines))
    return str(path)


@pytest.mark.parametrize(
    ("name", "separator"),
    [("Own_TRAIN.tsv", "\t"), ("Own_TEST.txt", "   "), ("Own_TRAIN.csv", ",")],
)
def test_tables_of_the_archive_have_their_labels_in_front(tmp_path, name, separator):
    path = write_table(tmp_path / name, separator)
    dataset = load_dataset(path)
    assert dataset.shape == (1, 5)
    assert dataset.class_names == ("-1", "1")
    assert "header=false" in said(dataset)
    plain = load_dataset(path, options=ReadOptions(header=False))
    assert plain.shape == (6,)
    assert plain.labels is None


def test_other_tables_are_none_of_the_archive(tmp_path):
    other = write_table(tmp_path / "own.tsv")
    assert load_dataset(other).shape == (6,)
    path = tmp_path / "Own_TRAIN.tsv"
    path.write_text("kind\tx\ty\n1\t2.5\t3.5\n2\t3.5\t4\n")
    assert load_dataset(str(path)).columns == ("kind", "x", "y")


def test_nan_behind_the_end_is_no_value(tmp_path):
    path = tmp_path / "Own_TRAIN.tsv"
    path.write_text("1\t0.5\t1.5\t2.5\n2\t0.5\t1.5\tNaN\n1\t0.5\t1.5\t1.5\n2\t0.5\t2.5\t0.5\n")
    dataset = load_dataset(str(path))
    assert dataset.gaps
    assert np.isnan(dataset.values[1, 2, 0])


def test_the_test_rows_are_held_out(tmp_path):
    train, test = write_table(tmp_path / "Own_TRAIN.tsv"), write_table(tmp_path / "Own_TEST.tsv")
    assert held_out(train).name == "Own_TEST"
    assert held_out(test) is None
    Path(test).unlink()
    assert held_out(train) is None


def test_times_on_one_step_become_places(tmp_path):
    lines = ["(0,1),(0.5,2),(1.5,4):(0,5),(0.5,6),(1,7):a", "(3,1),(3.5,?):(3,8),(3.5,9):b"]
    dataset = load_dataset(write(tmp_path / "own.ts", *lines, timeStamps="true"))
    first = [[1, 5], [2, 6], [NAN, 7], [4, NAN]]
    np.testing.assert_array_equal(dataset.values[0], first)
    np.testing.assert_array_equal(dataset.values[1, :2], [[1, 8], [NAN, 9]])
    assert dataset.class_names == ("a", "b")
    assert "time stamps: left out; they are multiples of one step, 0.5" in said(dataset)


def test_times_may_be_dates(tmp_path):
    days = ["(2024-01-01 10:00:00,1),(2024-01-01 10:00:30,2):(2024-01-01 10:00:00,3):a"]
    days += ["(2024-02-01T00:00,5),(2024-02-01T00:01,6):(2024-02-01T00:01:30,7):b"]
    dataset = load_dataset(write(tmp_path / "own.ts", *days, timeStamps="true"))
    np.testing.assert_array_equal(dataset.values[1, :, 0], [5, NAN, 6, NAN])
    assert dataset.values[1, 3, 1] == 7


def test_series_of_the_archive_may_end_in_nan_and_be_whole(tmp_path):
    for part in ("TRAIN", "TEST"):
        (tmp_path / f"Own_{part}.tsv").write_text("1\t4\t5\tNaN\n2\t6\t7\t8\n")
    dataset = load_dataset(str(tmp_path / "Own_TRAIN.tsv"))
    np.testing.assert_array_equal(dataset.values[0, :, 0], [4, 5, NAN])
    assert dataset.class_names == ("1", "2")


def test_labels_are_found_where_the_header_says_nothing_of_them(tmp_path):
    (tmp_path / "own.ts").write_text("@problemName own\n@data\n1,2,3:cat\n1,2,4:dog\n")
    dataset = load_dataset(str(tmp_path / "own.ts"))
    assert dataset.class_names == ("cat", "dog")
    assert "although the header has no @classLabel [otherwise: --set data.labels=none]" in said(
        dataset
    )
    (tmp_path / "own.ts").write_text("@problemName own\n@data\n1,2,3:4,5,6\n1,2,4:5,6,7\n")
    assert load_dataset(str(tmp_path / "own.ts")).shape == (2, 3)
