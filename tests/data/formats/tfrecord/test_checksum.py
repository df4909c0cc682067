from __future__ import annotations

import numpy as np
import pytest

from archbuild.data.formats.tfrecord.checksum import crc32c, masked_crc


def slow(content: bytes) -> int:
    """Bit by bit, as the polynomial says."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_known_values():
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720, appendix B.4
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert masked_crc(b"") == 0xA282EAD8


@pytest.mark.parametrize("length", [0, 1, 3, 15, 16, 17, 784, 1023, 1024, 1025, 2047, 2048, 5000])
def test_every_length_gives_the_remainder_of_the_polynomial(length):
    content = np.random.default_rng(length).integers(0, 256, length, dtype=np.uint8).tobytes()
    assert crc32c(content) == slow(content)


def test_content_of_several_parts(monkeypatch):
    content = np.arange(9 * 1024 + 5).astype(np.uint8).tobytes()
    whole = crc32c(content)
    monkeypatch.setattr("archbuild.data.formats.tfrecord.checksum._AT_A_TIME", 2)
    assert crc32c(content) == whole == slow(content)
