"""The records of TFRecord files: their lengths and checksums are checked before they are used.

==========  ======================================================
bytes       hold
==========  ======================================================
8           the length of the record, little-endian
4           the masked CRC-32C of these 8 bytes
the length  the record
4           the masked CRC-32C of the record
==========  ======================================================

Source: TensorFlow, ``tensorflow/core/lib/io/record_writer.h``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from archbuild.data.formats.packed import Content, open_gzip
from archbuild.data.formats.tfrecord.checksum import masked_crc
from archbuild.data.limits import allowed_bytes, check_records
from archbuild.errors import DataError

_LENGTH_BYTES: Final = 8
_CRC_BYTES: Final = 4
_HEADER_BYTES: Final = _LENGTH_BYTES + _CRC_BYTES
_GZIP_MAGIC: Final = b"\x1f\x8b"
_LARGEST: Final = 2**31 - 1
"""Protocol buffers, which records are, have no more bytes."""


class Record(NamedTuple):
    """A record, and where it is.

    Attributes:
        content: its bytes, which have the checksum that they should.
        path: of its file.
        number: among the records of the file, from 0.
        offset: of the first byte in front of it, in the file or what it unpacks to.
    """

    content: bytes
    path: Path
    number: int
    offset: int

    @property
    def place(self) -> str:
        """The file, number and offset, in words."""
        return _place(self.path, self.number, self.offset)


@dataclass(frozen=True)
class Records:
    """The records of one file or of several, one below the other.

    Attributes:
        paths: of the files, at least one.
    """

    paths: Sequence[Path]

    @cached_property
    def stored(self) -> int:
        """The bytes that the files take on the disk."""
        return sum(path.stat().st_size for path in self.paths)

    @cached_property
    def count(self) -> int:
        """The number of records; only their lengths are read.

        Raises:
            DataError: a file is cut short or damaged, or packed and has too many for its size.
        """
        return sum(_count(path) for path in self.paths)

    def __iter__(self) -> Iterator[Record]:
        """Yield the records in order.

        Raises:
            DataError: a file is cut short or damaged.
        """
        for path in self.paths:
            with _opened(path) as (file, size):
                offset = 0
                for number, length in enumerate(_lengths(path, file, size)):
                    content = _content(file, length, path, number, offset)
                    yield Record(content, path, number, offset)
                    offset += _HEADER_BYTES + length + _CRC_BYTES


def _count(path: Path) -> int:
    count = offset = 0
    with _opened(path) as (file, size):
        stored = path.stat().st_size
        for length in _lengths(path, file, size):
            if size is None:
                _skip(file, length + _CRC_BYTES, path, count, offset)
                check_records(count + 1, stored, f"{path}, unpacked,")
            else:
                file.seek(length + _CRC_BYTES, 1)
            count, offset = count + 1, offset + _HEADER_BYTES + length + _CRC_BYTES
    return count


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Content, int | None]]:
    """Give a file, and its size; one packed by gzip is unpacked, and its size is not known."""
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
        file.seek(0)
        if head.startswith(_GZIP_MAGIC) and not _is_sound(head):
            with open_gzip(path) as content:
                yield content, None
        else:
            yield file, path.stat().st_size


def _lengths(path: Path, file: Content, size: int | None) -> Iterator[int]:
    """Yield the length of each record, and expect the file to stand behind it afterwards."""
    number = offset = 0
    largest = min(_LARGEST, allowed_bytes(path.stat().st_size)) if size is None else _LARGEST
    while head := file.read(_HEADER_BYTES):
        if len(head) < _HEADER_BYTES:
            there = f"{len(head)} of the {_HEADER_BYTES} bytes in front of it"
            raise _cut(_place(path, number, offset), there)
        if not _is_sound(head):
            raise _unsound(_place(path, number, offset), is_first=number == 0)
        length = int.from_bytes(head[:_LENGTH_BYTES], "little")
        end = offset + _HEADER_BYTES + length + _CRC_BYTES
        if size is not None and end > size:
            left = size - offset - _HEADER_BYTES
            there = f"{left:,} of its {length + _CRC_BYTES:,} bytes"
            raise _cut(_place(path, number, offset), there)
        if length > largest:
            raise DataError(
                f"{_place(path, number, offset)} says that it has {length:,} bytes, and at most "
                f"{largest:,} are expected here; the file is damaged or no TFRecord, so copy or "
                "write it again"
            )
        yield length
        number, offset = number + 1, end


def _content(file: Content, length: int, path: Path, number: int, offset: int) -> bytes:
    content, crc = file.read(length), file.read(_CRC_BYTES)
    if len(content) < length or len(crc) < _CRC_BYTES:
        there = f"{len(content) + len(crc):,} of its {length + _CRC_BYTES:,} bytes"
        raise _cut(_place(path, number, offset), there)
    if masked_crc(content) != int.from_bytes(crc, "little"):
        raise DataError(
            f"{_place(path, number, offset)} has another checksum than the one stored with it, so "
            "its bytes were changed after they were written; copy the file again"
        )
    return content


def _skip(file: Content, n_bytes: int, path: Path, number: int, offset: int) -> None:
    """Read bytes of a packed file that nobody wants, some at a time."""
    left = n_bytes
    while left:
        part = file.read(min(left, 2**20))
        if not part:
            there = f"{n_bytes - left:,} of its {n_bytes:,} bytes"
            raise _cut(_place(path, number, offset), there)
        left -= len(part)


def _place(path: Path, number: int, offset: int) -> str:
    return f"{path}: record {number} (counted from 0, at byte {offset:,})"


def _is_sound(head: bytes) -> bool:
    stored = int.from_bytes(head[_LENGTH_BYTES:], "little")
    return len(head) == _HEADER_BYTES and masked_crc(head[:_LENGTH_BYTES]) == stored


def _cut(place: str, there: str) -> DataError:
    return DataError(f"{place} is cut short: {there} are there; copy or write the file again")


def _unsound(place: str, *, is_first: bool) -> DataError:
    other = (
        ", or is no TFRecord, or one packed by ZLIB, which is not read (write it with GZIP)"
        if is_first
        else ""
    )
    return DataError(
        f"{place} has a length with another checksum than the one stored with it, so the file was "
        f"changed after it was written{other}; copy it again"
    )
