"""The published JSON Schema, generated from the vocabulary: draft-07, for editors and other tools.

The check itself (``check.py``) gives better messages; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from archbuild.spec.augment import AUGMENT_FIELDS
from archbuild.spec.classic import CONVOLUTIONAL, FLAT
from archbuild.spec.fragments import by_type, mapping_of, typed_mapping
from archbuild.spec.stages import STAGE_DEFAULTS, STAGE_FIELDS
from archbuild.spec.top import (
    CURRENT_VERSION,
    DEFAULT_HEAD,
    SUPERVISION_FIELDS,
    TOP_FIELDS,
)
from archbuild.spec.vocabulary import Vocabulary

_CLASSIC: Final = {
    "type": "object",
    "description": "The classic form, which has no spec_version; migrated on reading.",
    "required": ["name", "layers"],
    "properties": {
        "name": {"type": "string"},
        "aliases": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "batch_size": {"type": "integer", "minimum": 1},
        "use_batch_norm": {"enum": [0, 1, False, True]},
        "network_type": {"enum": [*FLAT, *CONVOLUTIONAL]},
        "layers": {
            "type": "array",
            "items": {"type": "object", "required": ["type"]},
            "minItems": 2,
        },
    },
}


def build_schema(vocabulary: Vocabulary) -> dict[str, Any]:
    """Return the draft-07 schema of a spec file: one spec, or a list of at least one."""
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
            "augment": mapping_of(AUGMENT_FIELDS),
            "supervision": mapping_of(SUPERVISION_FIELDS),
            **{stage: mapping_of(STAGE_FIELDS, own) for stage, own in STAGE_DEFAULTS.items()},
        },
    }


def _typed_definitions(vocabulary: Vocabulary) -> dict[str, Any]:
    layers, heads = vocabulary.layers, vocabulary.heads
    sides = {
        f"{side}_layer": _by_type("layers", [name for name in layers if side in layers[name].sides])
        for side in ("encoder", "decoder")
    }
    own = {name: typed_mapping(kind) for name, kind in layers.items()}
    kinds = {
        name: {**schema, "properties": _referring(schema["properties"], own)}
        for name, schema in own.items()
    }
    choices = {name: typed_mapping(kind) for name, kind in heads.items()}
    head = _by_type("heads", list(heads), DEFAULT_HEAD)
    return {**sides, "head": head, "layers": kinds, "heads": choices}


def _referring(schema: Any, layers: Mapping[str, Any]) -> Any:
    """Return a schema that refers to the definitions of layers where it repeats them."""
    if isinstance(schema, list):
        return [_referring(each, layers) for each in schema]
    if not isinstance(schema, dict):
        return schema
    name = next((name for name, layer in layers.items() if layer == schema), None)
    if name is not None:
        return {"$ref": f"#/definitions/layers/{name}"}
    return {key: _referring(each, layers) for key, each in schema.items()}


def _top() -> dict[str, Any]:
    schema = mapping_of(TOP_FIELDS)
    return {**schema, "required": ["spec_version", *schema["required"]]}


def _by_type(group: str, names: Sequence[str], default: str | None = None) -> dict[str, Any]:
    return by_type({name: {"$ref": f"#/definitions/{group}/{name}"} for name in names}, default)
