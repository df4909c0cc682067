"""From a checked tree to the ``Spec``: every default filled in, one canonical form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from archbuild.spec.augment import AUGMENT_FIELDS
from archbuild.spec.field import Field, Typed
from archbuild.spec.plan import HeadSpec, LayerSpec, NonLinearity, Spec
from archbuild.spec.stages import STAGE_DEFAULTS, STAGE_FIELDS
from archbuild.spec.top import (
    DECODER_WORDS,
    DEFAULT_HEAD,
    NO_DECODER,
    SUPERVISION_FIELDS,
    TOP_FIELDS,
)
from archbuild.spec.vocabulary import Vocabulary


def resolve(tree: Mapping[str, Any], vocabulary: Vocabulary) -> Spec:
    """Fill in all defaults of a spec of the current version that passed the check.

    Resolving ``spec.tree`` again gives an equal ``Spec``.

    Raises:
        KeyError: the tree names no head, and the vocabulary lacks the default one.
    """
    full = filled(tree, TOP_FIELDS)
    del full["aliases"]  # names to find it by in its file, not part of the spec
    full["layers"] = [_typed(entry, vocabulary.layers) for entry in full["layers"]]
    full["decoder"] = _decoder(full["decoder"], vocabulary)
    full["output_non_linearity"] = full["output_non_linearity"] or default_output(full)
    if full["augment"] is not None:
        full["augment"] = _without_implied(filled(full["augment"], AUGMENT_FIELDS), AUGMENT_FIELDS)
    if full["supervision"] is not None:
        full["supervision"] = filled(full["supervision"], SUPERVISION_FIELDS)
    else:
        del full["supervision"]  # specs without supervision stay equal to those of older runs
    if full["binarise"] == "none":
        del full["binarise"]
    if full["data"] is None:
        del full["data"]
    full["head"] = _head(full["head"], vocabulary)
    for stage, own in STAGE_DEFAULTS.items():
        full[stage] = _without_implied(filled(full[stage] or {}, STAGE_FIELDS, own), STAGE_FIELDS)
    return _spec(full, vocabulary)


def filled(
    entry: Mapping[str, Any], fields: Sequence[Field], defaults: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return every field's value: the entry's, else that of ``defaults``, else the field's."""
    found = {**(defaults or {}), **entry}
    return {field.name: _canonical(field, found.get(field.name, field.default)) for field in fields}


def _canonical(field: Field, value: Any) -> Any:
    """Copy the value; numbers that may be fractions become floats, so that digests agree."""
    if field.parts and isinstance(value, Mapping):
        return filled(value, field.parts)
    if field.kinds and value is not None:
        return [_typed(entry, field.kinds) for entry in value]
    if field.takes_fractions and isinstance(value, int):
        return float(value)
    return deepcopy(value)


def _typed(entry: Mapping[str, Any], kinds: Mapping[str, Typed]) -> dict[str, Any]:
    name = entry["type"]
    fields = kinds[name].fields
    return {"type": name} | _without_implied(filled(entry, fields), fields)


def _without_implied(full: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, Any]:
    """Return the values without those of implicit fields that have their defaults."""
    implied = {
        field.name for field in fields if field.implicit and full[field.name] == field.default
    }
    return {key: value for key, value in full.items() if key not in implied}


def _decoder(value: Any, vocabulary: Vocabulary) -> Any:
    if value in DECODER_WORDS:
        return value
    return [_typed(entry, vocabulary.layers) for entry in value]


def _head(value: Mapping[str, Any] | None, vocabulary: Vocabulary) -> dict[str, Any]:
    return _typed({"type": DEFAULT_HEAD, **(value or {})}, vocabulary.heads)


def default_output(tree: Mapping[str, Any]) -> NonLinearity:
    """Return a stated decoder's last non-linearity; of others the encoder's first."""
    stated = tree["decoder"] not in DECODER_WORDS
    layers = reversed(tree["decoder"]) if stated else tree["layers"]
    return next((layer["non_linearity"] for layer in layers if "non_linearity" in layer), "linear")


def _spec(tree: dict[str, Any], vocabulary: Vocabulary) -> Spec:
    decoder, head = tree["decoder"], tree["head"]
    return Spec(
        name=tree["name"],
        batch_size=tree["batch_size"],
        use_batch_norm=tree["use_batch_norm"],
        reconstruction=tree["reconstruction"],
        scaling=tree["scaling"],
        binarise=tree.get("binarise", "none"),
        output_non_linearity=tree["output_non_linearity"],
        layers=_layer_specs(tree["layers"], vocabulary),
        decoder=_decoder_specs(decoder, vocabulary),
        augment=tree["augment"],
        supervision=tree.get("supervision"),
        data=tree.get("data") or {},
        head=HeadSpec(head["type"], _config(head, vocabulary.heads)),
        pretrain=tree["pretrain"],
        cluster=tree["cluster"],
        train=tree["train"],
        tree=tree,
    )


def _decoder_specs(value: Any, vocabulary: Vocabulary) -> tuple[LayerSpec, ...] | None:
    """Return the layers that are stated, none where there is no decoder; ``None``: the mirror's."""
    if value == NO_DECODER:
        return ()
    return None if value in DECODER_WORDS else _layer_specs(value, vocabulary)


def _layer_specs(
    entries: Sequence[Mapping[str, Any]], vocabulary: Vocabulary
) -> tuple[LayerSpec, ...]:
    return tuple(LayerSpec(entry["type"], _config(entry, vocabulary.layers)) for entry in entries)


def _config(entry: Mapping[str, Any], kinds: Mapping[str, Typed]) -> dict[str, Any]:
    """Return every field's value, those that the tree leaves out included."""
    return {
        field.name: entry.get(field.name, field.default) for field in kinds[entry["type"]].fields
    }
