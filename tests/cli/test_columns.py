from __future__ import annotations

from archbuild.cli.columns import WIDTH, in_columns


def test_cells_stand_below_each_other() -> None:
    text = in_columns([("a", "one"), ("long", "two")])
    assert text == "a     one\nlong  two"


def test_numbers_stand_at_the_right() -> None:
    assert in_columns([("index", "x"), ("7", "y")], numbers=[0]) == "index  x\n    7  y"


def test_no_rows_no_text() -> None:
    assert in_columns([]) == ""


def test_the_last_column_is_wrapped_beside_the_others() -> None:
    command = "archbuild --" + "x" * 40
    text = in_columns([("name", " ".join(["word"] * 30) + f" {command}"), ("b", "")])
    first, second, *_ = text.splitlines()
    assert max(map(len, text.splitlines())) <= WIDTH
    assert first.startswith("name  word")
    assert second.startswith("      word")


def test_lines_keep_their_margin() -> None:
    lines = in_columns([("n", "title\n  " + "word " * 40)]).splitlines()
    assert lines[0] == "n  title"
    assert all(line.startswith("     word") for line in lines[1:])
    assert len(lines) == 4


def test_paths_stay_whole() -> None:
    path = "/a-b" * 40
    assert path in in_columns([("n", f"in {path}")])
