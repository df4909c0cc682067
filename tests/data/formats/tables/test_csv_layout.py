from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from archbuild.data import Dataset, load_dataset
from archbuild.data.request import ReadOptions
from archbuild.errors import DataError
from archbuild.spec.sections import data_section

PAIRS = [[row + 0.5, row / 4] for row in range(20)]


def read(folder: Path, text: str, encoding: str = "utf-8", **options: object) -> Dataset:
    path = folder / "table.csv"
    path.write_bytes(text.encode(encoding))
    return load_dataset(str(path), options=ReadOptions(**options))


def said(dataset: Dataset) -> str:
    return "\n".join(map(str, dataset.guesses))


def lines(form: str, count: int = 20) -> str:
    """Rows of ``PAIRS``, as ``{a}`` and ``{b}``, with decimal commas as ``{A}`` and ``{B}``."""
    return "".join(
        form.format(a=a, b=b, A=str(a).replace(".", ","), B=str(b).replace(".", ",")) + "\n"
        for a, b in PAIRS[:count]
    )


DECIMALS = "0,75\n1,05\n-0,5\n12,25\n"


@pytest.mark.parametrize("header", ["", "v\n", '"v"\n'])
def test_a_column_of_decimal_commas_is_one_column(tmp_path, header):
    dataset = read(tmp_path, header + DECIMALS)
    np.testing.assert_allclose(dataset.values, [[0.75], [1.05], [-0.5], [12.25]])
    assert "decimal sign: a comma, as in 0,75, in one column" in said(dataset)
    assert "--set data.separator=comma" in said(dataset)
    two = read(tmp_path, DECIMALS, separator=",", columns={"2": "number"})
    assert two.shape == (2,)


def test_a_column_of_decimal_commas_may_be_quoted(tmp_path):
    dataset = read(tmp_path, '"v"\n"0,75"\n"1,05"\n"-0,5"\n')
    np.testing.assert_allclose(dataset.values, [[0.75], [1.05], [-0.5]])


def test_two_columns_that_may_be_one_are_said(tmp_path):
    text = "1,31\n2,27\n1,54\n2,18\n"
    dataset = read(tmp_path, text)
    assert dataset.shape == (2,)
    assert "might be one number with a decimal comma" in said(dataset)
    assert "--set 'data.decimal=\",\"'" in said(dataset)
    one = read(tmp_path, text, decimal=",")
    np.testing.assert_allclose(one.values, [[1.31], [2.27], [1.54], [2.18]])


def test_numbers_that_count_rows_are_an_index_rather_than_digits(tmp_path):
    dataset = read(tmp_path, "v\n0,31\n1,27\n2,54\n3,18\n")
    assert (dataset.ids.tolist(), dataset.columns) == (list("0123"), ("v",))
    assert "--set 'data.decimal=\",\"'" in said(dataset)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("a   b\n" + lines("{a}   {b}"), "utf-8"),
        ("a b\n" + lines("  {a}   {b}  "), "utf-8"),
        ("a b\n" + lines('"{a}" {b}'), "utf-8"),
        ("a b\n" + lines("{A} {B}"), "utf-8"),
        ("a,b\n" + lines('"{a}", "{b}"'), "utf-8"),
        ("a\tb\t\n" + lines("{a}\t{b}\t"), "utf-8"),
        ("a,b\n" + lines("{a},{b}"), "utf-16"),
        ("# made in 2024, by hand\na,b\n" + lines("{a},{b}"), "utf-8"),
        ("a,b\n" + lines("{a},{b}") + ",\n,\n", "utf-8"),
    ],
)
def test_tables_of_other_programs_are_read(tmp_path, text, encoding):
    dataset = read(tmp_path, text, encoding)
    np.testing.assert_allclose(dataset.values, PAIRS)
    assert dataset.columns == ("a", "b")


def test_a_blank_in_the_words_of_every_line_is_no_separator(tmp_path):
    rows = [f"{row},{['NA', 'x'][row % 2]},Oslo,note {row},{row % 3}" for row in range(20)]
    dataset = read(tmp_path, "\n".join(["id,size,city,note,group", *rows]) + "\n", labels="group")
    assert dataset.class_names == ("0", "1", "2")
    assert len(dataset) == 20


