from __future__ import annotations

from pathlib import Path

import pytest

from archbuild.data.formats.tables.drawn import refuse_drawn
from archbuild.errors import DataError

PATH = Path("table.csv")


@pytest.mark.parametrize(
    "rule", ["----+-------+------\n", "+----+-----+\n", "|---|:---:|\n", "| --- | --- |\n"]
)
def test_what_a_program_has_drawn_is_refused_with_how_to_export_it(rule):
    with pytest.raises(DataError, match=r"table\.csv, line 2: a line of dashes, .*psql --csv"):
        refuse_drawn(PATH, [" id | width | kind \n", rule, "  1 |   3.5 | a\n"])


@pytest.mark.parametrize(
    "line", ["-----\n", "-1|-2\n", "--|--\n", "|||\n", "a,---,b\n", "\n", "-" * 99 + "x|"]
)
def test_other_lines_are_left_to_the_reader(line):
    refuse_drawn(PATH, ["a\n", line])
