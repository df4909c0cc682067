"""The log of a command: its arguments, the versions, every epoch, and how it ended."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from logging.handlers import MemoryHandler
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from archbuild import printable
from archbuild.cli.output import tell
from archbuild.environment import versions
from archbuild.errors import ArchbuildError, SpecError
from archbuild.training.progress import LOGGER

_FORMAT: Final = "%(asctime)s %(levelname)s %(message)s"
_NEVER: Final = logging.CRITICAL + 1


class RunLog(MemoryHandler):
    """A handler that keeps log records in memory until ``open``, and then writes them to a file.

    The name of the file contains those of the dataset and the spec, and reading these may already
    log something, such as a file that cannot be read.
    """

    def __init__(self) -> None:
        super().__init__(capacity=0, flushLevel=_NEVER, flushOnClose=False)
        self.path: Path | None = None

    def shouldFlush(self, record: logging.LogRecord) -> bool:
        """Return whether there is a file, to which every record is then written at once."""
        return self.target is not None

    def open(self, folder: Path, dataset: str, arch: str) -> Path:
        """Write to ``<folder>/<date-time>-<dataset>-<arch>.log`` from now on; return that path.

        Raises:
            RunError: the file cannot be written.
        """
        from archbuild.io.atomic import explained
        from archbuild.io.containment import make_folder
        from archbuild.runs import slug

        moment = datetime.now().strftime("%Y%m%d-%H%M%S")
        with explained("write", folder):
            make_folder(folder, below=folder.parent)
            self.path = _new_file(folder, f"{moment}-{slug(dataset)}-{slug(arch)}")
            handler = _File(self.path, encoding="utf-8", errors="backslashreplace")
        handler.setFormatter(_Formatter(_FORMAT))
        self.setTarget(handler)
        self.flush()
        return self.path

    def close(self) -> None:
        """Close the file as well."""
        target = self.target
        super().close()
        if target is not None:
            target.close()


class _File(logging.FileHandler):
    """A log on a disk that may fill up, which is told once and ends no command."""

    _is_told = False

    def handleError(self, record: logging.LogRecord) -> None:
        """Tell why a record cannot be written."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._is_told:
            self._is_told = True
            tell(f"warning: the log {self.baseFilename} lacks lines ({error.strerror})")

    def close(self) -> None:
        """Close the file; what cannot be written was told."""
        with suppress(OSError):
            super().close()


class _Formatter(logging.Formatter):
    """Lines in which no name can stand for a line of its own, or for what a terminal obeys."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = printable.message(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        return printable.lines(super().formatException(ei))


@contextmanager
def run_log(command: str) -> Iterator[RunLog]:
    """Log the messages of archbuild while the block lasts, and how the block ends.

    Args:
        command: the first line.
    """
    log, begun = RunLog(), perf_counter()
    level, propagate = LOGGER.level, LOGGER.propagate
    LOGGER.addHandler(log)
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False  # libraries put handlers of their own on the root
    LOGGER.info("command: %s", command)
    LOGGER.info("on: %s", ", ".join(f"{name} {number}" for name, number in versions().items()))
    try:
        yield log
        LOGGER.info("ended well after %.1f s", perf_counter() - begun)
    except BaseException as error:
        _log_failure(error)
        if log.path is not None and not isinstance(error, ArchbuildError):
            error.add_note(f"the traceback is in the log: {log.path}")
        raise
    finally:
        LOGGER.removeHandler(log)
        LOGGER.setLevel(level)
        LOGGER.propagate = propagate
        log.close()


def _log_failure(error: BaseException) -> None:
    """Log an error: one line if archbuild alone raised it, else with traceback and cause."""
    own = isinstance(error, ArchbuildError) and error.__cause__ is None
    text = str(error).replace("\n", "\n    ") if isinstance(error, SpecError) else str(error)
    LOGGER.error("not finished: %s", text, exc_info=None if own else error)


def _new_file(folder: Path, stem: str) -> Path:
    """Create an empty file of that name, with a number if the name is taken."""
    number = 1
    while True:
        path = folder / (f"{stem}.log" if number == 1 else f"{stem}-{number}.log")
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            number += 1
        else:
            return path
