from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from archbuild.errors import SpecError, UsageError
from archbuild.experiments.sweeps import Sweep, SweepPlan
from archbuild.experiments.sweeps.search import Range, Search, SearchRequest, read_ranges
from archbuild.io.atomic import write_json
from archbuild.runs.names import space_of
from tests.experiments.sweeps.conftest import finish

SPACE = ["cluster.learning_rate=1e-4..1e-1,log"]


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("a.b=1e-4..1e-2,log", Range(1e-4, 1e-2, whole=False, log=True)),
        ("a.b=2..16", Range(2, 16, whole=True, log=False)),
        ("a.b=-1.5..1", Range(-1.5, 1, whole=False, log=False)),
        ("a.b=1..64,log", Range(1, 64, whole=True, log=True)),
    ],
)
def test_ranges_are_read(text, span):
    assert read_ranges([text]) == {"a.b": span}
    assert read_ranges([f"a.b={span}"]) == {"a.b": span}


@pytest.mark.parametrize(
    "text", ["a", "a=1", "a=1..", "a=2..1", "a=1..1", "a=0..1,log", "a=x..y", "a=1..inf", "=1..2"]
)
def test_what_is_no_range_is_refused(text):
    with pytest.raises(UsageError, match="expected KEY=LOW"):
        read_ranges([text])


def test_a_range_comes_once():
    with pytest.raises(UsageError, match="given twice"):
        read_ranges(["a=1..2", "a=1..3"])


def test_values_are_short_and_within_their_bounds():
    span = Range(0.12346, 0.98764, whole=False, log=False)
    assert [span.text(value) for value in (0.12346, 0.5000123, 0.98764)] == [
        *("0.1235", "0.5", "0.9876")
    ]
    assert Range(0.12344, 0.2, whole=False, log=False).text(0.12344) == "0.12344"
    assert Range(1, 8, whole=True, log=False).text(3.0) == "3"


@pytest.fixture
def searched(requested) -> Callable[..., SearchRequest]:
    """Ask for a search over the learning rate, with one seed."""

    def ask(ranges=SPACE, trials=6, score="silhouette", seed=0, **changes: Any) -> SearchRequest:
        sweep = requested(**{"seeds": range(1), **changes})
        return SearchRequest(sweep, read_ranges(ranges), trials, score, seed)

    return ask


def test_labels_never_choose(searched):
    for score in ("acc", "nmi", "nothing"):
        with pytest.raises(UsageError, match="labels never choose a model"):
            searched(score=score)


def test_a_search_needs_a_space_and_one_head(searched):
    with pytest.raises(UsageError, match="add --range or --grid"):
        searched(ranges=[])
    with pytest.raises(UsageError, match=r"both give cluster\.learning_rate"):
        searched(grid={"cluster.learning_rate": ["1"]})
    with pytest.raises(UsageError, match="settings of one head"):
        searched(heads=["kld", "kmeans"])


def test_every_bound_and_choice_is_checked_before_anything_is_run(searched):
    request = searched(["batch_size=8..64"], grid={"cluster.learning_rate": ["1", "2", "3"]})
    assert request.bounds() == [
        ("cluster.learning_rate=1", "batch_size=8"),
        ("cluster.learning_rate=2", "batch_size=64"),
        ("cluster.learning_rate=3", "batch_size=64"),
    ]
    pytest.importorskip("optuna")
    with pytest.raises(SpecError, match="batch_size"):
        Search(searched(["batch_size=0..64"]))


def test_without_optuna_the_extra_is_named(searched, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UsageError, match=r"pip install 'archbuild\[search\]'"):
        Search(searched())


class Rounds:
    """Stands for training: the nearer the learning rate is to 0.01, the better."""

    def __init__(self, fails: Callable[[float], bool] = lambda rate: False) -> None:
        self.rates: list[float] = []
        self.sizes: list[int] = []
        self.fails = fails

    def __call__(self, plan: SweepPlan) -> Sweep:
        swept = Sweep(plan)
        self.sizes.append(len(plan.runs))
        for run, part in plan.parts:
            rate = float(run.setting[-1].split("=")[1])
            self.rates.append(rate)
            if self.fails(rate):
                swept.failures[part] = "diverged"
                continue
            finish(part)
            row = {"method": "head", "space": space_of(part.stages["cluster"])}
            score = {"silhouette": -abs(rate - 0.01)}
            metrics = part.folder.read_metrics()
            write_json(part.folder.metrics_path, {**metrics, "rows": [{**row, **score}]})
            swept.done.append(part)
        return swept


def test_it_is_the_same_whether_or_not_it_was_interrupted(searched, tmp_path):
    pytest.importorskip("optuna")
    whole = Rounds()
    swept = Search(searched(name="whole")).run(whole, at_a_time=2)
    assert whole.sizes == [2, 2, 2]
    assert len(set(whole.rates)) == 6
    assert len(swept.done) == 6

    parts = Rounds()
    rounds = iter(range(2))

    def interrupted(plan: SweepPlan) -> Sweep:
        if next(rounds, None) is None:
            raise KeyboardInterrupt
        return parts(plan)

    with pytest.raises(KeyboardInterrupt):
        Search(searched(name="parts")).run(interrupted, at_a_time=2)
    Search(searched(name="parts")).run(parts, at_a_time=2)
    assert parts.rates == whole.rates

    more = Rounds()
    Search(searched(name="whole", trials=8)).run(more, at_a_time=2)
    assert more.sizes == [2]  # six are known
    nothing = Rounds()
    search = Search(searched(name="whole", trials=8))
    assert len(search.run(nothing, at_a_time=2).done) == 8
    assert nothing.sizes == []
    best = search.best()
    nearest = min([*whole.rates, *more.rates], key=lambda rate: abs(rate - 0.01))
    assert float(best["setting"]["cluster.learning_rate"]) == nearest


def test_another_seed_searches_elsewhere(searched):
    pytest.importorskip("optuna")
    first, second = Rounds(), Rounds()
    Search(searched(name="first")).run(first, at_a_time=6)
    Search(searched(name="second", seed=1)).run(second, at_a_time=6)
    assert first.rates != second.rates


def test_what_fails_is_no_score_and_is_tried_again(searched):
    pytest.importorskip("optuna")
    failing = Rounds(fails=lambda rate: rate > 0.003)
    swept = Search(searched()).run(failing, at_a_time=3)
    assert set(swept.failures.values()) == {"diverged"}
    assert len(swept.failures) + len(swept.done) == 6
    mended = Rounds()
    swept = Search(searched()).run(mended, at_a_time=3)
    assert sorted(mended.rates) == sorted(rate for rate in failing.rates if rate > 0.003)
    assert (len(swept.done), swept.failures) == (6, {})


def test_a_journal_of_another_request_is_refused(searched):
    pytest.importorskip("optuna")
    Search(searched(name="mine"))
    with pytest.raises(UsageError, match="a search with other seeds"):
        Search(searched(name="mine", seeds=range(2)))
    with pytest.raises(UsageError, match="with other space"):
        Search(searched(["cluster.learning_rate=1e-4..1"], name="mine"))


def test_settings_that_come_twice_are_run_once(searched):
    pytest.importorskip("optuna")
    rounds = Rounds()
    request = searched([], grid={"cluster.learning_rate": ["0.01", "0.02"]}, trials=6)
    swept = Search(request).run(rounds, at_a_time=6)
    assert rounds.sizes == [2]
    assert len(swept.done) == 2