def test_several_blanks_separate_like_one(tmp_path):
    dataset = read(tmp_path, "a b\n" + lines("{a}    {b}"), separator=" ")
    np.testing.assert_allclose(dataset.values, PAIRS)
    words = read(tmp_path, "a w\n" + lines('{a}    "x y"'), separator=" ")
    assert words.columns == ("a", "w=x y")


@pytest.mark.parametrize(
    ("title", "skip"),
    [
        ("My table\n\n", 2),
        ("My table\nof 2024, by me\n\n", 3),
        ("My table,\n,\n", 2),
        ("My table,\n", 1),
    ],
)
def test_a_title_above_the_header_is_left_out_and_said(tmp_path, title, skip):
    text = f"{title}a,b\n" + lines("{a},{b}")
    dataset = read(tmp_path, text)
    np.testing.assert_allclose(dataset.values, PAIRS)
    assert dataset.columns == ("a", "b")
    assert re.search(
        rf"title: the first ({skip} lines are|line is) above.*'My table'", said(dataset)
    )
    assert "--set data.skip_lines=0" in said(dataset)
    told = read(tmp_path, text, skip_lines=skip)
    np.testing.assert_allclose(told.values, PAIRS)
    assert "title" not in said(told)


def test_a_title_above_numbers_with_decimal_commas_is_found(tmp_path):
    for title in ("Report\nof 01.01.2024\n\n", "Report;\n;\n"):
        dataset = read(tmp_path, f"{title}a;b\n" + lines("{A};{B}"))
        np.testing.assert_allclose(dataset.values, PAIRS)
        assert "'Report'" in said(dataset)


def test_a_title_above_rows_without_a_header_is_no_name(tmp_path):
    dataset = read(tmp_path, "My table\n" + lines("{a},{b}") * 2)
    np.testing.assert_allclose(dataset.values, PAIRS * 2)
    assert "title" in said(dataset)


@pytest.mark.parametrize("text", ["a;b\n" + lines("{a},{b}"), "a,b\n" + lines("{a};{b}")])
def test_a_header_with_another_separator_is_refused(tmp_path, text):
    with pytest.raises(DataError, match="where the others have another separator"):
        read(tmp_path, text)


def test_a_quote_that_the_next_line_closes_is_named(tmp_path):
    with pytest.raises(DataError, match="line 3: a quote opens in this line and is closed in line"):
        read(tmp_path, 'a,b\n1,"2"\n3,"4\n5,"6"\n7,"8"\n')


def test_lines_that_leave_nothing_and_binary_files_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"is empty behind its first 99 lines \(data\.skip_lines"):
        read(tmp_path, "a,b\n1,2\n", skip_lines=99)
    with pytest.raises(DataError, match="holds NUL characters, as UTF-16"):
        read(tmp_path, "a,b\n1,2\n", encoding="utf-16-le")


def test_a_second_header_is_answered_with_the_key_that_leaves_out_the_first(tmp_path):
    text = "a,b\nkg,cm\n" + lines("{a},{b}")
    with pytest.raises(DataError, match=r"line 2 \('kg'\).*left out with data\.skip_lines"):
        read(tmp_path, text)
    assert read(tmp_path, text, skip_lines=1).columns == ("kg", "cm")


def test_a_header_that_names_too_few_columns_is_no_title(tmp_path):
    with pytest.raises(DataError, match="the first line has 2 cells, and the next 4"):
        read(tmp_path, "a,b\n" + lines("{A},{B}"))
    with pytest.raises(DataError, match="half of its commas may be decimal signs"):
        read(tmp_path, "a,b\n" + lines("{A},{B}"))


@pytest.mark.parametrize("first", ["#id,a,b", "# id,a,b"])
def test_a_header_that_begins_with_a_comment_sign_is_no_comment(tmp_path, first):
    dataset = read(tmp_path, f"{first}\n" + lines("x,{a},{b}"))
    assert (dataset.columns, dataset.ids[0]) == (("a", "b"), "x")
    assert "comments" not in said(dataset)


