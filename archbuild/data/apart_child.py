"""The process of a reader that works apart: it reads one file within limits, and sends the arrays.

    python -m archbuild.data.apart_child MODULE READER FORM PATH MAY_HANG

The request comes on standard input.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import re
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Final

from archbuild.data.apart import LENGTH_BYTES, as_document
from archbuild.data.dataset import chunk_slices
from archbuild.data.formats.below import below
from archbuild.data.guard import reading
from archbuild.data.limits import told_bytes
from archbuild.data.request import Arrays
from archbuild.data.spill import read_part
from archbuild.errors import DataError

_MEMORY: Final = 768 * 2**20
_MEMORY_TIMES: Final = 10  # the size of the file, beyond; its rows lie on disk where they are many
_SECONDS: Final = 2
_SECONDS_PER_MIB: Final = 1
_SECONDS_PER_GIB_TOLD: Final = 600


def main(arguments: list[str]) -> None:
    """Read the file and send what is in it, or why it is refused."""
    module, name, form, path, may_hang = arguments
    answers = _own_output()
    noted = _Noted()
    logging.basicConfig(handlers=[noted], level=logging.INFO)
    request = pickle.loads(sys.stdin.buffer.read())  # from the process that started this one
    reader = getattr(import_module(module), name).__wrapped__
    _limit(Path(path), is_timed=may_hang == "1")
    try:
        with reading(path, form):
            arrays: Arrays = reader(request)
            document, numbers = as_document(arrays)
    except DataError as error:
        _send(answers, {"refused": str(error)})
        return
    _send(answers, {**document, "log": noted.records})
    for values in numbers:
        for part in chunk_slices(len(values), values[:1].nbytes) if values.ndim else ():
            answers.write(read_part(values, part).data.cast("B"))
        if not values.ndim:
            answers.write(values.tobytes())
    answers.flush()


class _Noted(logging.Handler):
    """Keeps what is logged, to be logged by the process that started this one."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[tuple[str, int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append((record.name, record.levelno, record.getMessage()))


def _own_output() -> IO[bytes]:
    """Return what was standard output; what libraries print goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return answers


def _send(answers: IO[bytes], document: dict[str, Any]) -> None:
    text = json.dumps(document).encode()
    answers.write(len(text).to_bytes(LENGTH_BYTES, "little") + text)
    answers.flush()


def _limit(path: Path, *, is_timed: bool) -> None:
    """Limit time and memory by the size of the file; where the system has no limits there are none.

    The modules are imported already, and what they took is not counted.
    """
    with suppress(ImportError):
        import resource

        size = sum(each.stat().st_size for each in _files(path))
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = _SECONDS + _SECONDS_PER_MIB * size // 2**20
        seconds += _SECONDS_PER_GIB_TOLD * told_bytes() // 2**30
        if is_timed:
            _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + seconds)
        _lower(resource.RLIMIT_DATA, _data() + _MEMORY + _MEMORY_TIMES * size + told_bytes())
        _lower(resource.RLIMIT_CORE, 0)


def _files(path: Path) -> list[Path]:
    return [each for each in below(path) if each.is_file()] if path.is_dir() else [path]


def _lower(kind: int, limit: int) -> None:
    import resource

    soft, hard = resource.getrlimit(kind)
    told = [each for each in (soft, hard, limit) if each != resource.RLIM_INFINITY]
    with suppress(ValueError, OSError):  # a system that does not know this limit
        resource.setrlimit(kind, (min(told), hard))


def _data() -> int:
    """Return the bytes of this process that count against the limit, where Linux tells."""
    with suppress(OSError):
        found = re.search(r"VmData:\s+(\d+) kB", Path("/proc/self/status").read_text())
        return int(found[1]) * 1024 if found else 0
    return 0


if __name__ == "__main__":
    main(sys.argv[1:])
