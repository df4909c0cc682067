from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from archbuild.errors import SpecError
from archbuild.spec import Document, Vocabulary, spec_from_tree, validate_document
from archbuild.spec.locate import PACKAGED, read_folders
from archbuild.spec.names import alias_problems, aliases_of, all_names, names

Write = Callable[[str, Any], Path]


def clashes(*specs: Any) -> list[tuple[tuple[str | int, ...], str]]:
    problems = alias_problems(Document("a.json", list(specs)))
    return [(problem.path, problem.message.split(" is called")[0]) for problem in problems]


def test_names_and_aliases_of_what_was_not_checked() -> None:
    tree = [{"name": "a", "aliases": ["b", 3, "c"]}, {"name": 7, "aliases": "d"}, None]
    document = Document("a.json", tree)
    assert names(document) == ["a", "(no name)", "(no name)"]
    assert all_names(document) == [["a", "b", "c"], ["(no name)"], ["(no name)"]]
    assert all_names(Document("b.json", tree[0])) == [["a", "b", "c"]]
    assert aliases_of({"aliases": None}) == []


def test_an_alias_is_one_specs_alone() -> None:
    assert clashes({"name": "a", "aliases": ["b"]}, {"name": "c", "aliases": ["d"]}) == []
    assert clashes({"name": "a"}, {"name": "a"}) == []
    of_name = clashes({"name": "a", "aliases": ["c"]}, {"name": "c"})
    assert of_name == [((0, "aliases", 0), "the spec at index 1")]
    of_alias = clashes({"name": "a", "aliases": ["x"]}, {"name": "b", "aliases": ["y", "x"]})
    assert of_alias == [((1, "aliases", 1), "the spec at index 0")]
    (own,) = alias_problems(Document("a.json", {"name": "a", "aliases": ["a"]}))
    assert own.path == ("aliases", 0)


def test_validation_points_at_the_alias_that_is_taken(
    vocabulary: Vocabulary, write: Write, tree: dict[str, Any]
) -> None:
    other = {**deepcopy(tree), "name": "other", "aliases": ["old", "small"]}
    path = write("a.json", [tree, other])
    with pytest.raises(SpecError) as caught:
        validate_document(path, vocabulary)
    (problem,) = caught.value.problems
    assert problem.path == (1, "aliases", 1)
    line = path.read_text().split("\n")[problem.line - 1]
    assert line[problem.column - 1 :].startswith('"small"')
    write("a.json", [tree, {**other, "aliases": ["old"]}])
    assert [spec.name for spec in validate_document(path, vocabulary)] == ["small", "other"]


@pytest.mark.parametrize(
    ("aliases", "said"),
    [
        ("old", "aliases has the wrong type"),
        (["a b"], r"aliases\[0\] has characters that it may not have"),
        (["old", "old"], "aliases has an entry twice"),
        ([3], r"aliases\[0\] has the wrong type"),
    ],
)
def test_aliases_are_names(
    vocabulary: Vocabulary, tree: dict[str, Any], aliases: Any, said: str
) -> None:
    with pytest.raises(SpecError, match=said):
        spec_from_tree({**tree, "aliases": aliases}, vocabulary)


def test_an_alias_is_no_part_of_what_a_spec_is(
    vocabulary: Vocabulary, tree: dict[str, Any]
) -> None:
    spec = spec_from_tree({**tree, "aliases": ["old"]}, vocabulary)
    assert spec == spec_from_tree(tree, vocabulary)
    assert "aliases" not in spec.tree


def test_no_two_shipped_specs_go_by_one_name() -> None:
    found = [
        name
        for _, document in read_folders([PACKAGED])
        for own in all_names(document)
        for name in own
    ]
    assert len(found) == len(set(found))
    assert "c-5-6_p_c-5-16_p_c-4-120" in found
