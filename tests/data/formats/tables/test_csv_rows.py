from __future__ import annotations

from itertools import product
from random import Random

import pytest

from archbuild.data.formats.tables import csv_rows
from archbuild.data.formats.tables.csv_rows import numbered_blocks, numbered_rows
from archbuild.data.formats.tables.left_out import LeftOut
from archbuild.errors import DataError

PIECES = (
    "1,2\n",
    "3\n",
    "\n",
    ",\n",
    "#c\n",
    "#1,2\n",
    '"a\nb",1\n',
    '"q""r"\n',
    '"',
    " \r\n",
    "x",
)


def read(path, block, monkeypatch):
    """The rows and what is left out, or the error, cut so many lines at a time."""
    monkeypatch.setattr(csv_rows, "_BLOCK", block)
    monkeypatch.setattr(csv_rows, "_SAMPLE", 2)
    left_out = LeftOut()
    try:
        return list(numbered_rows(path, ",", left_out=left_out)), left_out
    except DataError as error:
        return str(error)


def test_blocks_of_any_length_give_the_same_rows(tmp_path, monkeypatch):
    rng = Random(0)
    for _ in range(150):
        path = tmp_path / "x.csv"
        path.write_text("".join(rng.choices(PIECES, k=rng.choice((5, 30)))), newline="")
        wanted = read(path, 1, monkeypatch)
        for block in (2, 3, 100):
            assert read(path, block, monkeypatch) == wanted, path.read_text()


def test_lines_are_numbered_through_comments_blank_lines_and_long_cells(tmp_path, monkeypatch):
    (tmp_path / "x.csv").write_text('a,b\n1,2\n3,4\n\n#c\n5,"6\n7"\n,\n8,9\n')
    rows, left_out = read(tmp_path / "x.csv", 3, monkeypatch)
    assert [(row.first, row.last) for row in rows] == [(1, 1), (2, 2), (3, 3), (6, 7), (9, 9)]
    assert rows[3].cells == ["5", "6\n7"]
    assert (left_out.comments.first, left_out.blank.first) == ([5], [4, 8])


@pytest.mark.parametrize(("block", "at_a_time"), [*product((1, 4), (1, 200))])
def test_a_quote_that_is_never_closed_is_refused(tmp_path, monkeypatch, block, at_a_time):
    monkeypatch.setattr(csv_rows, "_BLOCK", block)
    monkeypatch.setattr(csv_rows, "_SAMPLE", at_a_time)
    (tmp_path / "x.csv").write_text('a,b\n1,2\n3,4\n5,"6\n7,8\n')
    with pytest.raises(DataError, match="line 4: a quote opens in this line and is never closed"):
        list(numbered_blocks(tmp_path / "x.csv", ","))
