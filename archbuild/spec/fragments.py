"""Fragments of JSON Schema made from fields: a value, a mapping, one whose ``type`` decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archbuild.spec.field import Field, Typed


def schema_of(field: Field) -> dict[str, Any]:
    """Return the JSON Schema of a field's value; ``null`` is allowed where it is the default."""
    schema = dict(field.schema)
    if field.default is None:
        return {"anyOf": [schema, {"type": "null"}]}
    return schema


def mapping_of(
    fields: Iterable[Field], defaults: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return a mapping with these keys and no others; ``defaults`` go before the fields' own."""
    fields = tuple(fields)
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [field.name for field in fields if field.required],
        "properties": {field.name: _property(field, defaults or {}) for field in fields},
    }


def typed_mapping(kind: Typed) -> dict[str, Any]:
    """Return a mapping with ``type``, where it is given, and the fields of that type."""
    schema = mapping_of(kind.fields)
    schema["properties"] = {"type": {"const": kind.name}, **schema["properties"]}
    return {"description": kind.summary, **schema}


def by_type(kinds: Mapping[str, Mapping[str, Any]], default: str | None = None) -> dict[str, Any]:
    """Return a mapping whose ``type`` decides which of the schemas in ``kinds`` it has to meet.

    Without a type it is of type ``default``, where that is one of ``kinds``.
    """
    rules = [_rule(name, schema, absent=name == default) for name, schema in kinds.items()]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"type": {"enum": list(kinds)}},
        "allOf": rules,
    }
    return schema if default in kinds else {**schema, "required": ["type"]}


def _rule(name: str, schema: Mapping[str, Any], *, absent: bool) -> dict[str, Any]:
    """Return the rule of one type; ``absent``: it also holds where no type is given."""
    condition: dict[str, Any] = {"properties": {"type": {"const": name}}}
    if not absent:
        condition["required"] = ["type"]
    return {"if": condition, "then": schema}


def _property(field: Field, defaults: Mapping[str, Any]) -> dict[str, Any]:
    schema = schema_of(field)
    if "$ref" in schema:  # draft-07 ignores what stands beside a $ref
        schema = {"allOf": [schema]}
    schema = {**schema, "description": field.doc or field.name}
    if not field.required:
        schema["default"] = defaults.get(field.name, field.default)
    return schema
