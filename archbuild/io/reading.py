"""Read files that may be damaged, or come from an unknown source: JSON and NumPy's arrays.

Nothing in a file is executed, and no number that is not finite passes.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO, Any, Literal
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np

from archbuild.errors import ArchbuildError, RunError
from archbuild.io.atomic import explained
from archbuild.io.npy_header import read_header

_NOT_NUMPY = "not NumPy's format: "
_LONGEST_REASON = 200
_LONGEST_WHOLE = 21  # characters

START_OVER = "restore it, or train again (with --fresh on the command line)"
"""Advice on a damaged file of a run, for users of Python and of the command line."""

_LARGEST_JSON = 64_000_000  # bytes; a history of a million epochs has about as many
_LARGEST_WHOLE = 10**18  # of what archbuild counts; no float, no index holds much more


def read_json(path: Path) -> Any:
    """Return the value of a JSON document.

    Raises:
        RunError: the file cannot be read, or is not JSON; JSON has no NaN and no infinity.
    """
    return parse_json(_content(path), path)


def read_json_lines(path: Path) -> list[Any]:
    """Return the value of each line; raises as :func:`read_json`."""
    return [parse_json(line, path) for line in _content(path).splitlines()]


def parse_json(text: str | bytes, source: object) -> Any:
    """Return the value of a JSON text.

    Args:
        text: UTF-8 where it is bytes.
        source: the file that the error names.

    Raises:
        RunError: it is not JSON, or a number is not finite, or a whole one beyond 1e18.
    """
    with guarded(source, "not JSON: "):
        return json.loads(text, parse_constant=_finite, parse_float=_finite, parse_int=_whole)


def read_npy(path: Path, shape: tuple[int | None, ...]) -> np.ndarray:
    """Return the array of a ``.npy`` file.

    Args:
        path: the file.
        shape: what is expected; ``None`` for an axis of any length.

    Raises:
        RunError: the file cannot be read, or the array has another shape or holds values that
            are not finite.
    """
    refuse_special(path)
    with explained("read", path), guarded(path, _NOT_NUMPY), path.open("rb") as stream:
        array = _read_array(stream, path.stat().st_size)
    _refuse_other_shape(array, shape, path)
    refuse_non_finite(array, path)
    return array


def map_npy(path: Path, shape: tuple[int | None, ...] | None) -> np.ndarray:
    """Return the array of a ``.npy`` file as a memory map to read from.

    Its values are not looked at.

    Args:
        path: the file.
        shape: as for :func:`read_npy`; ``None``: any.

    Raises:
        RunError: the file cannot be read, or the array has another shape.
    """
    refuse_special(path)
    with explained("read", path), guarded(path, _NOT_NUMPY), path.open("rb") as stream:
        declared, by_columns, dtype = read_header(stream)
        offset = stream.tell()
        _refuse_other_size(declared, dtype, path.stat().st_size - offset)
        order: Literal["F", "C"] = "F" if by_columns else "C"
        array = np.memmap(path, dtype, mode="r", offset=offset, shape=declared, order=order)
    if shape is not None:
        _refuse_other_shape(array, shape, path)
    return array


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a ``.npz`` file by name.

    Raises:
        RunError: the file cannot be read, or an array holds values that are not finite.
    """
    refuse_special(path)
    with explained("read", path), guarded(path, _NOT_NUMPY), ZipFile(path) as archive:
        arrays = {
            member.filename.removesuffix(".npy"): _read_member(archive, member)
            for member in archive.infolist()
        }
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
    except ArchbuildError:
        raise
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        missing = isinstance(error, KeyError)
        detail = f"expected the array {reason}, which is missing" if missing else reason
        raise RunError(f"{path} does not fit {what} ({detail}); {START_OVER}") from error


@contextmanager
def guarded(source: object, what: str = "") -> Iterator[None]:
    """Turn whatever goes wrong with a file of a run into an error about that file.

    A file from a stranger can bring any code into any state, and each library that reads it has
    exceptions of its own. What the operating system refuses passes, for ``explained``.

    Args:
        source: the file, or the folder, that the error names.
        what: what it is not, before the reason: ``"not JSON: "``.

    Raises:
        RunError: anything else than an error of archbuild was raised, which is its cause.
    """
    try:
        yield
    except (ArchbuildError, OSError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        if isinstance(error, LookupError):
            reason = f"{reason} is missing"
        raise RunError(f"{source} is damaged ({what}{reason}); {START_OVER}") from error


def refuse_special(path: Path) -> None:
    """Make sure that a file, if it is there, is a plain one: to open a pipe may take for ever.

    Raises:
        RunError: it is a pipe, a socket, a device or a folder.
    """
    if path.exists() and not path.is_file():
        raise RunError(f"{path} is no file that could be read; {START_OVER}")


def _content(path: Path) -> bytes:
    refuse_special(path)
    with explained("read", path):
        size = path.stat().st_size
        if size > _LARGEST_JSON:
            raise RunError(
                f"{path} is damaged (expected at most {_LARGEST_JSON:,} bytes, got {size:,}); "
                f"{START_OVER}"
            )
        return path.read_bytes()


def _read_member(archive: ZipFile, member: ZipInfo) -> np.ndarray:
    """Read an array of an archive, which archbuild stores as it is, without compression."""
    if member.compress_type != ZIP_STORED:
        raise ValueError(f"'{member.filename}' is compressed")
    return _read_array(io.BytesIO(archive.read(member)), member.file_size)


def _read_array(stream: IO[bytes], size: int) -> np.ndarray:
    """Read an array, whose header has to declare as many bytes as there are."""
    shape, _, dtype = read_header(stream)
    _refuse_other_size(shape, dtype, size - stream.tell())
    stream.seek(0)
    array: np.ndarray = np.lib.format.read_array(stream, allow_pickle=False)
    return array


def _refuse_other_size(shape: tuple[int, ...], dtype: np.dtype[Any], there: int) -> None:
    if dtype.hasobject or prod(shape) * dtype.itemsize != there:
        raise ValueError(f"expected {there:,} bytes of numbers, got {dtype} of shape {shape}")


def _refuse_other_shape(array: np.ndarray, shape: tuple[int | None, ...], path: Path) -> None:
    lengths = zip(array.shape, shape, strict=False)
    if array.ndim != len(shape) or any(b not in (None, a) for a, b in lengths):
        wanted = ", ".join("any" if length is None else str(length) for length in shape)
        raise RunError(
            f"{path} is damaged (expected shape ({wanted}), got {array.shape}); {START_OVER}"
        )


def _whole(text: str) -> int:
    number = int(text) if len(text) < _LONGEST_WHOLE else _LARGEST_WHOLE + 1
    if abs(number) > _LARGEST_WHOLE:
        raise ValueError(f"{text[:_LONGEST_WHOLE]} is beyond what a run counts")
    return number


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a finite number")
    return number
