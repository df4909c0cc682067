"""CRC-32C (Castagnoli), by which TFRecord files check their records.

A CRC is linear over bits: that of a block is the exclusive or of what each byte contributes at its
place. So NumPy looks all bytes of a block up at once. Polynomial: RFC 3720, section 12.1; the mask:
TensorFlow, ``tensorflow/core/lib/hash/crc32c.h``.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

_POLYNOMIAL: Final = 0x82F63B78  # bits in reverse
_BLOCK: Final = 1024  # bytes
_AT_A_TIME = 1024  # blocks
_ONES: Final = 0xFFFFFFFF
_MASK: Final = 0xA282EAD8


def masked_crc(content: bytes) -> int:
    """Return the checksum of bytes as TFRecord stores it."""
    crc = crc32c(content)
    return (((crc >> 15) | (crc << 17)) + _MASK) & _ONES


def crc32c(content: bytes) -> int:
    """Return the CRC-32C of bytes."""
    if len(content) < 16:  # NumPy takes longer to begin
        crc, steps = _ONES, _steps()
        for byte in content:
            crc = steps[(crc ^ byte) & 0xFF] ^ (crc >> 8)
        return crc ^ _ONES
    table, places = _table()
    padded = np.zeros(-(-len(content) // _BLOCK) * _BLOCK, np.uint8)
    start = len(padded) - len(content)
    padded[start:] = np.frombuffer(content, np.uint8)
    padded[start : start + 4] ^= 0xFF  # the register begins with ones
    if len(padded) == _BLOCK:
        return int(np.bitwise_xor.reduce(table[padded[start:] + places[start:]])) ^ _ONES
    blocks = padded.reshape(-1, _BLOCK)
    crc = 0
    for first in range(0, len(blocks), _AT_A_TIME):
        some = table[blocks[first : first + _AT_A_TIME] + places]
        for own in np.bitwise_xor.reduce(some, axis=1).tolist():
            crc = _moved_by_block(crc) ^ own
    return crc ^ _ONES


@cache
def _steps() -> list[int]:
    """Return, for each byte, the register after it, from 0."""
    register = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        register = np.where(register & 1, (register >> 1) ^ _POLYNOMIAL, register >> 1)
    return [int(each) for each in register]


@cache
def _table() -> tuple[np.ndarray, np.ndarray]:
    """Return what each byte contributes at each place of a block, flat, and where places begin."""
    steps = np.array(_steps(), np.uint32)
    table = np.empty((_BLOCK, 256), np.uint32)
    table[-1] = steps
    for place in range(_BLOCK - 2, -1, -1):
        later = table[place + 1]
        table[place] = steps[later & 0xFF] ^ (later >> 8)
    return table.reshape(-1), np.arange(_BLOCK, dtype=np.int32) * 256


def _moved_by_block(register: int) -> int:
    """Return a register after as many bytes of 0 as a block has."""
    one, two, three, four = _moved()
    return (
        one[register & 0xFF]
        ^ two[(register >> 8) & 0xFF]
        ^ three[(register >> 16) & 0xFF]
        ^ four[register >> 24]
    )


@cache
def _moved() -> tuple[list[int], ...]:
    # the bytes of the register stand at the first places of the block
    table = _table()[0].reshape(_BLOCK, 256)
    return tuple([int(each) for each in table[place]] for place in range(4))
