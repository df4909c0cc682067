"""Bytes changed: flipped, cut, moved, set to extremes; inside of packed files as well."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from random import Random
from typing import Final

from benchmarks.attack.records import contents, framed

_BYTES: Final = (0, 1, 0x0A, 0x22, 0x2C, 0x2D, 0x39, 0x40, 0x7F, 0x80, 0xFE, 0xFF)
_NUMBERS: Final = (
    *(0, 1, 2, 7, 2**8 - 1, 2**15, 2**16 - 1, 2**24, 2**28, 2**31 - 1, 2**31, 2**32 - 1),
    *(2**33, 2**40, 2**48, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1),
)
_CHANGES: Final = (1, 1, 1, 1, 2, 2, 3, 6)
_HEAD: Final = 200  # bytes that are changed more often than others
_MOST: Final = 2**20  # bytes of an input
_STILL: Final = (1980, 1, 1, 0, 0, 0)  # the time in an archive, so that its bytes are the same

Unpack = Callable[[bytes, Random], tuple[bytes, Callable[[bytes], bytes]]]
"""From a packed file to something inside of it, and the way back."""


def mutated(content: bytes, others: list[bytes], rng: Random) -> bytes:
    """Return bytes with one to six changes.

    Args:
        content: to be changed.
        others: files of the same kind, of which parts may be taken.
        rng: decides.
    """
    changed = bytearray(content)
    for _ in range(rng.choice(_CHANGES)):
        if changed:
            rng.choice(_WAYS)(changed, others, rng)
    return bytes(changed[:_MOST])


def _place(changed: bytearray, rng: Random) -> int:
    end = min(len(changed), _HEAD) if rng.random() < 0.4 else len(changed)
    return rng.randrange(end)


def _flip(changed: bytearray, others: list[bytes], rng: Random) -> None:
    changed[_place(changed, rng)] ^= 1 << rng.randrange(8)


def _set(changed: bytearray, others: list[bytes], rng: Random) -> None:
    changed[_place(changed, rng)] = rng.choice(_BYTES)


def _number(changed: bytearray, others: list[bytes], rng: Random) -> None:
    size, code = rng.choice(((2, "H"), (4, "I"), (4, "I"), (8, "Q"), (8, "Q")))
    place = _place(changed, rng)
    place -= place % size if rng.random() < 0.7 else 0
    number = rng.choice(_NUMBERS) % 2 ** (8 * size)
    changed[place : place + size] = struct.pack(rng.choice("<>") + code, number)


def _cut(changed: bytearray, others: list[bytes], rng: Random) -> None:
    del changed[_place(changed, rng) :]


def _drop(changed: bytearray, others: list[bytes], rng: Random) -> None:
    place = _place(changed, rng)
    del changed[place : place + rng.choice((1, 2, 4, 8, 100))]


def _insert(changed: bytearray, others: list[bytes], rng: Random) -> None:
    place = _place(changed, rng)
    changed[place:place] = rng.randbytes(rng.choice((1, 1, 2, 4, 8, 64)))


def _copy(changed: bytearray, others: list[bytes], rng: Random) -> None:
    start, place, length = _place(changed, rng), _place(changed, rng), rng.choice((4, 8, 16, 64))
    changed[place : place + length] = changed[start : start + length]


def _repeat(changed: bytearray, others: list[bytes], rng: Random) -> None:
    start = _place(changed, rng)
    part = changed[start : start + rng.choice((1, 8, 64, 512))]
    changed[start:start] = part * min(rng.choice((2, 50, 3000)), 200_000 // max(1, len(part)))


def _splice(changed: bytearray, others: list[bytes], rng: Random) -> None:
    other = rng.choice(others)
    place = _place(changed, rng)
    start = rng.randrange(len(other)) if rng.random() < 0.5 else min(place, len(other))
    changed[place:] = other[start:]


def _digits(changed: bytearray, others: list[bytes], rng: Random) -> None:
    """Replace a number in text, such as one in the header of a ``.npy`` file."""
    places = [place for place, byte in enumerate(changed[:4000]) if 0x30 <= byte <= 0x39]
    if places:
        place = rng.choice(places)
        text = rng.choice((b"0", b"-1", b"1e999", b"9" * 9, b"9" * 25, b"True", b"nan", b"()"))
        changed[place : place + 1] = text


_WAYS: Final = (
    *(_flip, _flip, _set, _set, _number, _number, _number, _cut),
    *(_drop, _insert, _copy, _repeat, _splice, _digits),
)


def in_zip(content: bytes, rng: Random) -> tuple[bytes, Callable[[bytes], bytes]]:
    """Take a member out of an archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    chosen = rng.choice(list(members))
    return members[chosen], lambda changed: zipped({**members, chosen: changed})


def in_gzip(content: bytes, rng: Random) -> tuple[bytes, Callable[[bytes], bytes]]:
    """Unpack a gzipped file."""
    return gzip.decompress(content), lambda changed: gzip.compress(changed, 6, mtime=0)


def in_record(content: bytes, rng: Random) -> tuple[bytes, Callable[[bytes], bytes]]:
    """Take a record out of a file of TensorFlow; what it becomes gets its own checksums."""
    found = contents(content)
    chosen = rng.randrange(len(found))

    def packed(changed: bytes) -> bytes:
        return b"".join(map(framed, [*found[:chosen], changed, *found[chosen + 1 :]]))

    return found[chosen], packed


def in_packed_mat(content: bytes, rng: Random) -> tuple[bytes, Callable[[bytes], bytes]]:
    """Unpack the first variable of a file of MATLAB whose variables are packed."""
    head, (kind, length) = content[:128], struct.unpack("<2I", content[128:136])
    rest = content[136 + length :]

    def packed(changed: bytes) -> bytes:
        again = zlib.compress(changed)
        return head + struct.pack("<2I", kind, len(again)) + again + rest

    return zlib.decompress(content[136 : 136 + length]), packed


def in_png(content: bytes, rng: Random) -> tuple[bytes, Callable[[bytes], bytes]]:
    """Take the content of a chunk out of a PNG, whose checksum is computed again."""
    chunks, place = [], 8
    while place < len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        kind = content[place + 4 : place + 8]
        chunks.append([kind, content[place + 8 : place + 8 + length]])
        place += length + 12
    chosen = rng.randrange(len(chunks))

    def whole(changed: bytes) -> bytes:
        chunks[chosen][1] = changed
        return content[:8] + b"".join(
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in chunks
        )

    return chunks[chosen][1], whole


def zipped(members: dict[str, bytes]) -> bytes:
    """Return an archive whose bytes do not depend on the time."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _STILL), content, zipfile.ZIP_DEFLATED)
    return file.getvalue()
