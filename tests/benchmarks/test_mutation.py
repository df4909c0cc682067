"""Mutants: which are made, how the tests of a small checkout end on them, and the page."""

from __future__ import annotations

import json

import pytest

from benchmarks.mutation import running
from benchmarks.mutation.mutants import Change, End, Mutant, Result
from benchmarks.mutation.page import mutation_page, wilson
from benchmarks.mutation.records import identity, read_series, reasons
from benchmarks.reproduce.command import RESULTS
from tests.cli.calling import ROOT

SOUND = "def largest(a, b):\n    while a < b:\n        a = b\n    return a\n"
TEST = "from archbuild.io.small import largest\ndef test_it():\n    assert largest(1, 2) == 2\n"
OTHER = "from archbuild.io.small import largest\ndef test_one():\n    assert largest(2, 1) == 2\n"


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """The tests of a checkout of one module, whose mirror knows half of what it does."""
    root = tmp_path_factory.mktemp("small")
    for name, text in {
        "archbuild/__init__.py": "",
        "archbuild/io/__init__.py": "",
        "archbuild/io/small.py": SOUND,
        "tests/io/test_small.py": TEST,
        "tests/io/test_whole.py": OTHER,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    with pytest.MonkeyPatch.context() as changed:
        changed.setitem(running._IMPORTED, "io", ())
        changed.setitem(running._SPARE, "cpu", 0.5)
        with running.Bench("io", root) as prepared:
            yield prepared
    assert (root / "archbuild/io/small.py").read_text() == SOUND


@pytest.mark.parametrize(
    ("before", "after", "end", "by"),
    [
        ("a < b", "a >= b", End.KILLED, "tests/io/test_small.py::test_it"),
        ("return a", "return b", End.KILLED, "tests/io/test_whole.py::test_one"),
        ("a = b", "pass", End.TIMED_OUT, ""),
        ("a < b", "a != b and a < b", End.SURVIVED, ""),
        ("return a", "return)", End.KILLED, "tests/io/test_small.py"),
    ],
)
def test_the_mirror_is_asked_first_then_the_room(bench, before, after, end, by):
    change = Change("io/small.py", 1, "any", 0)
    result = bench.test(Mutant(change, before, after, SOUND.replace(before, after)))
    assert (result.end, result.by) == (end, by)
    assert (bench.package / "io/small.py").read_text() == SOUND


def test_tests_that_fail_without_a_change_end_the_command(tmp_path, monkeypatch):
    monkeypatch.setitem(running._IMPORTED, "io", ())
    (tmp_path / "tests/io").mkdir(parents=True)
    (tmp_path / "tests/io/test_it.py").write_text("def test_it():\n    assert 'this' == 'that'\n")
    with pytest.raises(RuntimeError, match=r"fail without a change[\s\S]*'this' == 'that'"):
        running.Bench("io", tmp_path).__enter__()


MODULE = '''
from __future__ import annotations
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    LIMIT = 1 + 1

Number = int | None


@dataclass(frozen=True)
class Point:
    x: int | None = None


@cache
def shifted(x: int | float, *, by: int = 5) -> int | float:
    """Return x + by."""
    print(x)
    return x + by
'''


@pytest.fixture
def package(tmp_path):
    """A package whose module has three places, and as many that nobody could notice."""
    pytest.importorskip("cosmic_ray")
    (tmp_path / "io").mkdir()
    (tmp_path / "io/points.py").write_text(MODULE)
    return tmp_path


def test_what_no_test_could_notice_is_left_alone(package):
    from benchmarks.mutation.making import draw

    mutants = list(draw(package, "io", 100, 0))
    changes = {(mutant.before, mutant.after) for mutant in mutants}
    default = "def shifted(x: int | float, *, by: int = 5) -> int | float:"
    assert {("print(x)", "pass"), ("return x + by", "return x - by")} <= changes
    assert {before for before, _ in changes} == {
        "@dataclass(frozen=True)",
        default,
        "print(x)",
        "return x + by",
    }
    assert len(mutants) == 4


def test_the_same_seed_draws_the_same_mutants(package):
    from benchmarks.mutation.making import draw

    whole = list(draw(package, "io", 4, 7))
    assert list(draw(package, "io", 4, 7)) == whole
    assert list(draw(package, "io", 2, 7)) == whole[:2]
    places = {(mutant.change.line, mutant.change.operator) for mutant in whole}
    assert len(places) == 4


def test_a_recorded_mutant_is_found_where_it_has_moved_to(package):
    from benchmarks.mutation.making import draw, find

    for mutant in draw(package, "io", 4, 0):
        record = {**vars(mutant.change), "before": mutant.before, "after": mutant.after}
        (package / "io/points.py").write_text("# a line\n" + MODULE)
        assert find(package, record).change.line == mutant.change.line + 1
    (package / "io/points.py").write_text("")
    assert find(package, record) is None


class _Bench:
    """Kills what adds nothing, and counts."""

    asked: list[str] = []

    def __init__(self, room):
        self.package = _Bench.folder

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def test(self, mutant):
        self.asked.append(mutant.after)
        if len(self.asked) == 3:
            raise KeyboardInterrupt
        is_killed = mutant.after == "pass" or len(self.asked) > 4
        return Result(End.KILLED if is_killed else End.SURVIVED, "", 1.5)


def test_a_series_goes_on_where_it_stopped_and_its_survivors_again(package, tmp_path, monkeypatch):
    from benchmarks.mutation import command

    _Bench.folder, _Bench.asked = package, []
    monkeypatch.setattr(command, "Bench", _Bench)
    monkeypatch.setattr(command, "write_index", lambda folder: None)
    words = ["--room", "io", "--results", str(tmp_path)]
    sample = [*words, "--sample", "4", "--seed", "3"]
    assert command.main(sample, "help") == 130
    assert len(json.loads((tmp_path / "mutation.json").read_text())["series"][0]["mutants"]) == 2
    assert command.main(sample, "help") == 0
    (series,) = read_series(tmp_path)
    assert len(_Bench.asked) == 5
    assert len({identity(mutant) for mutant in series["mutants"]}) == 4
    assert series["seconds"] == 6.0
    assert "4 of 4" in (tmp_path / "mutation.md").read_text()
    survived = [mutant["after"] for mutant in series["mutants"] if mutant["end"] == End.SURVIVED]
    assert command.main([*words, "--again"], "help") == 0
    assert _Bench.asked[5:] == survived
    (series,) = read_series(tmp_path)
    assert [each["after"] for each in series["mutants"] if each.get("now") == "killed"] == survived


@pytest.mark.parametrize(
    ("successes", "number", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)],
)
def test_the_interval_is_that_of_newcombe_1998(successes, number, low, high):
    assert wilson(successes, number) == pytest.approx((low, high), abs=5e-5)


