"""Differences between two descriptions of the same stage."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = _Absent()

_LONGEST_VALUE = 60


@dataclass(frozen=True)
class Difference:
    """A value that changed.

    Attributes:
        path: where, as keys and indices: ``("pretrain", "epochs")``.
        before: what the run folder holds; ``ABSENT`` where it holds nothing.
        after: the value of the present request; ``ABSENT`` where nothing is.
    """

    path: tuple[str | int, ...]
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{_dotted(self.path)}: {_shown(self.before)} -> {_shown(self.after)}"


def differences(before: Any, after: Any, path: tuple[str | int, ...] = ()) -> list[Difference]:
    """Compare two JSON values; return what differs, in the order of the first, then the second.

    Mappings are compared by key and lists by index; ``1`` equals ``1.0`` but not ``True``.
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return list(_by_key(dict(before), dict(after), path))
    if isinstance(before, list) and isinstance(after, list):
        return list(_by_key(dict(enumerate(before)), dict(enumerate(after)), path))
    same = before == after and isinstance(before, bool) == isinstance(after, bool)
    return [] if same else [Difference(path, before, after)]


def _by_key(
    before: dict[Any, Any], after: dict[Any, Any], path: tuple[str | int, ...]
) -> Iterator[Difference]:
    for key in before | after:
        yield from differences(before.get(key, ABSENT), after.get(key, ABSENT), (*path, key))


def _dotted(path: tuple[str | int, ...]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the request"


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    if isinstance(value, Mapping | list | bool) or value is None:
        text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
