"""The first tier of the check: keys, types and ranges, each problem at its own place.

The kind of a layer or head decides which fields are looked at, in code rather than by a schema's
``anyOf``, so a message is always about the one type that was meant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from archbuild.errors import MAX_SHOWN, Problem
from archbuild.spec.augment import AUGMENT_FIELDS
from archbuild.spec.document import TreePath
from archbuild.spec.field import Field, Typed
from archbuild.spec.fragments import schema_of
from archbuild.spec.hints import key_hint, type_hint
from archbuild.spec.stages import STAGE_DEFAULTS, STAGE_FIELDS
from archbuild.spec.top import (
    DECODER_WORDS,
    DEFAULT_HEAD,
    MAX_LAYERS,
    SUPERVISION_FIELDS,
    TOP_FIELDS,
)
from archbuild.spec.values import describe, did_you_mean, shown, value_problems
from archbuild.spec.vocabulary import Vocabulary

_SectionCheck = Callable[[Any], list[Problem]]
_OTHER_SIDE: Final = {"encoder": "decoder", "decoder": "encoder"}


class UnknownKeyProblem(Problem):
    """A problem that points at a key rather than at its value."""


def structure_problems(tree: Any, vocabulary: Vocabulary) -> list[Problem]:
    """Return the problems of keys and values of a spec of the current version."""
    if not isinstance(tree, Mapping):
        allowed = "a mapping with name, layers and so on"
        return [Problem("a spec is a mapping of keys to values", (), shown(tree), allowed)]
    sections: dict[str, _SectionCheck] = {
        "layers": lambda value: _layers(value, "encoder", vocabulary),
        "decoder": lambda value: _decoder(value, vocabulary),
        "augment": lambda value: _section(value, AUGMENT_FIELDS, ("augment",)),
        "supervision": lambda value: _section(value, SUPERVISION_FIELDS, ("supervision",)),
        "head": lambda value: _head(value, vocabulary),
    }
    for stage in STAGE_DEFAULTS:
        sections[stage] = partial(_section, fields=STAGE_FIELDS, path=(stage,))
    simple = tuple(field for field in TOP_FIELDS if field.name not in sections)
    problems = _keys(tree, TOP_FIELDS, ()) + _values(tree, simple, ())
    for name, check in sections.items():
        if name in tree:
            problems += check(tree[name])
    return problems


def _layers(value: Any, side: str, vocabulary: Vocabulary) -> list[Problem]:
    name, least = ("layers", 2) if side == "encoder" else ("decoder", 1)
    if not isinstance(value, list):
        return [Problem(f"{name} has the wrong type", (name,), shown(value), "a list of layers")]
    if not least <= len(value) <= MAX_LAYERS:
        needs = "Input and at least one layer after it" if least == 2 else "at least one layer"
        allowed = f"{needs}, at most {MAX_LAYERS} in all"
        message = f"{name} has the wrong number of entries"
        return [Problem(message, (name,), f"{len(value)}", allowed)]
    return [
        problem
        for index, entry in enumerate(value)
        for problem in _layer(entry, side, (name, index), vocabulary)
    ]


def _layer(entry: Any, side: str, path: TreePath, vocabulary: Vocabulary) -> list[Problem]:
    name = entry.get("type") if isinstance(entry, Mapping) else None
    kind = vocabulary.layers.get(name) if isinstance(name, str) else None
    if kind is not None and side in kind.sides:
        return _typed(entry, {kind.name: kind}, path, "layer type")
    here = {name: kind for name, kind in vocabulary.layers.items() if side in kind.sides}
    if kind is not None:
        message = f"{name} can stand in the {_OTHER_SIDE[side]} only"
        return [Problem(message, (*path, "type"), shown(name), ", ".join(here))]
    return _entry(entry, here, path, "layer", "{type: Dense, num_units: 10}")


def _decoder(value: Any, vocabulary: Vocabulary) -> list[Problem]:
    if isinstance(value, list):
        return _layers(value, "decoder", vocabulary)
    if value in DECODER_WORDS:
        return []
    allowed = ", ".join(f"'{word}'" for word in DECODER_WORDS) + ", or a list of layers"
    return [Problem("decoder has the wrong type", ("decoder",), shown(value), allowed)]


def _head(value: Any, vocabulary: Vocabulary) -> list[Problem]:
    if value is None:
        return []
    if not isinstance(value, Mapping):
        allowed = "a mapping such as {type: kld, n_clusters: 10}"
        return [Problem("head has the wrong type", ("head",), shown(value), allowed)]
    return _typed({"type": DEFAULT_HEAD, **value}, vocabulary.heads, ("head",), "head")


def _entry(
    entry: Any, kinds: Mapping[str, Typed], path: TreePath, noun: str, example: str
) -> list[Problem]:
    """Return an entry of a list, whose ``type`` decides its other keys."""
    if not isinstance(entry, Mapping):
        allowed = f"a mapping such as {example}"
        return [Problem(f"each {noun} is a mapping", path, shown(entry), allowed)]
    if "type" not in entry:
        message = f"the {noun}'s type is missing"
        return [Problem(message, (*path, "type"), None, ", ".join(kinds))]
    return _typed(entry, kinds, path, f"{noun} type")


def _typed(
    entry: Mapping[str, Any], kinds: Mapping[str, Typed], path: TreePath, noun: str
) -> list[Problem]:
    name = entry["type"]
    if not isinstance(name, str) or name not in kinds:
        message, allowed = f"there is no such {noun}", ", ".join(kinds)
        hint = type_hint(name, kinds) if noun == "layer type" else None
        advice = hint or did_you_mean(name, kinds)
        return [Problem(message, (*path, "type"), shown(name), allowed, advice)]
    fields = kinds[name].fields
    return _keys(entry, fields, path, also=("type",)) + _values(entry, fields, path)


def _section(value: Any, fields: Sequence[Field], path: TreePath) -> list[Problem]:
    if value is None:
        return []
    if not isinstance(value, Mapping):
        allowed = "a mapping with any of " + ", ".join(field.name for field in fields)
        return [Problem(f"{path[-1]} has the wrong type", path, shown(value), allowed)]
    return _keys(value, fields, path) + _values(value, fields, path)


def _keys(
    entry: Mapping[str, Any], fields: Sequence[Field], path: TreePath, also: Sequence[str] = ()
) -> list[Problem]:
    """Return the problems of unknown keys and of required fields that are missing."""
    allowed = [*also, *(field.name for field in fields)]
    missing = [field for field in fields if field.required and field.name not in entry]
    return _unknown_keys(entry, allowed, path) + [_missing(field, path) for field in missing]


def _unknown_keys(
    entry: Mapping[str, Any], allowed: Sequence[str], path: TreePath
) -> list[Problem]:
    return [
        UnknownKeyProblem(
            f"unknown key '{key}'",
            (*path, key),
            None,
            ", ".join(allowed),
            _key_advice(key, allowed) if number < MAX_SHOWN else None,
        )
        for number, key in enumerate(key for key in entry if key not in allowed)
    ]


def _key_advice(key: str, allowed: Sequence[str]) -> str:
    return key_hint(key, allowed) or did_you_mean(key, allowed) or "leave it out"


def _missing(field: Field, path: TreePath) -> Problem:
    advice = f"add {field.name}: {field.doc}"
    return Problem(f"{field.name} is missing", (*path, field.name), None, _allowed(field), advice)


def _values(entry: Mapping[str, Any], fields: Sequence[Field], path: TreePath) -> list[Problem]:
    return [
        problem
        for field in fields
        if field.name in entry
        for problem in _value(field, entry[field.name], (*path, field.name))
    ]


def _value(field: Field, value: Any, path: TreePath) -> list[Problem]:
    """Check mappings key by key, like a section, and lists of typed ones like the layers."""
    if field.parts and isinstance(value, Mapping):
        return _section(value, field.parts, path)
    if field.kinds and isinstance(value, list):
        return _entries(field, value, path)
    return value_problems(field, value, path)


def _entries(field: Field, value: Sequence[Any], path: TreePath) -> list[Problem]:
    """Return the problems of a list itself, of its length, or else of its entries."""
    own = [problem for problem in value_problems(field, value, path) if problem.path == path]
    example = f"{{type: {next(iter(field.kinds))}}}"
    return own or [
        problem
        for index, entry in enumerate(value)
        for problem in _entry(entry, field.kinds, (*path, index), field.noun, example)
    ]


def _allowed(field: Field) -> str:
    return describe(schema_of(field))
