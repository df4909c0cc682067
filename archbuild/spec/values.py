"""One value against one field: the leaf that is wrong, in words, with what would be right."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from archbuild.errors import Problem
from archbuild.spec.document import TreePath
from archbuild.spec.field import Field
from archbuild.spec.fragments import schema_of
from archbuild.spec.hints import value_hint

if TYPE_CHECKING:
    from jsonschema import ValidationError

_SENTENCES: Final = {
    "type": "{label} has the wrong type",
    "anyOf": "{label} has the wrong type",
    "oneOf": "{label} has the wrong type",
    "const": "{label} can have one value only",
    "enum": "{label} has a value that is not on offer",
    "pattern": "{label} has characters that it may not have",
    "minLength": "{label} is empty",
    "minimum": "{label} is too small",
    "exclusiveMinimum": "{label} is too small",
    "maximum": "{label} is too large",
    "exclusiveMaximum": "{label} is too large",
    "minItems": "{label} has too few entries",
    "maxItems": "{label} has too many entries",
    "uniqueItems": "{label} has an entry twice",
}
_SWITCHES: Final = {0: "false", 1: "true", "no": "false", "yes": "true", "off": "false"} | {
    "on": "true",
    "0": "false",
    "1": "true",
}


_OR_NULL: Final = " or null"

_LONGEST_WORD: Final = 100
_MOST_OPTIONS: Final = 2_000


def value_problems(field: Field, value: Any, path: TreePath) -> list[Problem]:
    """Return everything wrong with ``value`` at ``path``; empty where it fits."""
    if not _finite(value):
        return [Problem(f"{_label(path)} is not a finite number", path, shown(value))]
    errors = _validator_class()(schema_of(field)).iter_errors(value)
    return [_problem(leaf, path) for error in errors for leaf in _leaves(error)]


def shown(value: Any) -> str:
    """Return a value as it stands in a file, shortened for display."""
    if isinstance(value, Mapping) and len(str(value)) > 60:
        return f"a mapping with {len(value)} keys"
    if isinstance(value, list) and len(str(value)) > 60:
        return f"a list of {len(value)}"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def close_match(word: Any, options: Iterable[str]) -> str | None:
    """Return the option that ``word`` was perhaps meant to be."""
    text = str(word)
    if len(text) > _LONGEST_WORD:  # it would take long, and was no slip of the finger
        return None
    by_lower_case = {option.lower(): option for option in islice(options, _MOST_OPTIONS)}
    matches = get_close_matches(text.lower(), by_lower_case, n=1, cutoff=0.6)
    return by_lower_case[matches[0]] if matches else None


def did_you_mean(word: Any, options: Iterable[str]) -> str | None:
    """Return advice that names the closest option; ``None`` where none is close."""
    match = close_match(word, options)
    return f"did you mean '{match}'?" if match else None


def describe(schema: Mapping[str, Any]) -> str:
    """Describe what a schema accepts: ``a whole number from 1 to 10,000``."""
    if "description" in schema:
        return str(schema["description"])
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            return _alternatives(describe(branch) for branch in schema[keyword])
    if "const" in schema:
        return str(_plain(schema["const"]))
    if "enum" in schema:
        return ", ".join(_plain(option) for option in schema["enum"])
    kinds = schema.get("type", "anything")
    names = [kinds] if isinstance(kinds, str) else kinds
    return _alternatives(_kind_in_words(name, schema) for name in names)


def _alternatives(branches: Iterable[str]) -> str:
    """Join the branches; ``null``, which several may allow, comes once and last."""
    found = [branch for text in branches for branch in text.split(_OR_NULL)]
    named = [branch for branch in found if branch not in ("", "null")]
    nullable = len(named) < len(found)
    return " or ".join(named) + (_OR_NULL if nullable else "")


def _kind_in_words(kind: str, schema: Mapping[str, Any]) -> str:
    if kind == "null":
        return kind
    if kind == "array":
        return _list_in_words(schema)
    words = {
        "integer": "a whole number",
        "number": "a number",
        "string": "text",
        "boolean": "true or false",
        "object": "a mapping",
    }
    return words.get(kind, kind) + _range_in_words(schema)


def _range_in_words(schema: Mapping[str, Any]) -> str:
    parts = []
    for keyword, word in (
        ("exclusiveMinimum", "above"),
        ("minimum", "from"),
        ("exclusiveMaximum", "below"),
        ("maximum", "to"),
    ):
        if keyword in schema:
            bound = schema[keyword]
            parts.append(f" {word} {int(bound) if bound == int(bound) else bound:,}")
    return "".join(parts)


def _list_in_words(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minItems"), schema.get("maxItems")
    if least is not None and least == most:
        count = f"{least}"
    elif most is not None:
        count = f"{least or 0} to {most}"
    else:
        count = f"at least {least or 0}"
    items = schema.get("items", {})
    each = f", each {describe(items)}" if "$ref" not in items else ""
    return f"a list of {count}{each}"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _finite(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_finite(item) for item in value)
    try:
        return not isinstance(value, int | float) or math.isfinite(value)
    except OverflowError:  # a whole number that no float holds
        return False


@cache
def _validator_class() -> Any:
    """Return draft 7 made strict: ``500.0`` is not a whole number here."""
    from jsonschema import Draft7Validator, validators

    extend: Any = validators.extend  # untyped in the stubs, absent without them

    def whole(_checker: Any, value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    return extend(
        Draft7Validator, type_checker=Draft7Validator.TYPE_CHECKER.redefine("integer", whole)
    )


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Return the errors of the branch that the value was meant for; else the error itself."""
    branches: dict[Any, list[ValidationError]] = {}
    for child in error.context or ():
        branches.setdefault(child.relative_schema_path[0], []).append(child)
    for children in branches.values():
        if not any(_is_of_another_kind(child) for child in children):
            for child in children:
                yield from _leaves(child)
            return
    yield error


