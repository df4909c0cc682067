"""Loading specs: read, migrate, override, check, resolve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from archbuild.errors import Problem, SpecError
from archbuild.spec.check import check
from archbuild.spec.classic import names_no_head, with_classic_head
from archbuild.spec.document import Document, TreePath
from archbuild.spec.locate import find_arch
from archbuild.spec.migrate import migrate
from archbuild.spec.names import alias_problems
from archbuild.spec.override import (
    Origins,
    apply_lengths,
    apply_overrides,
    switch_head,
)
from archbuild.spec.plan import Spec
from archbuild.spec.reading import read_document
from archbuild.spec.resolve import resolve
from archbuild.spec.structure import UnknownKeyProblem
from archbuild.spec.vocabulary import Vocabulary


def load_spec(
    arch: str,
    vocabulary: Vocabulary,
    *,
    stem: str | None = None,
    overrides: Sequence[str] = (),
    head: str | None = None,
    lengths: Mapping[str, int] | None = None,
) -> Spec:
    """Return the one spec that ``arch`` means, checked and resolved.

    Args:
        arch: an index, a name, a path, ``path:index`` or ``path:name``.
        vocabulary: the layer and head types that it may name.
        stem: the dataset's name, in whose file an index counts.
        overrides: ``key=value`` texts, applied before the check.
        head: another type of head; of the file's head only ``n_clusters`` is kept.
        lengths: how long stages are, by name: epochs, or what the head counts in their place.

    Raises:
        SpecError: with all problems, each with its place.
        UsageError: ``arch`` means nothing, or not one thing.
    """
    path, index = find_arch(arch, stem)
    prefix: TreePath = () if index is None else (index,)
    spec, problems = _load(read_document(path), prefix, vocabulary, overrides, head, lengths or {})
    return _unless(problems, spec)


def validate_document(
    path: Path, vocabulary: Vocabulary, overrides: Sequence[str] = ()
) -> list[Spec]:
    """Return all specs of a file, checked and resolved.

    Raises:
        SpecError: with the problems of all of them, in the order of the file.
    """
    document = read_document(path)
    if document.tree == []:
        raise SpecError([_located(Problem("the list holds no spec"), document, (), _Causes({}))])
    entries = range(len(document.tree)) if isinstance(document.tree, list) else [None]
    prefixes: list[TreePath] = [() if index is None else (index,) for index in entries]
    loaded = [_load(document, prefix, vocabulary, overrides, None, {}) for prefix in prefixes]
    problems = [problem for _, found in loaded for problem in found]
    none = _Causes({})
    problems += [_located(problem, document, (), none) for problem in alias_problems(document)]
    if problems:
        raise SpecError(problems)
    return [spec for spec, _ in loaded if spec is not None]


def spec_from_tree(
    tree: Any,
    vocabulary: Vocabulary,
    *,
    overrides: Sequence[str] = (),
    head: str | None = None,
    lengths: Mapping[str, int] | None = None,
    source: str = "spec",
) -> Spec:
    """Return a spec from Python data, like a file with them; ``source`` names it in messages.

    Raises:
        SpecError: with all problems.
    """
    spec, problems = _load(Document(source, tree), (), vocabulary, overrides, head, lengths or {})
    return _unless(problems, spec)


def spec_of(
    arch: str | PathLike[str] | Mapping[str, Any], vocabulary: Vocabulary, **how: Any
) -> Spec:
    """Return the spec that ``arch`` means, or holds if it is Python data; ``how`` as for both.

    Raises:
        SpecError, UsageError: as ``load_spec``.
    """
    if isinstance(arch, Mapping):
        return spec_from_tree(arch, vocabulary, source="arch", **how)
    return load_spec(fspath(arch), vocabulary, **how)


def _load(
    document: Document,
    prefix: TreePath,
    vocabulary: Vocabulary,
    overrides: Sequence[str],
    head: str | None,
    lengths: Mapping[str, int],
) -> tuple[Spec | None, list[Problem]]:
    """Return the spec at ``prefix``, or its located problems."""
    raw = document.tree[prefix[0]] if prefix else document.tree
    tree, problems = migrate(raw)
    origins: Origins = {}
    if tree is not None or raw is None:
        tree, origins = switch_head(tree, head)
        if isinstance(tree, dict):
            tree, set_here = apply_overrides(tree, overrides)
            tree, counted = apply_lengths(tree, lengths, vocabulary)
            origins = {**origins, **set_here, **counted}
            if names_no_head(raw):
                tree = with_classic_head(tree, vocabulary)
        problems = problems + check(tree, vocabulary)
    causes = _Causes(origins, document.tree, prefix)
    located = [_located(problem, document, prefix, causes) for problem in problems]
    located.sort(key=lambda problem: (problem.line, problem.column))
    return (None if located else resolve(tree, vocabulary)), located


def _unless(problems: Sequence[Problem], spec: Spec | None) -> Spec:
    if spec is None:
        raise SpecError(problems)
    return spec


def _located(problem: Problem, document: Document, prefix: TreePath, causes: _Causes) -> Problem:
    """Return the problem with its place: the override that caused it, else the file."""
    full, source = prefix + problem.path, causes.of(problem.path)
    if source is not None:
        return replace(problem, path=full, source=source)
    of_key = isinstance(problem, UnknownKeyProblem)
    line, column = document.place(full, of_key=of_key)
    return replace(problem, path=full, source=document.source, line=line, column=column)


class _Causes:
    """Which override caused a problem: the last that sets it, or else makes what it stands in.

    Args:
        origins: the overrides' paths, and their names.
        tree: the document, in which mappings stand that no override has made.
        prefix: the path of the spec in it.
    """

    def __init__(self, origins: Origins, tree: Any = None, prefix: TreePath = ()) -> None:
        self._names = list(origins.values())
        self._set = {path: number for number, path in enumerate(origins)}
        self._made = {
            path: number
            for number, whole in enumerate(origins)
            for path in _beginnings(whole)
            if not _holds(tree, prefix + path)
        }

    def of(self, path: TreePath) -> str | None:
        """Return the name of the override; ``None`` if none has caused a problem there."""
        around = _beginnings(path)
        for known, places in ((self._set, [*around, (*path, "type")]), (self._made, around)):
            numbers = [known[place] for place in places if place in known]
            if numbers:
                return self._names[max(numbers)]
        return None


def _beginnings(path: TreePath) -> list[TreePath]:
    """Return what a path begins with, the path itself last."""
    return [path[: length + 1] for length in range(len(path))]


def _holds(tree: Any, path: TreePath) -> bool:
    """Return whether something stands there: an override makes the mappings that are not."""
    for part in path:
        try:
            tree = tree[part]
        except (LookupError, TypeError):
            return False
    return True