@pytest.mark.parametrize(
    "comments",
    [
        "# made by hand, in 2024\n" * 300,  # more lines than a layout is judged by
        "# units\n\n" * 300,
        '# the "raw" table, "as it came\n',
        "# x, y\n# measured, by hand\n",
    ],
)
@pytest.mark.parametrize("first", ["", "NA,\n"])  # a row without a number
def test_comments_above_the_header_are_no_part_of_the_table(tmp_path, comments, first):
    dataset = read(tmp_path, f"{comments}a,b\n{first}" + lines("{a},{b}"))
    assert {"a", "b"} <= set(dataset.columns)
    count = comments.count("#")
    assert f"lines that begin with # are left out, {count} of them" in said(dataset)


def test_a_table_whose_rows_all_begin_with_the_comment_sign_has_no_comments(tmp_path):
    dataset = read(tmp_path, "#name,b\n" + "".join(f"#{row:03},{row}.5\n" for row in range(300)))
    assert len(dataset) == 300
    assert "comments" not in said(dataset)


def test_what_is_left_out_is_counted(tmp_path):
    text = "# one\na,b\n" + lines("{a},{b}") + "# two\n" + lines("{a},{b}", 2) + ",\n"
    assert "lines that begin with # are left out, 2 of them" in said(read(tmp_path, text))
    assert "lines without a filled cell are left out, 1 of them" in said(read(tmp_path, text))
    assert "left out, 2 of them (lines 3, 5)" in said(read(tmp_path, "a\n1\n\n2\n\n3\n\n"))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a,b\n1,2\n\n3,4\n5,6\n\n\n7,8\n\n", "3 of them (lines 3, 6, 7)"),
        ('a,b\n"1",2\n  \n,\n3,4\n', "2 of them (lines 3, 4)"),
        ("\n\na,b\n1,2\n3,4\n,\n", "1 of them (line 6)"),
        ("a\n1\n" + "\n2\n" * 30, "30 of them (lines 3, 5, "),
    ],
)
def test_blank_lines_that_shift_the_numbers_of_rows_are_named(tmp_path, text, lines):
    assert f"without a filled cell are left out, {lines}" in said(read(tmp_path, text))


def test_comments_are_named_by_line(tmp_path):
    assert "(line 3); to have one read" in said(read(tmp_path, "a,b\n1,2\n# x\n3,4\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (",,\n,,\n", r"is empty \(lines without a filled cell are left out, 2 of them"),
        ("a,b\n,\n,\n", r"header and no rows \(lines .*, 2 of them \(lines 2, 3\)"),
    ],
)
def test_lines_of_separators_alone_are_counted_where_nothing_is_left(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, text)


def test_a_cell_behind_the_separator_that_ends_lines_is_refused(tmp_path):
    text = "a,b\n" + lines("{a},{b},") * 20 + "1,2,3\n"
    with pytest.raises(DataError, match="line 402: '3' stands behind the separator that ends"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "told", "message"),
    [
        ("a;b\n" + lines("{a};{b}"), ",", "a semicolon cuts every line into 2 cells: set data.sep"),
        ("a;b\n" + lines("{A};{B}"), ",", "a semicolon cuts every line into 2 cells: set data.sep"),
        ("a|b\n" + lines("{a}|{b}"), "\t", "is not cut by a tab"),
    ],
)
def test_a_wrong_separator_is_answered_with_the_right_one(tmp_path, text, told, message):
    with pytest.raises(DataError, match=re.escape(message)):
        read(tmp_path, text, separator=told)


@pytest.mark.parametrize("end", ["", '3,4,"x"\n', '3,4,x"\n'])
@pytest.mark.parametrize("count", [20, 20_000])
def test_the_line_where_a_quote_opens_is_named(tmp_path, end, count):
    rows = "1.5,2.5,x\n"
    with pytest.raises(DataError, match=r"line 12: a quote opens"):
        read(tmp_path, "a,b,t\n" + rows * 10 + '3,4,"open\n' + rows * count + end)


def test_line_breaks_in_quotes_are_part_of_a_cell(tmp_path):
    text = "a,b,t\n" + lines('{a},{b},"first\nsecond, and\nthird\nfourth"')
    np.testing.assert_allclose(read(tmp_path, text, columns={"t": "ignore"}).values, PAIRS)


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\na;b\n" + lines("{a};{b}"),
        "a,b\n" + lines("7,{a},{b}"),
        "a,b\n" + lines("x,{a},{b}"),
        "My table\n\na,b\n" + lines("{a},{b}"),
        "0,75\n1,05\n",
        "1,31\n2,27\n",
        "a;b\n" + lines("{A};{B}"),
        "id,a\n" + lines("{a},{b}"),
        "id,a\n" + lines("x,{b}"),
        "a,label\n" + lines("{a},x"),
    ],
)
def test_every_key_that_is_printed_is_one_of_the_data_section(tmp_path, text):
    for guess in read(tmp_path, text).guesses:
        assert guess.overrule
        ReadOptions.of(data_section([f"data.{guess.overrule}"]))


