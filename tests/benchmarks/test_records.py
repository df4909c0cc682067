"""What is recorded of seeds, and which are run again."""

from __future__ import annotations

from tests.benchmarks.conftest import result


def test_a_recorded_seed_is_known(tiny, records):
    first, second = tiny.runs
    records.add(first, 1, result(0.8))
    assert records.has(first, 1)
    assert not records.has(first, 0)
    assert not records.has(second, 1)


def test_other_settings_are_another_run(tiny, records):
    first = tiny.runs[0]
    records.add(first, 0, result(0.8))
    assert not records.has(first.changed(["batch_size=9"]), 0)


def test_a_seed_of_an_earlier_spec_is_run_again(tiny, records, monkeypatch):
    first = tiny.runs[0]
    records.add(first, 0, result(0.8))
    monkeypatch.setattr("benchmarks.reproduce.records.digest", lambda run: "another")
    assert not records.has(first, 0)


def test_a_failure_is_recorded_until_the_seed_has_scores(tiny, records):
    first = tiny.runs[0]
    records.add(first, 0, {"failed": "the process ended with status 1"})
    assert not records.has(first, 0)
    assert len(records.all) == 1
    records.add(first, 0, result(0.8))
    assert records.has(first, 0)
    assert len(records.all) == 1
