from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from archbuild.data import Dataset, load_dataset, spill
from archbuild.data import dataset as dataset_module
from archbuild.data.request import Known, ReadOptions
from archbuild.errors import DataError


def read(folder: Path, text: str, column: str = "", encoding: str = "utf-8") -> Dataset:
    path = folder / "table.csv"
    path.write_bytes(text.encode(encoding))
    return load_dataset(f"{path}:{column}" if column else str(path))


def said(dataset: Dataset) -> str:
    return "\n".join(map(str, dataset.guesses))


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


def test_row_numbers_of_data_frames_are_left_out_and_said(tmp_path):
    dataset = read(tmp_path, ",a,b\n0,1,2.5\n1,3,-4\n")
    np.testing.assert_array_equal(dataset.values, NUMBERS)
    assert "row numbers" in said(dataset)
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
        ("a,b\n1,2\nred,x\nblue,y\n", "", ["no column that can be used"]),
        ("a,b\n1,inf\n2,3\n3,4\n", "", ["line 2, column 'b' (inf)", "fill these"]),
        ("a,b\n1,2\n2,1e300\n", "", ["line 3, column 'b' (1e300)"]),
        ("a\n" + "inf\n" * 8, "", ["line 6, column 'a' (inf) and 3 more"]),
        ("a\n" + "nan\n" * 8, "", ["no column that can be used"]),
        ("a,label\n1,\n2,nan\n", "label", ["'label' holds no classes", "blank in every row"]),
        ("a\n1\n2\n3\n4\n1_000\n", "", ["the column 'a' holds numbers", "line 6 ('1_000')"]),
        ("a,label\n1,0.5\n2,1.5\n", "label", ["'label' holds no classes", "fractions (0.5)"]),
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


ROWS = "".join(f"{place / 7:.3f},{-place / 3:.3f},{place % 5 + 0.5}\n" for place in range(1, 21))


@pytest.mark.parametrize(
    "header", ["2015,2016,2017", "0,1,2", "1,2,3", "1990,2000,2010", "2019,2015,2023", "-1,-2,-3"]
)
def test_a_header_of_numbers_is_found_and_said(tmp_path, header):
    dataset = read(tmp_path, f"{header}\n{ROWS}")
    assert dataset.columns == tuple(header.split(","))
    assert len(dataset) == 20
    assert "header: the first line" in said(dataset)
    assert "--set data.header=false" in said(dataset)


def test_wavelengths_are_a_header(tmp_path):
    header = "400.1,402.3,405.0,407.2"
    rows = "".join(f"{0.1 * (n % 3)},{0.2 * (n % 5)},{0.3},{0.1 * (n % 4)}\n" for n in range(9))
    assert read(tmp_path, f"{header}\n{rows}").columns == tuple(header.split(","))


@pytest.mark.parametrize(
    "text",
    [
        "1,2,3\n2,1,5\n1,1,4\n3,2,3\n",  # counts that happen to rise
        "0.1,0.2,0.3\n0.3,0.1,0.2\n0.5,0.4,0.2\n",
        "1,2,3,4,5,6,7\n2,3,4,5,6,7,8\n3,4,5,6,7,8,9\n",  # sequences throughout
        "5.1,3.5,1.4,0.2\n4.9,3.0,1.4,0.2\n4.7,3.2,1.3,0.2\n",
    ],
)
def test_a_row_of_numbers_is_not_taken_for_a_header(tmp_path, text):
    dataset = read(tmp_path, text)
    assert len(dataset) == text.count("\n")
    assert "header: none" in said(dataset)


@pytest.mark.parametrize("value", [True, False])
def test_the_header_is_as_the_user_says(tmp_path, value):
    path = tmp_path / "table.csv"
    path.write_text("1,2\n3,4\n5,6\n")
    dataset = load_dataset(str(path), options=ReadOptions(header=value))
    assert len(dataset) == 2 + (not value)
    assert "header" not in said(dataset)


def test_a_continuous_column_with_a_label_name_is_a_feature(tmp_path):
    rows = "".join(f"{place},{place * 1.7:.2f}\n" for place in range(30))
    dataset = read(tmp_path, f"rooms,target\n{rows}")
    assert (dataset.columns, dataset.labels) == (("rooms", "target"), None)
    assert "'target' is a feature, since it has fractions" in said(dataset)


def rows_of(form: str, count: int = 20) -> str:
    """Lines in which ``{i}`` is the row's number and ``{w}`` one of two words."""
    return "".join(form.format(i=row, w="ab"[row % 2]) + "\n" for row in range(count))


def test_a_label_column_with_a_word_for_each_row_names_the_rows(tmp_path):
    dataset = read(tmp_path, f"a,Label\n{rows_of('{i}.5,n{i}')}")
    assert (dataset.columns, dataset.labels) == (("a",), None)
    assert dataset.ids.tolist() == [f"n{row}" for row in range(20)]
    assert "'Label' names the rows, since it has 20 different words" in said(dataset)
    assert "--set data.labels=Label" in said(dataset)
    named = read(tmp_path, f"a,Label\n{rows_of('{i}.5,n{i}')}", column="Label")
    assert named.n_classes == 20


