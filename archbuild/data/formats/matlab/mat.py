"""``.mat``: MATLAB files; those of version 7.3 are HDF5 (``mat73``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from archbuild.data.apart import apart
from archbuild.data.formats.arrays.labels import judge_labels
from archbuild.data.formats.arrays.npz import pick_key
from archbuild.data.formats.arrays.row_axis import rows_first
from archbuild.data.formats.matlab.mat4 import is_version_4, variables_4
from archbuild.data.formats.matlab.mat5 import variables_5
from archbuild.data.formats.matlab.mat73 import is_version_73, variables_73
from archbuild.data.formats.matlab.variable import Variable
from archbuild.data.guard import reading
from archbuild.data.guess import Guess, listed, value_key
from archbuild.data.limits import check_size
from archbuild.data.request import Arrays, ReadOptions, ReadRequest
from archbuild.errors import DataError

VALUE_KEYS = ("X", "x", "fea", "data")
LABEL_KEYS = ("Y", "y", "gnd", "labels")
_NUMBERS = frozenset(
    {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
    | {"single", "double", "logical", "sparse"}
)


def read_mat(request: ReadRequest) -> Arrays:
    """Return ``X``, ``x``, ``fea`` or ``data``, and ``Y``, ``y``, ``gnd`` or ``labels``.

    Without such a variable the only one with numbers along two axes or more is taken. Which
    axis counts the rows is found as by ``rows_first``.

    ``data.array`` and ``data.labels`` name other variables.

    Raises:
        DataError: no such variable, a damaged file, or more than memory holds.
    """
    if is_version_73(request.path):
        return _read_73(request)
    return _chosen(request, _variables(request.path))


@apart("an HDF5 file")
def _read_73(request: ReadRequest) -> Arrays:
    return _chosen(request, variables_73(request.path))


def _chosen(request: ReadRequest, there: Mapping[str, Variable]) -> Arrays:
    """Return the rows and the labels among the variables of a file."""
    path = request.path
    headers = {name: (variable.shape, variable.kind) for name, variable in there.items()}
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
    check_size(there[rows_key].n_bytes, f"the variable '{rows_key}' in {path}")
    with _reading(path):
        labels = there[label_key].load() if label_key is not None else None
        found = there[rows_key].load()
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


def read_variables(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return variables of a file by their names, as they are.

    Raises:
        DataError: one is missing, the file cannot be read, or they are more than memory holds.
    """
    if is_version_73(path):
        return {name: _variable_73(_asking_for(name, path)).values for name in names}
    there = _variables(path)
    for name in names:
        _named(name, there, path)
    check_size(sum(there[name].n_bytes for name in names), str(path))
    with _reading(path):
        return {name: there[name].load() for name in names}


def mat_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the variables of the file and their shapes, without their contents.

    Raises:
        DataError: the file cannot be read.
    """
    if is_version_73(path):
        found = _shapes_73(ReadRequest(path))
        shapes = [tuple(length for length in row if length >= 0) for row in found.values.tolist()]
        return dict(zip(found.ids or (), shapes, strict=True))
    return {name: variable.shape for name, variable in _variables(path).items()}


@apart("an HDF5 file")
def _shapes_73(request: ReadRequest) -> Arrays:
    """Return the axes of each variable as a row, -1 behind them, with its name as the row's id."""
    shapes = {name: variable.shape for name, variable in variables_73(request.path).items()}
    n_axes = max(map(len, shapes.values()), default=0)
    rows = [(*shape, *[-1] * (n_axes - len(shape))) for shape in shapes.values()]
    return Arrays(np.array(rows, np.int64).reshape(len(rows), n_axes), None, ids=list(shapes))


@apart("an HDF5 file")
def _variable_73(request: ReadRequest) -> Arrays:
    """Return the variable that ``data.array`` names, as it is."""
    there, name = variables_73(request.path), str(request.options.array)
    _named(name, there, request.path)
    check_size(there[name].n_bytes, f"the variable '{name}' in {request.path}")
    return Arrays(there[name].load(), None)


def _asking_for(name: str, path: Path) -> ReadRequest:
    return ReadRequest(path, options=ReadOptions(array=name))


def _variables(path: Path) -> dict[str, Variable]:
    """Return the variables of a file of version 4 or 5, their contents not yet read."""
    with _reading(path):
        # of an empty file there is no map
        content = np.memmap(path, np.uint8, "r") if path.stat().st_size else np.empty(0, np.uint8)
        return variables_4(content) if is_version_4(content) else variables_5(content, path)


def _reading(path: Path) -> AbstractContextManager[None]:
    return reading(path, ".mat", "copy it again, or save it as .npz")
