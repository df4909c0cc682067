"""The one guard around everything that reads data: whatever goes wrong there is a ``DataError``."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from archbuild.errors import ArchbuildError, DataError

_LONGEST = 300
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # of an object in memory, which says nothing

_OF_THE_MACHINE = {
    errno.ENOSPC: "the disk is full: set TMPDIR to a folder on a larger disk",
    errno.EDQUOT: "your share of the disk is used up: set TMPDIR to a folder on another disk",
    errno.EFBIG: "a limit on the size of files is in the way (ulimit -f): raise it",
    errno.ENOMEM: "memory ran out, or a limit on it is in the way (ulimit -v): raise it, or read "
    "fewer rows at a time from a .npy file",
    errno.EMFILE: "too many files are open (ulimit -n): raise the limit",
    errno.ENFILE: "too many files are open on this machine: try again later",
}
"""Errors that say nothing about the file."""


@contextmanager
def reading(what: object, form: str, advice: str = "copy it again") -> Iterator[None]:
    """Turn whatever a reader raises into a ``DataError`` with its cause.

    The libraries that decode files document no closed list of errors, and for broken files there is
    none: ``tokenize.TokenError``, ``struct.error``, ``OverflowError``, ``RecursionError``. So all
    of them count, and readers need no guard of their own.

    Args:
        what: is read: a path, or words with a path.
        form: the format in words, as it stands behind ``cannot be read as``.
        advice: what to do about a broken file.

    Raises:
        DataError: anything went wrong but what is an error of archbuild already.
    """
    try:
        yield
    except ArchbuildError:
        raise
    except MemoryError as error:
        raise DataError(
            f"{what}: memory ran out while it was read as {form}, or a limit on memory is in the "
            "way (ulimit -v); close other programs, raise the limit, or save the array as .npy, "
            "which is read where it lies"
        ) from error
    except OSError as error:
        machine = _OF_THE_MACHINE.get(error.errno or 0)
        if machine is not None:
            raise DataError(f"{what} cannot be read now: {machine}") from error
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            place = error.filename or what
            raise DataError(
                f"{place} cannot be opened ({error.strerror}); check the path and its permissions"
            ) from error
        raise _broken(what, form, advice, error) from error
    except Exception as error:
        raise _broken(what, form, advice, error) from error


def _broken(what: object, form: str, advice: str, error: Exception) -> DataError:
    return DataError(f"{what} cannot be read as {form} ({reason_of(error)}); {advice}")


def reason_of(error: Exception) -> str:
    """Return the first line of an error's text, or its type where there is none."""
    # of a KeyError the text is the key in quotes
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    lines = _ADDRESS.sub("", text.strip()).splitlines()
    told = lines[0].strip()[:_LONGEST] if lines else ""
    plain = isinstance(error, ValueError | OSError | EOFError) and not isinstance(
        error, UnicodeError
    )
    return told if told and plain else f"{type(error).__name__}{': ' if told else ''}{told}"
