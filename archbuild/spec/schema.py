"""The published JSON Schema, generated from the vocabulary: draft-07, for editors and other tools.

The check itself (``check.py``) gives better messages; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from archbuild.spec.fields import Field
from archbuild.spec.stages import STAGE_DEFAULTS, STAGE_FIELDS
from archbuild.spec.top import AUGMENT_FIELDS, CURRENT_VERSION, DEFAULT_HEAD, TOP_FIELDS
from archbuild.spec.values import schema_of
from archbuild.spec.vocabulary import Vocabulary

_CLASSIC: Final = {
    "type": "object",
    "description": "The classic form, which has no spec_version; migrated on reading.",
    "required": ["name", "layers"],
    "properties": {
        "name": {"type": "string"},
        "batch_size": {"type": "integer", "minimum": 1},
        "use_batch_norm": {"enum": [0, 1, False, True]},
        "network_type": {"enum": ["AE", "CAE"]},
        "layers": {
            "type": "array",
            "items": {"type": "object", "required": ["type"]},
            "minItems": 2,
        },
    },
}


def build_schema(vocabulary: Vocabulary) -> dict[str, Any]:
    """The draft-07 schema of a spec file: one spec, or a list of at least one."""
    either = {
        "if": {"type": "object", "required": ["spec_version"]},
        "then": {"$ref": "#/definitions/spec"},
        "else": {"$ref": "#/definitions/classic_spec"},
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": f"urn:archbuild:spec:{CURRENT_VERSION}",
        "title": "archbuild spec",
        "if": {"type": "array"},
        "then": {"minItems": 1, "items": {"$ref": "#/definitions/any_spec"}},
        "else": {"$ref": "#/definitions/any_spec"},
        "definitions": {
            "any_spec": either,
            "classic_spec": _CLASSIC,
            "spec": _top(),
            **_typed_definitions(vocabulary),
            "augment": _object(AUGMENT_FIELDS),
            **{stage: _object(STAGE_FIELDS, own) for stage, own in STAGE_DEFAULTS.items()},
        },
    }


def _typed_definitions(vocabulary: Vocabulary) -> dict[str, Any]:
    layers, heads = vocabulary.layers, vocabulary.heads
    sides = {
        f"{side}_layer": _by_type("layers", [name for name in layers if side in layers[name].sides])
        for side in ("encoder", "decoder")
    }
    kinds = {name: _typed(name, kind.summary, kind.fields) for name, kind in layers.items()}
    choices = {name: _typed(name, kind.summary, kind.fields) for name, kind in heads.items()}
    head = _by_type("heads", list(heads), DEFAULT_HEAD)
    return {**sides, "head": head, "layers": kinds, "heads": choices}


def _top() -> dict[str, Any]:
    schema = _object(TOP_FIELDS)
    return {**schema, "required": ["spec_version", *schema["required"]]}


def _by_type(group: str, names: Sequence[str], default: str | None = None) -> dict[str, Any]:
    """A mapping whose ``type`` decides which definition of ``group`` it has to meet."""
    rules = [_rule(group, name, absent=name == default) for name in names]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"type": {"enum": list(names)}},
        "allOf": rules,
    }
    return schema if default in names else {**schema, "required": ["type"]}


def _rule(group: str, name: str, *, absent: bool) -> dict[str, Any]:
    """``absent``: the rule also holds where no type is given."""
    condition: dict[str, Any] = {"properties": {"type": {"const": name}}}
    if not absent:
        condition["required"] = ["type"]
    return {"if": condition, "then": {"$ref": f"#/definitions/{group}/{name}"}}


def _typed(name: str, summary: str, fields: Iterable[Field]) -> dict[str, Any]:
    schema = _object(fields)
    schema["properties"] = {"type": {"const": name}, **schema["properties"]}
    return {"description": summary, **schema}


def _object(fields: Iterable[Field], defaults: Mapping[str, Any] | None = None) -> dict[str, Any]:
    fields = tuple(fields)
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [field.name for field in fields if field.required],
        "properties": {field.name: _property(field, defaults or {}) for field in fields},
    }


def _property(field: Field, defaults: Mapping[str, Any]) -> dict[str, Any]:
    schema = schema_of(field)
    if "$ref" in schema:  # draft-07 ignores what stands beside a $ref
        schema = {"allOf": [schema]}
    schema = {**schema, "description": field.doc or field.name}
    if not field.required:
        schema["default"] = defaults.get(field.name, field.default)
    return schema
