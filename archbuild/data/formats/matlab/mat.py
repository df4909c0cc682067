"""``.mat``: MATLAB files; those of version 7.3 are HDF5 (``mat73``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from archbuild.data.formats.arrays.labels import judge_labels
from archbuild.data.formats.arrays.npz import pick_key
from archbuild.data.formats.arrays.row_axis import rows_first
from archbuild.data.formats.arrays.sparse import dense
from archbuild.data.formats.matlab.mat73 import headers_73, is_version_73, load_73
from archbuild.data.guess import Guess, listed, value_key
from archbuild.data.limits import check_size
from archbuild.data.request import Arrays, ReadRequest
from archbuild.errors import DataError

VALUE_KEYS = ("X", "x", "fea", "data")
LABEL_KEYS = ("Y", "y", "gnd", "labels")
_ITEM_BYTES = {"uint8": 1, "int8": 1, "uint16": 2, "int16": 2, "uint32": 4, "int32": 4, "single": 4}
_NUMBERS = frozenset({*_ITEM_BYTES, "double", "int64", "uint64", "logical", "sparse"})


def read_mat(request: ReadRequest) -> Arrays:
    """Return ``X``, ``x``, ``fea`` or ``data``, and ``Y``, ``y``, ``gnd`` or ``labels``.

    Without such a variable the only one with numbers along two axes or more is taken. Which
    axis counts the rows is found as by ``rows_first``.

    ``data.array`` and ``data.labels`` name other variables.

    Raises:
        DataError: no such variable, a damaged file, or more than memory holds.
    """
    path = request.path
    is_hdf5 = is_version_73(path)
    headers = headers_73(path) if is_hdf5 else _headers(path)
    asked_array = _named(request.options.array, headers, path)
    rows_key = asked_array or pick_key(headers, VALUE_KEYS) or _only_array(headers)
    if rows_key is None:
        raise DataError(
            f"{path} has the variables {', '.join(headers) or '(none)'}; expected the data under "
            f"{', '.join(VALUE_KEYS)} and, if there are labels, {', '.join(LABEL_KEYS)}, or named "
            "by data.array and data.labels in the spec"
        )
    asked = request.options.labels if request.wants_labels else None
    label_key = _named(asked, headers, path) or pick_key(headers, LABEL_KEYS)
    wanted = [key for key in (rows_key, label_key) if key is not None]
    check_size(_n_bytes(*headers[rows_key]), f"the variable '{rows_key}' in {path}")
    variables = load_73(path, wanted) if is_hdf5 else _load(path, wanted)
    labels = _as_array(variables[label_key], path) if label_key is not None else None
    found = _as_array(variables[rows_key], path)
    values, said_of_rows = rows_first(found, labels, request, is_matlab=True)
    labels, said = judge_labels(labels, label_key or "", asked)
    others = tuple(key for key in headers if key not in (rows_key, label_key))
    named = f"the variables {listed(others)}"
    able = [key for key in others if _can_be_rows(*headers[key])]
    overrule = value_key("array", able[0]) if able else ""
    left_out = [Guess("left out", named, overrule)] if others else []
    rows = [] if rows_key in (*VALUE_KEYS, asked_array) else [_say_only(rows_key)]
    return Arrays(values, labels, guesses=(*rows, *said_of_rows, *said, *left_out))


def _only_array(headers: Mapping[str, tuple[tuple[int, ...], str]]) -> str | None:
    """Return the only variable that can be rows: numbers along two axes or more."""
    found = [
        name for name, header in headers.items() if _can_be_rows(*header) and name not in LABEL_KEYS
    ]
    return found[0] if len(found) == 1 else None


def _can_be_rows(shape: tuple[int, ...], kind: str) -> bool:
    """Return whether a variable holds numbers along two axes or more."""
    return sum(size > 1 for size in shape) > 1 and kind in _NUMBERS


def _say_only(key: str) -> Guess:
    return Guess("rows", f"the variable '{key}', the only one of two axes or more")


def _named(name: str | None, headers: Mapping[str, Any], path: Path) -> str | None:
    """Return the variable that the user named."""
    if name is not None and name not in headers:
        raise DataError(f"{path} has no variable '{name}'; it has {', '.join(headers) or 'none'}")
    return name


def read_variables(path: Path, names: Sequence[str]) -> dict[str, Any]:
    """Return variables of a file by their names, as they are.

    Raises:
        DataError: one is missing, the file cannot be read, or they are more than memory holds.
    """
    headers = _headers(path)
    for name in names:
        _named(name, headers, path)
    check_size(sum(_n_bytes(*headers[name]) for name in names), str(path))
    return _load(path, list(names))


def mat_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the variables of the file and their shapes, without their contents.

    Raises:
        DataError: the file cannot be read.
    """
    return {name: shape for name, (shape, _) in _headers(path).items()}


def _headers(path: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """Return each variable's shape and MATLAB class."""
    from scipy.io import whosmat

    try:
        return {name: (shape, kind) for name, shape, kind in whosmat(path)}
    except Exception as error:
        raise _damaged(path, error) from error


def _n_bytes(shape: tuple[int, ...], kind: str) -> int:
    return _ITEM_BYTES.get(kind, 8) * prod(shape)


def _load(path: Path, names: list[str]) -> dict[str, Any]:
    from scipy.io import loadmat

    try:
        variables: dict[str, Any] = loadmat(path, variable_names=names)
    except Exception as error:
        raise _damaged(path, error) from error
    return variables


def _damaged(path: Path, error: Exception) -> DataError:
    """Return one sentence for whatever SciPy raised; its reader documents no closed list."""
    return DataError(f"{path} cannot be read as .mat ({error}); copy it again, or save it as .npz")


def _as_array(values: Any, path: Path) -> np.ndarray:
    return dense(values, str(path)) if hasattr(values, "toarray") else np.asarray(values)
