"""Values given on the command line in place of a file's: ``--set head.n_clusters=16``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from archbuild.errors import Problem, SpecError
from archbuild.spec.document import MAX_DEPTH, TreePath, failure
from archbuild.spec.reading import parse_text
from archbuild.spec.top import DEFAULT_HEAD
from archbuild.spec.values import shown
from archbuild.spec.vocabulary import Vocabulary

Origins = Mapping[TreePath, str]
"""Path of an overridden value -> what to call its source in messages."""

_KEY: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\d{1,6}\])*")
_NUMBER: Final = re.compile(r"\.(\d{1,6})(?=\.|$)")
_LONGEST: Final = 100  # characters of an assignment in a message
_PART: Final = re.compile(r"([A-Za-z_]\w*)|\[(\d+)\]")


def apply_overrides(tree: Any, assignments: Sequence[str]) -> tuple[Any, Origins]:
    """Return a copy of ``tree`` with each ``key=value`` set, and the sources of the values.

    A value is a YAML 1.2 scalar, or a list or mapping in one line. Mappings on the way to a key
    are made where they are absent; entries of lists are not.

    Raises:
        SpecError: an assignment is malformed, or leads where nothing can be.
    """
    changed = deepcopy(tree)
    origins: dict[TreePath, str] = {}
    problems: list[Problem] = []
    for assignment in assignments:
        try:
            path, value = _parsed(assignment)
            _assign(changed, path, value, assignment)
        except SpecError as error:
            problems += error.problems
        else:
            origins[path] = _source(assignment)
    if problems:
        raise SpecError(problems)
    return changed, origins


def switch_head(tree: Any, head: str | None) -> tuple[Any, Origins]:
    """Return a copy of ``tree`` with another type of head, as ``--head`` requests.

    Of the settings of a head of another type only ``n_clusters`` is kept.
    """
    if head is None or not isinstance(tree, Mapping):
        return tree, {}
    own = tree.get("head")
    own = own if isinstance(own, Mapping) else {}
    if own.get("type", DEFAULT_HEAD) == head:
        return tree, {}
    kept = {key: own[key] for key in ("n_clusters",) if key in own}
    return {**tree, "head": {"type": head, **kept}}, {("head", "type"): f"--head {head}"}


def apply_lengths(
    tree: Any, lengths: Mapping[str, int], vocabulary: Vocabulary
) -> tuple[Any, Origins]:
    """Return a copy of ``tree`` with stages of these lengths, and the sources of the values.

    Raises:
        SpecError: two stages whose length is one key are to be of different length.
    """
    changed, origins = deepcopy(tree), dict[TreePath, str]()
    for stage, length in lengths.items():
        path, source = length_path(tree, stage, vocabulary), f"--{stage} {length}"
        if path in origins and origins[path].split()[1] != str(length):
            message = "both set one number, which is the head's"
            raise failure(f"{origins[path]} and {source}", message, path=path)
        section = changed.get(path[0])
        changed[path[0]] = {**(section if isinstance(section, Mapping) else {}), path[1]: length}
        origins[path] = source
    return changed, origins


def length_path(tree: Mapping[str, Any], stage: str, vocabulary: Vocabulary) -> tuple[str, str]:
    """Return the key that says how long a stage is: its epochs, or what the head counts."""
    head = tree.get("head")
    kind = head.get("type", DEFAULT_HEAD) if isinstance(head, Mapping) else DEFAULT_HEAD
    known = stage != "pretrain" and isinstance(kind, str) and kind in vocabulary.heads
    counted = vocabulary.heads[kind].length_key if known else None
    section, _, key = (counted or f"{stage}.epochs").partition(".")
    return section, key


def _source(assignment: str) -> str:
    short = assignment if len(assignment) <= _LONGEST else f"{assignment[:_LONGEST]}..."
    return f"--set {short}"


def _parsed(assignment: str) -> tuple[TreePath, Any]:
    key, equals, text = assignment.partition("=")
    key = key.strip()
    if not equals or not _KEY.fullmatch(key):
        bracketed = _NUMBER.sub(r"[\1]", key)  # layers.2.num_units, as others write it
        is_meant = bracketed != key and _KEY.fullmatch(bracketed)
        raise failure(
            _source(assignment),
            "this is not an assignment",
            allowed="key=value, with a key such as head.n_clusters or layers[2].num_units",
            advice=f"did you mean '{bracketed}'?" if is_meant else None,
        )
    path = tuple(int(index) if index else name for name, index in _PART.findall(key))
    if len(path) > MAX_DEPTH:
        raise failure(_source(assignment), f"the key has more than {MAX_DEPTH} parts")
    if not text.strip():
        advice = "write null for no value"
        raise failure(_source(assignment), "there is no value after =", path=path, advice=advice)
    return path, parse_text(text, _source(assignment), "yaml").tree


def _assign(tree: Any, path: TreePath, value: Any, assignment: str) -> None:
    node = tree
    for depth, part in enumerate(path):
        _refuse_step(node, path[: depth + 1], assignment)
        if depth == len(path) - 1:
            node[part] = value
            return
        if isinstance(part, str) and node.get(part) is None and isinstance(path[depth + 1], str):
            node[part] = {}
        node = node[part] if not isinstance(node, dict) else node.get(part)


def _refuse_step(node: Any, path: TreePath, assignment: str) -> None:
    """Raise where the last part of ``path`` cannot lead on from ``node``."""
    part, parent = path[-1], path[:-1]
    here, advice = Problem("", parent).dotted_path or "the spec", None
    if isinstance(part, str) and isinstance(node, dict):
        return
    if isinstance(part, int) and isinstance(node, list):
        if part < len(node):
            return
        message = f"{here} has {len(node)} entries, from [0] to [{len(node) - 1}]"
    elif isinstance(node, list):
        message = f"{here} is a list: a number in brackets must follow it"
    elif isinstance(node, dict):
        message = f"{here} is a mapping: a key must follow it, not a number"
    elif node is None and isinstance(part, int):
        message = f"{here} is not given, so it has no entries to change"
        advice = f"if it is a list, give all of it: --set '{here}=[...]'"
    else:
        message = f"{here} is {shown(node)}, which nothing can follow"
    raise failure(_source(assignment), message, path=path, advice=advice)
