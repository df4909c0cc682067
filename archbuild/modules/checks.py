"""Checks of the arguments that modules take."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from numbers import Integral, Real
from typing import Any

from archbuild.errors import UsageError


def one_of(name: str, value: str, options: Sequence[str]) -> str:
    """Return ``value`` if it is one of ``options``.

    Raises:
        UsageError: it is none of them.
    """
    if value not in options:
        raise UsageError(f"{name} is {value!r}; expected one of {', '.join(options)}")
    return value


def at_least(name: str, value: Any, least: int) -> int:
    """Return ``value`` if it is a whole number from ``least``.

    Raises:
        UsageError: it is not.
    """
    if not isinstance(value, Integral) or int(value) < least:
        raise UsageError(f"{name} is {value!r}; expected a whole number from {least}")
    return int(value)


def above_zero(name: str, value: Any) -> float:
    """Return ``value`` if it is a finite number above 0.

    Raises:
        UsageError: it is not.
    """
    if not isinstance(value, Real) or not 0 < float(value) < inf:
        raise UsageError(f"{name} is {value!r}; expected a number above 0")
    return float(value)
