"""Files that are either whole or not there.

Every file of a run is written under a temporary name in its own folder, flushed to the disk, and
then renamed: a reader, or the next start after a power cut, finds the old file or the new one.
Equal content gives equal bytes, so a digest says whether two runs agree.
"""

from __future__ import annotations

import errno
import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np

from archbuild.errors import RunError
from archbuild.io.containment import remove_link
from archbuild.io.documents import json_text

TEMPORARY_PREFIX = ".tmp-"

_ADVICE = {
    errno.ENOSPC: "free some space, or choose another folder",
    errno.EDQUOT: "free some space, or choose another folder",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
    errno.ENFILE: "too many files are open on this machine; try again later",
    errno.EROFS: "choose a folder that can be written to",
    errno.EACCES: "choose a folder that can be written to",
    errno.EPERM: "choose a folder that can be written to",
}


@contextmanager
def explained(action: str, path: Path) -> Iterator[None]:
    """Turn what the operating system refuses into one sentence for the user.

    Args:
        action: what was being tried, as it stands after "cannot": ``"write"``.
        path: the file or folder it was tried on.

    Raises:
        RunError: for any ``OSError``; names the path, the system's reason and what to do.
    """
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error) or type(error).__name__).lower()
        advice = _ADVICE.get(error.errno or 0, "check the folder, or choose another")
        raise RunError(f"cannot {action} {path} ({reason}): {advice}") from error


def write_atomic(path: str | os.PathLike[str], write: Callable[[Path], object]) -> None:
    """Create or replace a file in one step.

    Args:
        path: the file; folders above it are made as needed.
            A link there is replaced, not followed (``containment.named_by_user`` follows one).
        write: called with a temporary path in the same folder, whose name ends like the final
            one, so that writers which look at the suffix work. It must create that file.

    Raises:
        RunError: the disk is full, the folder is read-only, or anything like it, or a device or a
            folder is in the way. The old file, if there was one, is untouched.
    """
    path = Path(path)
    if not path.is_symlink() and path.exists() and not path.is_file():
        raise RunError(f"{path} is no file that could be replaced; choose another name")
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{os.getpid()}-{path.name}")
    with explained("write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            remove_link(temporary)  # else a link that was left under this name would be followed
            write(temporary)
            _flush(temporary)
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        flush_folder(path.parent)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    r"""Write text as UTF-8 with line feeds, atomically; raises as :func:`write_atomic`.

    Bytes of a file's name that are no UTF-8 are escaped as JSON does: ``\udcff``.
    """
    content = text.encode("utf-8", "backslashreplace")
    write_atomic(path, lambda temporary: temporary.write_bytes(content))


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write an indented JSON document, atomically.

    NumPy scalars and arrays become numbers and lists. Raises as :func:`write_atomic`, and
    ``RunError`` for a number that is not finite: JSON has none, and no finished run holds one.
    """
    write_text(path, json_text(value, source=path, indent=2) + "\n")


def write_json_lines(path: str | os.PathLike[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write one JSON object a line, atomically; raises as :func:`write_json`."""
    write_text(path, "".join(json_text(row, source=path) + "\n" for row in rows))


def write_npy(path: str | os.PathLike[str], array: np.ndarray) -> None:
    """Write one array of any shape, without pickle, atomically; raises as :func:`write_atomic`."""
    write_atomic(path, partial(save_npy, array=array))


def write_npz(path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays, uncompressed and without pickle, atomically.

    Any name is allowed, ``"file"`` and ``"dense/kernel"`` included. Raises as
    :func:`write_atomic`.
    """
    write_atomic(path, partial(save_npz, arrays=arrays))


def save_npy(path: Path, array: np.ndarray) -> None:
    """Write one array to ``path`` in place, without pickle: a writer for :func:`write_atomic`."""
    np.save(path, np.asarray(array), allow_pickle=False)


def save_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays to ``path`` in place: a writer for :func:`write_atomic`.

    The archive's members carry the fixed date of ``zipfile.ZipInfo`` (1980), never the clock's.
    """

    def writer(array: np.ndarray) -> Callable[[IO[bytes]], None]:
        return partial(np.lib.format.write_array, array=np.asarray(array), allow_pickle=False)

    save_members(path, {name: writer(array) for name, array in arrays.items()})


def save_members(path: Path, writers: Mapping[str, Callable[[IO[bytes]], None]]) -> None:
    """Write an archive of ``.npy`` files to ``path`` in place, each by a function of its stream."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, write in writers.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                write(member)


def sha256(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's bytes as 64 hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def flush_folder(folder: Path) -> None:
    """Make renames and deletions in ``folder`` durable, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows opens no folders and needs no flush
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush(path: Path) -> None:
    with open(path, "rb+") as stream:
        os.fsync(stream.fileno())
