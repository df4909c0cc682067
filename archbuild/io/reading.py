"""Read files that may be damaged, or come from an unknown source: JSON and NumPy's arrays.

Nothing in a file is executed, and no number that is not finite passes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from archbuild.errors import RunError
from archbuild.io.atomic import explained

START_OVER = "restore it, or train again (with --fresh on the command line)"
"""Advice on a damaged file of a run, for users of Python and of the command line."""

_BROKEN = (ValueError, LookupError, TypeError, EOFError, BadZipFile, NotImplementedError)


def read_json(path: Path) -> Any:
    """Return the value of a JSON document.

    Raises:
        RunError: the file cannot be read, or is not JSON; JSON has no NaN and no infinity.
    """
    with explained("read", path):
        text = path.read_bytes()
    return parse_json(text, path)


def read_json_lines(path: Path) -> list[Any]:
    """Return the value of each line; raises as :func:`read_json`."""
    with explained("read", path):
        lines = path.read_bytes().splitlines()
    return [parse_json(line, path) for line in lines]


def parse_json(text: str | bytes, source: object) -> Any:
    """Return the value of a JSON text.

    Args:
        text: UTF-8 where it is bytes.
        source: the file that the error names.

    Raises:
        RunError: it is not JSON, or a number is not finite.
    """
    try:
        return json.loads(text, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{source} is damaged (not JSON: {error}); {START_OVER}") from error


def read_npy(path: Path, shape: tuple[int | None, ...]) -> np.ndarray:
    """Return the array of a ``.npy`` file.

    Args:
        path: the file.
        shape: what is expected; ``None`` for an axis of any length.

    Raises:
        RunError: the file cannot be read, or the array has another shape or holds values that
            are not finite.
    """
    with explained("read", path), _loading(path), path.open("rb") as stream:
        array = np.load(stream, allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise RunError(f"{path} is damaged (expected one array, got an archive); {START_OVER}")
    _refuse_other_shape(array, shape, path)
    refuse_non_finite(array, path)
    return array


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a ``.npz`` file by name.

    Raises:
        RunError: the file cannot be read, or an array holds values that are not finite.
    """
    with explained("read", path), _loading(path), path.open("rb") as stream:
        arrays = dict(np.load(stream, allow_pickle=False))
    for name, array in arrays.items():
        refuse_non_finite(array, path, name)
    return arrays


def refuse_non_finite(array: np.ndarray, path: Path, name: str = "") -> None:
    """Make sure that an array consists of finite numbers.

    Args:
        array: of any shape.
        path: the file that it comes from.
        name: what it is called there.

    Raises:
        RunError: it holds text, NaN or an infinity.
    """
    what = f"'{name}' in {path}" if name else f"{path}"
    if array.dtype.kind not in "biuf":
        raise RunError(f"{what} is damaged (expected numbers, got {array.dtype}); {START_OVER}")
    count = int(array.size - np.count_nonzero(np.isfinite(array)))
    if count:
        raise RunError(
            f"{what} is damaged (expected finite numbers, got {count} of {array.size} that are "
            f"NaN or infinite); {START_OVER}"
        )


@contextmanager
def fitting(path: Path, what: str) -> Iterator[None]:
    """Turn any failure to put loaded values in their place into an error about the file.

    Args:
        path: where the values come from.
        what: they should fit, for instance ``"the network of its spec"``.

    Raises:
        RunError: a value is missing, or has another shape or type.
    """
    try:
        yield
    except (*_BROKEN, OSError) as error:
        reason = str(error).strip().partition("\n")[0]
        missing = isinstance(error, KeyError)
        detail = f"expected the array {reason}, which is missing" if missing else reason
        raise RunError(f"{path} does not fit {what} ({detail}); {START_OVER}") from error


@contextmanager
def _loading(path: Path) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise RunError(f"{path} is damaged (not NumPy's format: {error}); {START_OVER}") from error


def _refuse_other_shape(array: np.ndarray, shape: tuple[int | None, ...], path: Path) -> None:
    lengths = zip(array.shape, shape, strict=False)
    if array.ndim != len(shape) or any(b not in (None, a) for a, b in lengths):
        wanted = ", ".join("any" if length is None else str(length) for length in shape)
        raise RunError(
            f"{path} is damaged (expected shape ({wanted}), got {array.shape}); {START_OVER}"
        )


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a finite number")
    return number