def test_the_next_column_with_a_label_name_is_tried(tmp_path):
    dataset = read(tmp_path, f"id,a,label,y\n{rows_of('{i},{i}.5,n{i},{w}')}")
    assert (dataset.columns, dataset.class_names) == (("a",), ("a", "b"))
    assert "'label' is left out" in said(dataset)


@pytest.mark.parametrize(
    ("column", "line"),
    [
        ("", "labels: the column 'target' has a label's name too, and is a feature"),
        ("target", "labels: the column 'class' has a label's name too"),
        ("none", "column 'class': a feature, although it has a label's name"),
    ],
)
def test_features_with_a_label_name_are_said(tmp_path, column, line):
    table = f"a,class,target\n{rows_of('{i}.5,{w},{w}')}"
    assert line in said(read(tmp_path, table, column))


@pytest.mark.parametrize("column", ["", "label"])
@pytest.mark.parametrize(("blank", "words"), [("", ("cat", "ant")), ("nan", ("10", "2"))])
def test_rows_without_a_label_are_counted_and_said(tmp_path, column, blank, words):
    rows = "".join(f"{row}.5,{words[row % 2] if row % 3 else blank}\n" for row in range(20))
    dataset = read(tmp_path, f"a,label\n{rows}", column)
    assert dataset.class_names == tuple(reversed(words))
    assert dataset.labels.tolist() == [1 - row % 2 if row % 3 else -1 for row in range(20)]
    assert dataset.n_unlabelled == 7
    assert "column 'label', 2 classes; 7 of 20 rows have no label" in said(dataset)


def test_a_column_of_blanks_is_no_label_column(tmp_path):
    dataset = read(tmp_path, "a,label\n" + "".join(f"{row}.5,\n" for row in range(20)))
    assert (dataset.labels, dataset.columns) == (None, ("a",))
    assert "the column 'label'" in said(dataset)


def test_a_class_that_may_stand_for_no_label_is_said(tmp_path):
    rows = "".join(f"{row}.5,{'NA' if row == 3 else row % 2}\n" for row in range(20))
    assert "column 'label', 3 classes, 'NA' among them" in said(read(tmp_path, f"a,label\n{rows}"))


@pytest.mark.parametrize(("other", "classes"), [("01", 2), ("1.0", 1)])
def test_the_classes_that_are_said_are_those_that_are_used(tmp_path, other, classes):
    lines = "".join(f"{row}.5,{('1', other)[row % 2]}\n" for row in range(20))
    dataset = read(tmp_path, f"a,label\n{lines}")
    assert dataset.n_classes == classes
    assert f"column 'label', {classes} class" in said(dataset)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a;b\n1,5;-2,25\n3,0;4,5\n", "decimal sign: a comma"),
        ("sep=;\na;b\n1.5;-2.25\n3;4.5\n", "separator: as the first line says"),
        ("# made in 2024\na,b\n1.5,-2.25\n3,4.5\n# the end\n", "lines that begin with #"),
        ("a,b,\n1.5,-2.25,\n3,4.5,\n", "every line ends with a separator"),
        ("a,b\n1.5,-2.25,\n3,4.5,\n", "every line ends with a separator"),
        ("a,b\nx,1.5,-2.25\ny,3,4.5\n", "their first names the row"),
        ("#a,b\n1.5,-2.25\n3,4.5\n", "header"),
        ("a|b\n1.5|-2.25\n3|4.5\n", "separator: a bar"),
    ],
)
def test_dialects_are_read_and_said(tmp_path, text, line):
    dataset = read(tmp_path, text)
    np.testing.assert_array_equal(dataset.values, [[1.5, -2.25], [3.0, 4.5]])
    assert dataset.columns == ("a", "b")
    assert line in said(dataset)


def test_packed_tables_are_read(tmp_path):
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2.5\n3,-4\n"))
    dataset = load_dataset(str(path))
    np.testing.assert_array_equal(dataset.values, NUMBERS)
    assert dataset.name == "table"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"table\.csv\.gz"):
        load_dataset(str(path))


MIXED = """\
id,age,city,member,joined,note,pay
1,30,Oslo,True,2024-01-02,a,10
2,,Rome,False,2024-01-03,b,20
3,50,Oslo,True,2024-01-04,c,30
4,40,,True,2024-01-05,d,
5,30,Rome,False,2024-01-06,e,40
6,30,Rome,False,2024-01-06,f,40
"""


def test_columns_of_every_kind_become_features(tmp_path):
    dataset = read(tmp_path, MIXED)
    assert dataset.columns == (
        *("age", "age is missing"),
        *("city=Oslo", "city=Rome", "city is missing"),
        *("member", "joined"),
        *("pay", "pay is missing"),
    )
    expected = [40 - 4, 1, 0, 1, 0, 0, 19725, 20, 0]  # the mean of the other ages is 36
    np.testing.assert_allclose(dataset.values[1], expected)
    np.testing.assert_allclose(dataset.values[3, 2:5], [0, 0, 1])
    lines = ("city': 2 categories", "age': 1 of 6 cells missing", "note': left out: text with 6")
    assert all(line in said(dataset) for line in lines)
    assert dataset.ids.tolist() == list("123456")


