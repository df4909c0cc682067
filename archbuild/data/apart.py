"""Readers that work in a process of their own, since a library in C may crash or hang in them.

HDF5 goes in circles for some broken files, and nothing in Python can stop it. The process has
limits on its time and its memory, and its death is a ``DataError``. What comes back is a line of
JSON and plain numbers, never a pickle: a process that a hostile file has taken over can send wrong
numbers, and no code.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from archbuild.data.columns import TableEncoding
from archbuild.data.dataset import chunk_slices
from archbuild.data.guard import reading
from archbuild.data.guess import Guess
from archbuild.data.limits import ENVIRONMENT_VARIABLE
from archbuild.data.request import Arrays, ReadRequest
from archbuild.data.spill import release, room_for
from archbuild.data.table_form import TableForm
from archbuild.errors import DataError

Reader = Callable[[ReadRequest], Arrays]

LENGTH_BYTES: Final = 8
"""The length of the JSON document stands in front of it, the low byte first."""

_PACKAGES: Final = Path(__file__).resolve().parents[2]
_KINDS: Final = "biuf"  # of the numbers that may come back


def apart(form: str, *, may_hang: bool = True) -> Callable[[Reader], Reader]:
    """Make a reader work in a process of its own.

    Its ``Arrays`` may have values of numbers, and labels of numbers or texts. What it logs is
    logged here.

    Args:
        form: the format in words, as for ``reading``.
        may_hang: whether a broken file may keep the library busy for ever, so that time is limited
            as well as memory.
    """

    def wrapped(reader: Reader) -> Reader:
        @wraps(reader)
        def read(request: ReadRequest) -> Arrays:
            return _read(reader, request, form, may_hang)

        return read

    return wrapped


def _read(reader: Reader, request: ReadRequest, form: str, may_hang: bool) -> Arrays:
    command = [sys.executable, "-P", "-m", "archbuild.data.apart_child"]
    told = [reader.__module__, reader.__name__, form, str(request.path), str(int(may_hang))]
    child = subprocess.Popen(
        [*command, *told],
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        with reading(request.path, form):
            try:
                child.stdin.write(pickle.dumps(request))
                child.stdin.close()
                return _received(child.stdout, str(request.path))
            except (EOFError, BrokenPipeError) as error:
                raise _death(child.wait(), request.path, form) from error
    finally:
        child.kill()
        child.stdout.close()
        child.wait()


def _environment() -> dict[str, str]:
    """Return the surroundings of the process: the same modules, one thread for algebra."""
    paths = [str(_PACKAGES), *filter(None, sys.path)]
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**os.environ, **single, "PYTHONPATH": os.pathsep.join(paths)}


def _received(stream: IO[bytes], source: str) -> Arrays:
    """Return what the process has read.

    Raises:
        EOFError: it has died.
        DataError: it has refused the file.
    """
    length = int.from_bytes(_exactly(stream, LENGTH_BYTES), "little")
    document: dict[str, Any] = json.loads(_exactly(stream, length))
    if "refused" in document:
        raise DataError(str(document["refused"]))
    for name, level, message in document["log"]:
        logging.getLogger(name).log(level, "%s", message)
    values = _array(document["values"], stream, source)
    encoding, form, labels = document["encoding"], document["form"], document["labels"]
    if isinstance(labels, dict):
        labels = _array(labels, stream, source)
    return Arrays(
        values,
        labels,
        ids=document["ids"],
        columns=tuple(document["columns"]),
        guesses=tuple(Guess(*map(str, told)) for told in document["guesses"]),
        channels=document["channels"],
        gaps=bool(document["gaps"]),
        scale=document["scale"],
        divisors=document["divisors"],
        encoding=TableEncoding.from_json(encoding) if encoding is not None else None,
        form=TableForm.from_json(form) if form is not None else None,
    )


def _array(told: dict[str, Any], stream: IO[bytes], source: str) -> np.ndarray:
    """Return an array of numbers that comes through the pipe, or of texts from the document."""
    shape = tuple(map(int, told["shape"]))
    if "texts" in told:
        return np.array(told["texts"], dtype=str).reshape(shape)
    dtype = np.dtype(str(told["dtype"]))
    if dtype.kind not in _KINDS:
        raise ValueError(f"values of type {dtype}")
    values = room_for(shape, dtype, source)
    content = values.reshape(-1).view(np.uint8)
    for part in chunk_slices(len(content), 1):
        content[part] = np.frombuffer(_exactly(stream, part.stop - part.start), np.uint8)
        release(values)
    return values


def _exactly(stream: IO[bytes], n_bytes: int) -> bytes:
    content = stream.read(n_bytes)
    if len(content) != n_bytes:
        raise EOFError("the process that read it has ended")
    return content


def _death(status: int, path: Path, form: str) -> DataError:
    """Return the refusal of a file in which the process died."""
    advice = "copy it again, or save its arrays with NumPy as .npz"
    if status in (-getattr(signal, "SIGXCPU", 0), -getattr(signal, "SIGKILL", 0)) and status:
        return DataError(
            f"{path} cannot be read as {form}: this took longer than sound files of its size "
            f"take; {advice}, or, if you trust the file, allow more by the environment variable "
            f"{ENVIRONMENT_VARIABLE}=1"
        )
    how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    return DataError(
        f"{path} cannot be read as {form}: the library that reads it crashed ({how}), as it does "
        f"for damaged files; {advice}"
    )


def as_document(arrays: Arrays) -> tuple[dict[str, Any], Sequence[np.ndarray]]:
    """Return what is sent in place of arrays: a document for JSON, and the numbers behind it.

    Raises:
        TypeError: there is something in them that cannot be sent.
    """
    labels, numbers = arrays.labels, [arrays.values]
    if labels is not None and np.asarray(labels).dtype.kind in _KINDS:
        numbers.append(np.asarray(labels))
        labels = _described(numbers[-1])
    elif isinstance(labels, np.ndarray):
        texts = labels.astype(str)
        labels = {"shape": texts.shape, "texts": texts.reshape(-1).tolist()}
    else:
        labels = None if labels is None else list(map(str, labels))
    document = {
        "values": _described(arrays.values),
        "labels": labels,
        "ids": None if arrays.ids is None else list(map(str, arrays.ids)),
        "columns": arrays.columns,
        "guesses": arrays.guesses,
        "channels": arrays.channels,
        "gaps": arrays.gaps,
        "scale": arrays.scale,
        "divisors": dict(arrays.divisors),
        "encoding": None if arrays.encoding is None else arrays.encoding.to_json(),
        "form": None if arrays.form is None else arrays.form.to_json(),
    }
    return document, numbers


def _described(values: np.ndarray) -> dict[str, Any]:
    if values.dtype.kind not in _KINDS:  # told here, where the file's name is known
        raise TypeError(f"values of type {values.dtype}, where numbers were expected")
    return {"shape": values.shape, "dtype": values.dtype.str}
