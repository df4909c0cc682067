"""Files of the largest size that is read: the time that they take, and how much is said of them."""

from __future__ import annotations

import json

import pytest

from archbuild.errors import MAX_SHOWN, Problem, SpecError
from archbuild.registry import default_vocabulary
from archbuild.spec import spec_from_tree, validate_document
from archbuild.spec.document import MAX_DEPTH, MAX_SPECS
from archbuild.spec.override import apply_overrides
from archbuild.spec.reading import parse_text
from archbuild.spec.values import did_you_mean

# what is quadratic takes minutes
pytestmark = pytest.mark.timeout(20)


def refusal(text: str, kind: str) -> SpecError:
    with pytest.raises(SpecError) as caught:
        parse_text(text, "spec", kind)
    return caught.value


@pytest.mark.parametrize("text", ['{"a":"' + '\\"' * 390_000, '"\\"' * 260_000, '"a\n' * 260_000])
def test_a_text_that_is_not_closed_is_read_once(text):
    assert "this is not JSON" in str(refusal(text, "json"))


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_the_first_problems_are_shown_and_the_rest_counted(kind):
    error = refusal("[" + "1e999," * 20_000 + "1e999]", kind)
    assert len(error.problems) == 20_001
    *_, rest = str(error).split("spec:1:")[-1].splitlines()
    assert len(str(error).split("spec:1:")) == MAX_SHOWN + 1
    assert rest == "and 19,901 more problems, which are not shown"


def test_many_unknown_keys_are_found_in_one_file(tmp_path):
    path = tmp_path / "many.json"
    path.write_text(json.dumps({f"k{number}": 1 for number in range(20_000)}))
    with pytest.raises(SpecError) as caught:
        validate_document(path, default_vocabulary())
    assert len(caught.value.problems) > 20_000
    assert len(str(caught.value)) < 100_000


def test_keys_that_stand_twice_are_found_at_once():
    entries = ",".join(f'"k{number % 10_000}":1' for number in range(20_000))
    assert len(refusal("{" + entries + "}", "json").problems) == 10_000


def test_aliases_that_others_have_are_found_at_once(tmp_path):
    path, taken = tmp_path / "aliases.json", [f"b{number}" for number in range(20_000)]
    path.write_text(json.dumps([{"aliases": taken}, {"aliases": taken}]))
    with pytest.raises(SpecError) as caught:
        validate_document(path, default_vocabulary())
    assert len(caught.value.problems) > 20_000


def test_a_file_of_too_many_specs_is_refused(tmp_path):
    path = tmp_path / "specs.json"
    path.write_text(json.dumps([{}] * (MAX_SPECS + 1)))
    with pytest.raises(SpecError, match="at most 1,000"):
        validate_document(path, default_vocabulary())


@pytest.mark.parametrize("key", ["? [a]", "? {a: b}", "&x [a]: 1\n? *x"])
def test_a_key_that_is_a_list_or_a_mapping_ends_the_reading(key):
    (problem,) = refusal(f"{key}\n: 1\n", "yaml").problems
    assert problem.message == "a key must be text"
    assert problem.received == "a list or a mapping"


def test_values_count_as_often_as_an_alias_stands_for_them():
    text = "- &a [" + "1," * 300 + "]\n" + "- {k: [" + "*a," * 400 + "]}\n"
    assert "more than 100,000 values" in str(refusal(text, "yaml"))


def test_an_escape_beyond_unicode_has_its_place():
    (problem,) = refusal('a: 1\nb: "\\U00110000"', "yaml").problems
    assert "Unicode" in problem.message
    assert problem.line == 2


@pytest.mark.parametrize("error", [RecursionError, MemoryError, OverflowError, ValueError("a b")])
@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_whatever_a_parser_raises_is_a_spec_error_with_its_cause(monkeypatch, error, kind):
    def broken(*_):
        raise error

    monkeypatch.setattr(f"archbuild.spec.reading.parse_{kind}", broken)
    found = refusal("{}", kind)
    assert "the text cannot be read" in str(found)
    assert isinstance(found.__cause__, type(error) if error.__class__ is ValueError else error)


def test_long_names_are_shortened_and_not_compared():
    assert did_you_mean("x" * 101, ["x" * 100]) is None
    problem = Problem(f"unknown key '{'k' * 10_000}'", ("k" * 10_000,), source="spec")
    assert len(str(problem)) < 1000


def test_a_long_override_is_named_by_its_beginning():
    with pytest.raises(SpecError) as caught:
        apply_overrides({}, ["x=[" + "1e999," * 1000 + "1]"])
    assert len(str(caught.value)) < 100 * 300


def test_many_overrides_that_are_wrong_are_each_named_once():
    assignments = [f"head.x{number}=1" for number in range(10_000)]
    with pytest.raises(SpecError) as caught:
        spec_from_tree({}, default_vocabulary(), overrides=assignments)
    named = {problem.source for problem in caught.value.problems}
    assert named >= {f"--set {each}" for each in assignments}


def test_a_long_path_of_an_override_is_refused():
    with pytest.raises(SpecError, match=f"more than {MAX_DEPTH} parts"):
        apply_overrides({}, [".".join(["a"] * 60_000) + "=1"])
