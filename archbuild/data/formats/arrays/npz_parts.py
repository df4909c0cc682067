"""The parts of a dataset in one archive: ``x_train``, ``y_train``, ``x_test``, ``y_test``.

So Keras keeps its datasets; others say ``train_images``, ``train_labels`` and ``val_images``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple, Protocol

_PARTS = ("train", "val", "valid", "validation", "test")
_VALUES = ("x", "data", "images", "features", "img")
_LABELS = ("y", "labels", "label", "targets", "target")
_BEHIND = re.compile(rf"(\w+?)_?({'|'.join(_PARTS)})", re.IGNORECASE)
_IN_FRONT = re.compile(rf"({'|'.join(_PARTS)})_?(\w+)", re.IGNORECASE)


class _Shaped(Protocol):
    @property
    def shape(self) -> tuple[int, ...]:
        """Axes of an array."""


class Parts(NamedTuple):
    """The arrays of rows by part, in order, and those of their labels if all parts have some."""

    values: tuple[str, ...]
    labels: tuple[str, ...]


def parts_of(arrays: Mapping[str, _Shaped]) -> Parts | None:
    """Return the parts in which an archive has its rows; ``None`` if it has no two that fit."""
    named = {key: _named(key) for key in arrays}
    values = _in_order({key: part for key, (part, name) in named.items() if name in _VALUES})
    labels = _in_order({key: part for key, (part, name) in named.items() if name in _LABELS})
    rows = {arrays[key].shape[1:] for key in values.values()}
    if len(values) < 2 or len(rows) != 1:
        return None
    fits = values.keys() == labels.keys() and all(
        arrays[key].shape[:1] == arrays[labels[part]].shape[:1] for part, key in values.items()
    )
    return Parts(tuple(values.values()), tuple(labels.values()) if fits else ())


def _named(key: str) -> tuple[str, str]:
    """Return the part that an array's name says, and the rest of the name, in small letters."""
    behind, front = _BEHIND.fullmatch(key), _IN_FRONT.fullmatch(key)
    if behind:
        return behind[2].lower(), behind[1].lower()
    return (front[1].lower(), front[2].lower()) if front else ("", "")


def _in_order(keys: Mapping[str, str]) -> dict[str, str]:
    """Return part -> key, in the order of the parts."""
    by_part = {part: key for key, part in keys.items()}
    return {part: by_part[part] for part in _PARTS if part in by_part}
