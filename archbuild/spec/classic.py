"""The classic form, which has no ``spec_version``: that of "Clustering with Deep Learning".

Aljalbout et al., arXiv 1801.07648, and the code that they published. ``docs/classic.md`` says what
such a file means here, and where that differs from the original.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping
from typing import Any, Final

from archbuild.errors import Problem
from archbuild.spec.top import DEFAULT_HEAD
from archbuild.spec.values import shown
from archbuild.spec.vocabulary import Vocabulary

CLASSIC: Final = 0
"""The version of a spec that names none."""

FLAT: Final = ("AE", "fully connected")
CONVOLUTIONAL: Final = ("CAE", "convolutional")

# Their own optimiser, made safe: without clipping and warm-up the same settings end in NaN in most
# trials of their MNIST network.
_DESCENT: Final[Mapping[str, Any]] = {
    "optimizer": "sgd",
    "learning_rate": 0.01,
    "momentum": 0.9,
    "nesterov": True,
    "warm_up": 1.0,
    "clip_norm": 1.0,
}
CLASSIC_PRETRAIN: Final[Mapping[str, Any]] = {
    **_DESCENT,
    "schedule": "exponential",
    "decay": 0.9999,
    "weight_decay": 5e-5,
}
CLASSIC_CLUSTER: Final[Mapping[str, Any]] = _DESCENT

_LOADER_KEYS: Final = {
    # keys that their loader wrote into every layer: key -> the types that mean it
    "output_shape": {"Input", "Reshape"},
    "conv_mode": {"Conv2D", "Deconv2D"},
}
_POOLS: Final = {"MaxPool2D", "MaxPool2D*"}

_log = logging.getLogger(__name__)


def from_classic(tree: dict[str, Any]) -> list[Problem]:
    """Bring a classic spec to version 1, in place; return what is wrong with its own keys.

    What is not well formed is left alone: the check will name it.
    """
    tree["spec_version"] = 1
    if isinstance(tree.get("use_batch_norm"), int):
        tree["use_batch_norm"] = _switch(tree["use_batch_norm"])
    kind = tree.pop("network_type", None)
    if kind is None:
        kind = _type_by_name(tree.get("name"))
    _clean_layers(tree)
    if kind in FLAT:
        _flatten_input(tree)
    for section, defaults in (("pretrain", CLASSIC_PRETRAIN), ("cluster", CLASSIC_CLUSTER)):
        own = tree.get(section)
        if own is None or isinstance(own, dict):
            tree[section] = {**defaults, **(own or {})}
    return [] if kind in (*FLAT, *CONVOLUTIONAL) else [_unknown_type(kind)]


def names_no_head(raw: Any) -> bool:
    """Return whether a spec, as its file holds it, is classic and leaves the head to its authors.

    A file that names a ``type`` of head means what the reference says of that type.
    """
    if not isinstance(raw, Mapping) or raw.get("spec_version", CLASSIC) != CLASSIC:
        return False
    head = raw.get("head")
    return head is None or (isinstance(head, Mapping) and "type" not in head)


def with_classic_head(tree: Mapping[str, Any], vocabulary: Vocabulary) -> dict[str, Any]:
    """Return ``tree`` with the losses of the classic project in the head, whichever its type.

    What the head says already, in the file or on the command line, goes before.
    """
    own = tree.get("head")
    own = {} if own is None else own
    if not isinstance(own, Mapping):
        return dict(tree)
    kind = own.get("type", DEFAULT_HEAD)
    if not isinstance(kind, str) or kind not in vocabulary.heads:
        return dict(tree)
    return {**tree, "head": {"type": kind, **vocabulary.heads[kind].classic_fields, **own}}


def _switch(value: int) -> Any:
    return bool(value) if value in (0, 1) else value


def _type_by_name(name: Any) -> str:
    """Return the shape that an architecture takes: flat rows if its name begins with ``fc``."""
    first = re.split("[_-]", name)[0] if isinstance(name, str) else ""
    return FLAT[0] if first == "fc" else CONVOLUTIONAL[0]


def _unknown_type(kind: Any) -> Problem:
    flat, convolutional = (" or ".join(f"'{word}'" for word in w) for w in (FLAT, CONVOLUTIONAL))
    allowed = f"{flat} (rows are flat), {convolutional}"
    return Problem("unknown network_type", ("network_type",), shown(kind), allowed)


def _clean_layers(tree: Mapping[str, Any]) -> None:
    layers = tree.get("layers")
    for index, layer in enumerate(layers if isinstance(layers, list) else ()):
        if isinstance(layer, dict) and isinstance(layer.get("type"), str):
            _drop_loader_keys(layer)
            _drop_filters_of_pool(layer, index, tree.get("name"))


def _drop_loader_keys(layer: dict[str, Any]) -> None:
    for key, meant_by in _LOADER_KEYS.items():
        if layer["type"] not in meant_by:
            layer.pop(key, None)


def _drop_filters_of_pool(layer: dict[str, Any], index: int, name: Any) -> None:
    """Drop ``num_filters`` of a pool, which their README lists and their loader never read."""
    if layer["type"] in _POOLS and "num_filters" in layer:
        del layer["num_filters"]
        _log.warning(
            "%s: layers[%d].num_filters is ignored: %s gives as many channels as it is given",
            name,
            index,
            layer["type"],
        )


def _flatten_input(tree: Mapping[str, Any]) -> None:
    layers = tree.get("layers")
    layer = layers[0] if isinstance(layers, list) and layers else None
    if not isinstance(layer, dict):
        return
    shape = layer.get("output_shape")
    if isinstance(shape, list) and all(type(extent) is int and extent > 0 for extent in shape):
        layer["output_shape"] = [math.prod(shape)]
