from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archbuild.errors import Problem, SpecError
from archbuild.spec import parse_text, read_document

Write = Callable[[str, Any], Path]


def only_problem(action: Callable[[], Any]) -> Problem:
    with pytest.raises(SpecError) as caught:
        action()
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


def yaml_value(text: str) -> Any:
    return parse_text(f"key: {text}", "test.yaml", "yaml").tree["key"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("-0.25e+2", -25.0),
        ("12", 12),
        ("012", 12),
        ("0o17", 15),
        ("0xff", 255),
        ("true", True),
        ("False", False),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("no", "no"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("2001-02-03", "2001-02-03"),
        ("null", None),
        ("~", None),
        ("", None),
        ("'1e-3'", "1e-3"),
        ('"true"', "true"),
        ("[1, two]", [1, "two"]),
        ("<<", "<<"),
    ],
)
def test_yaml_scalars_follow_version_1_2(text: str, value: Any) -> None:
    read = yaml_value(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("text", [".nan", ".NaN", ".inf", "-.inf", "1e999", "9" * 5000])
def test_yaml_numbers_are_finite(text: str) -> None:
    problem = only_problem(lambda: yaml_value(text))
    assert "not finite" in problem.message
    assert (problem.line, problem.column, problem.path) == (1, 6, ("key",))


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000])
def test_json_numbers_are_finite(text: str) -> None:
    problem = only_problem(lambda: parse_text(f'{{"a": [0, {text}]}}', "test.json", "json"))
    assert "not finite" in problem.message
    assert (problem.line, problem.column, problem.path) == (1, 11, ("a", 1))


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_places_of_values_and_keys(kind: str) -> None:
    text = '[\n  {"name": "x",\n   "layers": [{"type": "Input"},\n {"type":"Dense"}]},\n 7]'
    document = parse_text(text, "t", kind)
    assert document.place(()) == (1, 1)
    assert document.place((0, "name")) == (2, 12)
    assert document.place((0, "name"), of_key=True) == (2, 4)
    assert document.place((0, "layers", 1, "type")) == (4, 10)
    assert document.place((1,)) == (5, 2)
    assert document.place((0, "layers", 0, "absent", 3)) == (3, 15)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab\"\\{[]},: 'é", max_size=4), inner),
)


@given(_JSON, st.sampled_from([None, 1, "\t"]))
def test_any_json_is_read_as_json_reads_it(tree: Any, indent: Any) -> None:
    text = json.dumps(tree, indent=indent)
    document = parse_text(text, "t", "json")
    assert document.tree == tree
    lines = text.split("\n")
    for path, (line, column) in document.places.items():
        value = tree
        for part in path:
            value = value[part]
        start = lines[line - 1][column - 1 :]
        assert start.startswith(json.dumps(value)[:1])


@given(_JSON)
def test_json_is_yaml_with_the_same_places(tree: Any) -> None:
    text = json.dumps(tree, ensure_ascii=False)
    as_json, as_yaml = (parse_text(text, "t", kind) for kind in ("json", "yaml"))
    assert as_yaml.tree == as_json.tree
    assert as_yaml.places == as_json.places
    assert as_yaml.keys == as_json.keys


@pytest.mark.parametrize(
    ("kind", "text", "place"),
    [
        ("json", '{"a": 1,\n "b": 2,\n "a": 3}', (3, 2)),
        ("yaml", "a: 1\nb: 2\na: 3\n", (3, 1)),
        ("yaml", "{a: 1, b: 2, a: 3}", (1, 14)),
    ],
)
def test_duplicate_keys_are_refused(kind: str, text: str, place: tuple[int, int]) -> None:
    problem = only_problem(lambda: parse_text(text, "t", kind))
    assert "second time; the first is in line 1" in problem.message
    assert (problem.line, problem.column) == place
    assert problem.path == ("a",)


