"""Older forms of the spec language brought to the current one, a version at a time.

The classic form (no ``spec_version``) is that of the TUM project "Clustering with Deep Learning"
(Aljalbout et al., arXiv 1801.07648). Entries keep their paths through a migration, so later
problems still find their places in the file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Final

from archbuild.errors import Problem
from archbuild.spec.stages import CLASSIC_CLUSTER, CLASSIC_PRETRAIN
from archbuild.spec.top import CURRENT_VERSION
from archbuild.spec.values import shown

CLASSIC: Final = 0

_FLAT, _CONVOLUTIONAL = "AE", "CAE"
_LOADER_KEYS: Final = {
    # keys that the seed's loader wrote into every layer: key -> the types that mean it
    "output_shape": {"Input", "Reshape"},
    "conv_mode": {"Conv2D", "Deconv2D"},
}


def migrate(tree: Any) -> tuple[Any, list[Problem]]:
    """A copy of ``tree`` in the current version, and what was wrong with the older one.

    A tree that is not a mapping comes back as it is: the check says what it should be. One of an
    unknown version comes back as ``None``.
    """
    if not isinstance(tree, Mapping):
        return tree, []
    version = tree.get("spec_version", CLASSIC)
    if isinstance(version, bool) or version not in (*MIGRATIONS, CURRENT_VERSION):
        return None, [_unknown_version(version)]
    migrated = deepcopy(dict(tree))
    problems: list[Problem] = []
    while version != CURRENT_VERSION:
        step = MIGRATIONS[version]
        problems += step(migrated)
        version = migrated["spec_version"]
    return migrated, problems


def _unknown_version(version: Any) -> Problem:
    newer = isinstance(version, int | float) and version > CURRENT_VERSION
    return Problem(
        "this version of the spec language is not known here",
        ("spec_version",),
        shown(version),
        f"{CURRENT_VERSION}, or no spec_version for the classic form",
        "a newer archbuild may read it" if newer else f"write {CURRENT_VERSION}",
    )


def _from_classic(tree: dict[str, Any]) -> list[Problem]:
    """Version 0 to 1, in place; leaves alone what is not well formed: the check will name it."""
    tree["spec_version"] = 1
    if isinstance(tree.get("use_batch_norm"), int):
        tree["use_batch_norm"] = _switch(tree["use_batch_norm"])
    kind = tree.pop("network_type", None)
    if kind is None:
        kind = _type_by_name(tree.get("name"))
    layers = tree.get("layers")
    for index, layer in enumerate(layers if isinstance(layers, list) else ()):
        if isinstance(layer, dict):
            _clean_layer(layer)
            if index == 0 and kind == _FLAT:
                _flatten_input(layer)
    for section, defaults in (("pretrain", CLASSIC_PRETRAIN), ("cluster", CLASSIC_CLUSTER)):
        own = tree.get(section)
        if own is None or isinstance(own, dict):
            tree[section] = {**defaults, **(own or {})}
    if kind in (_FLAT, _CONVOLUTIONAL):
        return []
    allowed = f"{_FLAT} (rows are flat) or {_CONVOLUTIONAL}"
    message = "network_type has a value that is not on offer"
    return [Problem(message, ("network_type",), shown(kind), allowed)]


def _switch(value: int) -> Any:
    return bool(value) if value in (0, 1) else value


def _type_by_name(name: Any) -> str:
    """As the seed: an architecture whose name begins with ``fc`` takes flat rows."""
    first = re.split("[_-]", name)[0] if isinstance(name, str) else ""
    return _FLAT if first == "fc" else _CONVOLUTIONAL


def _clean_layer(layer: dict[str, Any]) -> None:
    kind = layer.get("type")
    for key, meant_by in _LOADER_KEYS.items():
        if not isinstance(kind, str) or kind not in meant_by:
            layer.pop(key, None)


def _flatten_input(layer: dict[str, Any]) -> None:
    shape = layer.get("output_shape")
    if isinstance(shape, list) and all(type(extent) is int and extent > 0 for extent in shape):
        layer["output_shape"] = [math.prod(shape)]


MIGRATIONS: Final[Mapping[int, Callable[[dict[str, Any]], list[Problem]]]] = {
    CLASSIC: _from_classic,
}
"""Version -> the step to a later one; a step works in place and sets ``spec_version``."""