@pytest.mark.parametrize(("text", "kind"), [("7,{a},{b}", "number"), ("x,{a},{b}", "category")])
def test_an_index_in_front_becomes_a_feature_by_the_key_that_is_printed(tmp_path, text, kind):
    text = "a,b\n" + lines(text)
    assert f"""--set 'data.columns={{"": "{kind}"}}'""" in said(read(tmp_path, text))
    assert read(tmp_path, text, columns={"": kind}).shape == (3,)


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ('"1,234.5"', 1234.5),
        ('"1,234,567"', 1234567),
        ("1 234.5", 1234.5),
        ("1\u202f234", 1234),
        ("1'234", 1234),
        ("\u22121.5", -1.5),
    ],
)
def test_numbers_in_groups_of_three_digits_are_read(tmp_path, cell, number):
    dataset = read(tmp_path, f"a,b\n1,{cell}\n2,3.5\n")
    np.testing.assert_allclose(dataset.values, [[1, number], [2, 3.5]])


def test_grouped_digits_tell_the_decimal_sign(tmp_path):
    dataset = read(tmp_path, "a;b\n1.234,50;1\n2.345,75;2\n")
    np.testing.assert_allclose(dataset.values, [[1234.5, 1], [2345.75, 2]])
    assert "decimal sign: a comma, as in 1.234,50" in said(dataset)


def test_two_decimal_signs_in_one_table_are_said(tmp_path):
    dataset = read(tmp_path, "a;b\n" + lines("{a};{B}"))
    assert "decimal sign: a point, as in 0.5; cells such as 0,0 are texts" in said(dataset)


def test_commas_and_points_that_may_group_digits_are_said(tmp_path):
    text = 'a,b\n1,"1,234"\n2,"2,345"\n'
    assert "a point; commas, as in 1,234, group digits" in said(read(tmp_path, text))
    assert read(tmp_path, text, decimal=",").values[0, 1] == np.float32(1.234)
    text = "a;b\n1;1.234\n2;2.345\n"
    assert "a point, as in 1.234, which might group digits" in said(read(tmp_path, text))
    assert read(tmp_path, text, decimal=",").values[0, 1] == 1234


@pytest.mark.parametrize("group", [" ", "'", "\u2019", "\u00a0", "\u2007", "\u2009", "\u202f", "."])
@pytest.mark.parametrize("form", ["{};{}", "{}\t{}", '"{}","{}"'])
def test_grouped_digits_with_a_decimal_comma_are_numbers(tmp_path, group, form):
    cells = [f"{row}{group}{234 + row},5" for row in range(1, 21)]
    text = "".join(form.format(cell, f"-{cell}") + "\n" for cell in cells)
    dataset = read(tmp_path, form.format("a", "b") + "\n" + text)
    numbers = [1000 * row + 234.5 + row for row in range(1, 21)]
    np.testing.assert_allclose(dataset.values, np.transpose([numbers, np.negative(numbers)]))
    assert "decimal sign: a comma" in said(dataset)


@pytest.mark.parametrize("form", ["1 {:03d},5", "1'{:03d}.5", "1.{:03d},5", "1 {:03d}.5"])
def test_grouped_digits_in_one_column_are_numbers(tmp_path, form):
    text = "".join(form.format(row) + "\n" for row in range(90, 111))
    dataset = read(tmp_path, f"x\n{text}")
    np.testing.assert_allclose(dataset.values[:, 0], np.arange(1090.5, 1111))


def test_a_column_with_the_other_decimal_sign_is_said(tmp_path):
    text = "".join(f"{row}.5;1 {row:03d},5\n" for row in range(20))
    dataset = read(tmp_path, f"a;b\n{text}")
    assert dataset.columns == ("a",)
    assert "left out: numbers with a decimal comma ('1 000,5'), where the table has" in said(
        dataset
    )
