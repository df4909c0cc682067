"""Figures from before the tables were declared, and their part of a page."""

from __future__ import annotations

import pytest

from archbuild.errors import UsageError
from benchmarks.reproduce.declared import TABLES, read_tables
from benchmarks.reproduce.earlier import read_earlier
from benchmarks.reproduce.index import index
from benchmarks.reproduce.page import page
from tests.benchmarks.conftest import MEASURED, result
from tests.benchmarks.test_page import lines


@pytest.fixture
def table(measured):
    return read_tables(measured)["tiny"]


def test_seeds_are_put_together(table):
    row, *by_seed = lines(page(table, []), "by hand")
    # of .7, .9, .5: mean and deviation; median, best and worst of the table's scores
    assert row[1:5] == ["DIGITS", "gmm, head", "0.700 ± 0.200", "0.600 ± 0.200"]
    assert row[5:] == ["0.700", "0.900", "0.500", "3", "4 to 5", "2.0"]
    assert [line[2:5] for line in by_seed] == [
        ["0", "0.700", "0.600"],
        ["1", "0.900", "0.800"],
        ["2", "0.500", "0.400"],
    ]
    assert by_seed[1][5:] == ["5", "2.0"]


def test_a_median_that_alone_is_known_is_called_one(table):
    (row,) = lines(page(table, []), "of others")
    assert row[2:5] == ["DEC", "median 0.600", ""]
    assert row[5:] == ["0.600", "0.650", "0.500", "3", "", ""]


def test_commands_and_notes_are_listed(table):
    text = page(table, [])
    assert "* **by hand**: `archbuild -d DIGITS --seed S`. A remark." in text
    assert "two x86-64 cores" in text


def test_the_index_has_the_head_from_before_until_the_table_is_run(table, records):
    (line,) = lines(index([table], {"tiny": []}), "[tiny]")
    assert line[3] == "not run; before: 0.700 ± 0.200, median 0.700, by hand"
    records.add(table.runs[0], 0, result(0.4))
    (line,) = lines(index([table], {"tiny": records.all}), "[tiny]")
    assert line[3] == "0.400, first"


def test_a_table_without_such_figures_has_no_such_part(tiny):
    assert "Measured before" not in page(tiny, [])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("note: A remark.", "nota: A remark.", "tiny.yaml, by hand: 'nota' is unknown"),
        ("nmi: [", "nim: [", "by hand, gmm, head: 'nim' is unknown"),
        ("median: 0.6", "mean: 0.6", "of others, DEC: 'mean' is unknown, 'median' is missing"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, old, new, said):
    assert old in MEASURED
    (tmp_path / "tiny.yaml").write_text(MEASURED.replace(old, new))
    with pytest.raises(UsageError, match=said):
        read_earlier(tmp_path / "tiny.yaml")


def test_every_file_is_of_a_table_and_has_a_value_for_each_seed():
    tables = read_tables()
    for path in (TABLES.parent / "measured").glob("*.yaml"):
        for runs in tables[path.stem].earlier:
            for row in runs.rows:
                for each in (row.epochs, row.minutes):
                    assert not isinstance(each, list) or len(each) == row.seeds, row.label