def test_all_bad_values_are_reported_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        parse_text('{"a": NaN, "b": {"c": 1, "c": {"d": 1}}, "e": [-Infinity]}', "t", "json")
    assert [problem.path for problem in caught.value.problems] == [("a",), ("b", "c"), ("e", 0)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1: 2", "a key must be text"),
        ("null: 2", "a key must be text"),
        ("[a, b]: 2", "a key must be text"),
        ("? {a: 1}\n: 2", "a key must be text"),
        ("a: !!python/object/apply:os.system [echo]", "tags"),
        ("a: !!str 5", "tags"),
        ("!thing {a: 1}", "tags"),
        ("a: *nowhere", "no anchor"),
        ("*nowhere : 1", "no anchor"),
        ("a: 1\n---\nb: 2", "more than one YAML document"),
        ("a: [1, 2", "not YAML"),
        ("a: b: c", "not YAML"),
        ("a:\n\t- 1", "not YAML"),
        ("a: \x01", "does not allow"),
        ('a: "\\e[31m"', "printable"),
    ],
)
def test_what_yaml_may_not_hold(text: str, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_text(text, "t", "yaml")
    assert words in caught.value.problems[0].message
    assert caught.value.problems[0].line >= 1


def test_tab_indentation_in_yaml_is_named() -> None:
    problem = only_problem(lambda: parse_text("a:\n\t- 1", "t", "yaml"))
    assert "spaces" in str(problem.advice)
    assert problem.line == 2


def test_aliases_are_copies() -> None:
    tree = parse_text("a: &x {b: [1, 2]}\nc: *x\nd: *x", "t", "yaml").tree
    assert tree == {"a": {"b": [1, 2]}, "c": {"b": [1, 2]}, "d": {"b": [1, 2]}}
    assert tree["c"] is not tree["d"]


def test_alias_bomb_is_refused_quickly() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    started = time.process_time()
    problem = only_problem(lambda: parse_text("\n".join(lines), "bomb.yaml", "yaml"))
    assert "aliases" in problem.message
    assert problem.line > 0
    assert time.process_time() - started < 5


def test_alias_of_itself_is_refused() -> None:
    problem = only_problem(lambda: parse_text("a: &a [1, *a]", "t", "yaml"))
    assert "levels deep" in problem.message


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_deep_nesting_is_refused(kind: str) -> None:
    text = "[" * 100_000 + "]" * 100_000
    problem = only_problem(lambda: parse_text(text, "t", kind))
    assert "50 levels" in problem.message
    assert (problem.line, problem.column) == (1, 51)


def test_too_many_values_are_refused() -> None:
    problem = only_problem(lambda: parse_text(f"[{'0,' * 100_000} 0]", "t", "json"))
    assert "100,000 values" in problem.message


@pytest.mark.parametrize("text", ["", " \n\t\n", "\ufeff"])
@pytest.mark.parametrize("name", ["a.json", "a.yaml"])
def test_empty_file(write: Write, name: str, text: str) -> None:
    problem = only_problem(lambda: read_document(write(name, text)))
    assert problem.message == "the file is empty"
    assert "archbuild new" in str(problem.advice)


def test_yaml_of_comments_alone_is_empty(write: Write) -> None:
    problem = only_problem(lambda: read_document(write("a.yml", "# nothing\n")))
    assert problem.message == "the file is empty"


def test_big_file_is_refused_unread(write: Write) -> None:
    path = write("big.json", b" " * 10_000_000)
    assert "too big" in only_problem(lambda: read_document(path)).message


@pytest.mark.parametrize("name", ["a.json", "a.yaml"])
def test_mark_of_byte_order_and_windows_line_ends(write: Write, name: str) -> None:
    path = write(name, b'\xef\xbb\xbf{"a": 1,\r\n "b": [\r\n3]}')
    document = read_document(path)
    assert document.tree == {"a": 1, "b": [3]}
    assert document.place(("b", 0)) == (3, 1)
    assert document.place(("a",)) == (1, 7)


def test_tabs_in_json(write: Write) -> None:
    document = read_document(write("tabs.json", '{\n\t"a":\t1,\n\t"b":\t[\t2\t]\n}'))
    assert document.tree == {"a": 1, "b": [2]}
    assert document.place(("a",), of_key=True) == (2, 2)


@pytest.mark.parametrize("name", ["a.json", "a.yaml"])
def test_text_that_is_not_utf8(write: Write, name: str) -> None:
    problem = only_problem(lambda: read_document(write(name, b'{"a": 1,\n "caf\xe9": 2}')))
    assert "UTF-8" in problem.message
    assert (problem.line, problem.column, problem.received) == (2, 6, "byte 0xe9")


@pytest.mark.parametrize("name", ["a.json", "a.yaml"])
def test_binary_file(write: Write, name: str) -> None:
    problem = only_problem(lambda: read_document(write(name, bytes(range(256)))))
    assert problem.source.endswith(name)


def test_nul_bytes(write: Write) -> None:
    for name in ("a.json", "a.yaml"):
        only_problem(lambda name=name: read_document(write(name, b"\0\0\0")))


def test_missing_file_folder_and_unknown_suffix(tmp_path: Path) -> None:
    (tmp_path / "dir.json").mkdir()
    missing = only_problem(lambda: read_document(tmp_path / "none.json"))
    assert "no such file" in missing.message
    assert "folder" in only_problem(lambda: read_document(tmp_path / "dir.json")).message
    assert ".yaml" in str(only_problem(lambda: read_document(tmp_path / "a.toml")).allowed)
    nul = only_problem(lambda: read_document(Path("a\0b.json")))
    assert "cannot be read" in nul.message


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": 1,}', (1, 9)),
        ('{"a" 1}', (1, 6)),
        ("{'a': 1}", (1, 2)),
        ('{"a": 1\n"b": 2}', (2, 1)),
    ],
)
def test_malformed_json(text: str, place: tuple[int, int]) -> None:
    problem = only_problem(lambda: parse_text(text, "t.json", "json"))
    assert "not JSON" in problem.message
    assert problem.line == place[0]
    assert abs(problem.column - place[1]) <= 1
    assert "commas" in str(problem.advice)


def test_unprintable_text_in_json() -> None:
    for text in ('{"a\\ud800": 1}', '{"a": "\\u001b[31m"}'):
        problem = only_problem(lambda text=text: parse_text(text, "t", "json"))
        assert "printable" in problem.message
        str(problem).encode()


@given(st.text(max_size=60))
def test_no_text_gives_anything_but_a_document_or_a_spec_error(text: str) -> None:
    for kind in ("json", "yaml"):
        with contextlib.suppress(SpecError):
            assert parse_text(text, "t", kind).source == "t"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "own.json")
    problem = only_problem(lambda: read_document(tmp_path / "own.json"))
    assert problem.message == "this is a pipe or a device"