def _mutant(after, end, **others):
    module = {"module": "io/small.py", "line": 3, "operator": "any", "before": "a | b"}
    return {**module, "after": after, "end": end, "by": "", **others}


def test_the_page_has_shares_and_every_survivor_with_its_reason():
    mutants = [_mutant("a - b", End.KILLED)] * 7 + [
        _mutant("a * b", End.TIMED_OUT),
        _mutant("a / b", End.SURVIVED, now=End.KILLED, by="tests/io/test_small.py::test_it[1]"),
        _mutant("a & b", End.SURVIVED),
        _mutant("b", End.SURVIVED),
    ]
    same = mutants[-2]
    series = {"room": "io", "places": 1234, "seed": 5, "sample": 11, "mutants": mutants}
    series |= {"seconds": 90.0, "date": "2026-01-01", "machine": "2 cores"}
    page = mutation_page([series], {identity(same): {"equivalent": True, "why": "bits are one"}})
    whole, others = "73% | 43% to 90%", "80% | 49% to 94%"
    assert f"| io | 1,234 | 5 | 11 of 11 | 8 | 1 | 3 | {whole} | 1 | {others} | 9 of 10" in page
    assert "| `a \\| b` → `a / b` | now killed by `test_it` |" in page
    assert "| `a \\| b` → `a & b` | bits are one |" in page
    assert "| `a \\| b` → `b` | not looked at yet |" in page
    assert "a \\| b` → `a - b`" not in page


def test_every_reason_is_of_a_recorded_survivor_and_the_page_is_of_this_record():
    series = read_series(RESULTS)
    survivors = [each for one in series for each in one["mutants"] if each["end"] == End.SURVIVED]
    known = reasons()
    assert set(known) <= {identity(each) for each in survivors}
    assert all(isinstance(each["equivalent"], bool) for each in known.values())
    assert all((ROOT / "archbuild" / each["module"]).exists() for each in survivors)
    assert (RESULTS / "mutation.md").read_text(encoding="utf-8") == mutation_page(series, known)