def test_new_rows_are_encoded_as_the_training_rows_were(tmp_path, caplog):
    trained = read(tmp_path, MIXED)
    known = Known(trained.columns, trained.encoding, trained.scale)
    path = tmp_path / "new.csv"
    path.write_text("city,pay,age,joined,member\nParis,,33,2024-02-01,True\n")
    dataset = load_dataset(str(path), known=known)
    assert dataset.columns == trained.columns
    np.testing.assert_allclose(dataset.values[0], [33, 0, 0, 0, 0, 1, 19754, 28, 1])
    assert "categories that the model does not know, in 1 rows: 'Paris'" in caplog.text


def test_a_gap_where_the_training_table_had_none_is_refused(tmp_path):
    trained = read(tmp_path, MIXED)
    known = Known(trained.columns, trained.encoding, trained.scale)
    path = tmp_path / "new.csv"
    path.write_text("city,pay,age,joined,member\nOslo,1,33,2024-02-01,True\nOslo,1,3,,True\n")
    with pytest.raises(DataError, match="line 3, column 'joined'"):
        load_dataset(str(path), known=known)


def test_kinds_that_the_user_states_are_used(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("zip,x\n" + "".join(f"{1000 + row % 3},{row}\n" for row in range(9)))
    options = ReadOptions(columns={"zip": "category", "x": "ignore"})
    assert load_dataset(str(path), options=options).columns == ("zip=1000", "zip=1001", "zip=1002")


def test_numbers_that_float32_would_blur_are_kept(tmp_path):
    rows = "".join(f"{1_700_000_000 + 20 * row},{row}\n" for row in range(9))
    dataset = read(tmp_path, f"time,x\n{rows}")
    assert dataset.is_double
    assert dataset.rows(slice(None), exact=True)[:, 0].tolist() == [
        1_700_000_000 + 20 * row for row in range(9)
    ]


@pytest.mark.parametrize("name", ["iris.data", "optdigits.tra", "table"])
def test_a_text_table_is_known_by_what_it_holds(tmp_path, name):
    path = tmp_path / name
    path.write_text("1,2.5,cat\n3,-4,ant\n" * 20)
    dataset = load_dataset(str(path), options=ReadOptions(labels="3"))
    assert (len(dataset), dataset.shape, dataset.n_classes) == (40, (2,), 2)
    assert "format: a text table" in said(dataset)


@pytest.mark.parametrize("content", [b"\0\1,\2\n\3,\4\n", b"one sentence\nand another\n", b""])
def test_other_files_are_not_taken_for_tables(tmp_path, content):
    path = tmp_path / "notes.xyz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="of a kind that is not read"):
        load_dataset(str(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2,3,4\n5,6,7,8\n", "the first line has 2 cells, and the next 4"),
        ("k=a,k\n1,a\n2,b\n3,a\n4,b\n", "several columns of one name: 'k=a'"),
        ("a,d\n" + "1,2024-01-02\n" * 9 + "2,soon\n", "line 11, column 'd' (soon)"),
    ],
)
def test_nothing_is_dropped_or_guessed_away(tmp_path, text, message):
    with pytest.raises(DataError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)


def test_points_that_group_digits_are_left_out(tmp_path):
    dataset = read(tmp_path, "a;b\n1.501;0,75\n2.000;1,5\n")
    np.testing.assert_array_equal(dataset.values, [[1501, 0.75], [2000, 1.5]])


def test_keys_of_columns_with_other_signs_can_be_pasted(tmp_path):
    rows = "".join(f"{row},{'yes' if row % 2 else 'no'}\n" for row in range(9))
    dataset = read(tmp_path, f"a,petal.length\n{rows}")
    assert """--set 'data.columns={"petal.length": "ignore"}'""" in said(dataset)


def test_a_point_that_groups_no_digits_is_not_left_out(tmp_path):
    rows = "1,5;2\n" * 300 + "1.5;2\n"  # behind the lines that the layout is judged by
    with pytest.raises(DataError, match=r"line 302 \('1\.5'\)"):
        read(tmp_path, f"a;b\n{rows}")


def test_lines_of_many_thousand_columns_are_read(tmp_path):
    values = np.arange(80_000.0).reshape(2, 40_000)
    lines = [",".join(f"gene{place}" for place in range(40_000))]
    lines += [",".join(map(str, row)) for row in values.tolist()]
    (tmp_path / "x.csv").write_text("\n".join(lines))
    np.testing.assert_array_equal(load_dataset(str(tmp_path / "x.csv")).values, values)


def test_rows_with_fewer_cells_than_the_header_has_names_are_refused(tmp_path):
    (tmp_path / "x.csv").write_text("a,b,kind,when\n0.1\n")
    with pytest.raises(DataError, match="header has 4 names, and the rows below have 1 cells"):
        load_dataset(str(tmp_path / "x.csv"))
