"""The header of a ``.npy`` array, looked at before Python parses it as the text that it is."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

_READERS: Final = {
    (1, 0): (2, np.lib.format.read_array_header_1_0),
    (2, 0): (4, np.lib.format.read_array_header_2_0),
}
"""Version -> how many bytes its header's length takes, and what reads the header."""

_LONGEST: Final = 10_000  # NumPy reads no longer ones either
_PLAIN: Final = re.compile(rb"[\x20-\x7e\n]*")


@contextmanager
def without_warnings() -> Iterator[None]:
    """Suppress NumPy's warning of headers that Python 2 wrote, which are read all the same."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*additional header parsing", UserWarning)
        yield


def read_header(stream: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return the shape that an array declares, whether columns are first, and the type.

    NumPy gives the header to Python's own parser, which is for text: other bytes are refused.

    Args:
        stream: of bytes, at the beginning of the array; it is left behind the header.

    Raises:
        ValueError: the version is not known, or the header is broken; NumPy raises other errors
            as well for the latter.
    """
    version = np.lib.format.read_magic(stream)
    if version not in _READERS:
        raise ValueError(f"the .npy version {version[0]}.{version[1]} is not known")
    n_bytes, read = _READERS[version]
    begin = stream.tell()
    length = int.from_bytes(stream.read(n_bytes), "little")
    if length > _LONGEST:
        raise ValueError(f"its header takes {length:,} bytes, and {_LONGEST:,} at most can be")
    if _PLAIN.fullmatch(stream.read(length)) is None:
        raise ValueError("its header is no text")
    stream.seek(begin)
    with without_warnings():
        shape, is_by_columns, dtype = read(stream)
    return shape, is_by_columns, dtype