def _is_of_another_kind(error: ValidationError) -> bool:
    return error.validator in ("type", "const") and not error.relative_path


def _problem(error: ValidationError, path: TreePath) -> Problem:
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, Mapping) else {}
    full = (*path, *error.absolute_path)
    sentence = _SENTENCES.get(str(error.validator), "{label} does not fit")
    return Problem(
        sentence.format(label=_label(full)),
        full,
        shown(error.instance),
        describe(schema),
        value_hint(_hinted_key(full), error.instance) or _advice(error.instance, schema),
    )


def _hinted_key(path: TreePath) -> str:
    """Return the key that says what a value means: the last one, but for columns' own names."""
    if path[:2] == ("data", "columns"):
        return "columns"
    return next((part for part in reversed(path) if isinstance(part, str)), "")


def _label(path: TreePath) -> str:
    """Return the last key of a path with the indices after it: ``filter_size[1]``."""
    start = max((i for i, part in enumerate(path) if isinstance(part, str)), default=0)
    return Problem("", path[start:]).dotted_path or "the spec"


def _advice(value: Any, schema: Mapping[str, Any]) -> str | None:
    kinds = _kinds(schema)
    if "boolean" in kinds and isinstance(value, int | str) and value in _SWITCHES:
        return f"write {_SWITCHES[value]}"
    if "integer" in kinds and isinstance(value, float) and value.is_integer():
        return f"write {int(value)}"
    if kinds & {"integer", "number"} and isinstance(value, str) and _reads_as_number(value):
        return "leave the quotes out"
    options: Sequence[Any] = schema.get("enum", ())
    return did_you_mean(value, [option for option in options if isinstance(option, str)])


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    kinds = schema.get("type", ())
    own = {kinds} if isinstance(kinds, str) else set(kinds)
    return own.union(*(_kinds(branch) for branch in schema.get("anyOf", ())))


def _reads_as_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
