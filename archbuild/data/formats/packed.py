"""Files of bytes that may be packed by gzip, whatever their names say."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from io import SEEK_END
from pathlib import Path
from typing import IO, Any, Final

from archbuild.data.guard import reading
from archbuild.data.limits import (
    FREE_BYTES,
    FREE_TEXT,
    allowed_bytes,
    check_declared,
    check_pieces,
)

Content = io.BufferedReader | IO[bytes]
"""An open file, unpacked while it is read."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_STEP: Final = 2**20
_SIZE_BYTES: Final = 4
_SEPARATORS: Final = (b",", b";", b"\t", b"|")


@contextmanager
def unpacked(path: Path) -> Iterator[Content]:
    """Open a file, gzipped or not, for the time of the block.

    Raises:
        DataError: it cannot be read to its end, its packing is damaged, or it unpacks to more than
            honest files do.
    """
    with reading(path, "bytes, packed by gzip or not", "download it again"):
        with path.open("rb") as file:
            is_packed = file.read(2) == _GZIP_MAGIC
        with open_gzip(path) if is_packed else path.open("rb") as content:
            yield content


def open_gzip(path: Path, free: int = FREE_BYTES) -> io.BufferedReader:
    """Open a gzipped file; reading it ends where it becomes out of proportion.

    Args:
        path: of the file.
        free: the bytes that it may unpack to whatever its size.

    Raises:
        DataError: while it is read, where it becomes too much.
    """
    return io.BufferedReader(_Counted(path, path.stat().st_size, free))


def check_gzipped_text(path: Path) -> None:
    """Unpack a gzipped text once to its end, before it is read in a way that takes longer.

    The size that stands at its end is not asked for: it may lie.

    Raises:
        DataError: as the stream of ``open_gzip``, or it has more lines or cells than such a file.
    """
    n_lines = n_cells = 0
    stored = path.stat().st_size
    with open_gzip(path, FREE_TEXT) as file:
        while part := file.read(_STEP):
            n_lines += max(part.count(b"\n"), part.count(b"\r"))
            n_cells += sum(map(part.count, _SEPARATORS))
            check_pieces(n_lines, n_lines + n_cells, stored, f"{path}, unpacked,")


class _Counted(io.RawIOBase):
    """The unpacked bytes of a file, which are counted."""

    def __init__(self, path: Path, size: int, free: int) -> None:
        self._stream = gzip.open(path, "rb")  # noqa: SIM115  # closed by close
        self._path, self._size, self._free = path, size, free
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._stream.readinto(buffer)
        self._count += found
        if self._count > allowed_bytes(self._size, free=self._free):
            n_bytes = max(self._count, self._told())
            check_declared(n_bytes, self._size, f"{self._path}, unpacked,", free=self._free)
        return found

    def _told(self) -> int:
        """Return the unpacked size that stands at the end, which is good enough for a message."""
        with self._path.open("rb") as file:
            file.seek(-_SIZE_BYTES, SEEK_END)
            return int.from_bytes(file.read(_SIZE_BYTES), "little")

    def close(self) -> None:
        self._stream.close()
        super().close()
