"""Files of bytes that may be packed by gzip, whatever their names say."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from archbuild.errors import DataError

Content = gzip.GzipFile | IO[bytes]
"""An open file, unpacked while it is read."""

_GZIP_MAGIC = b"\x1f\x8b"


@contextmanager
def unpacked(path: Path) -> Iterator[Content]:
    """Open a file, gzipped or not, for the time of the block.

    Raises:
        DataError: it cannot be read to its end, or its packing is damaged.
    """
    try:
        with path.open("rb") as file:
            is_packed = file.read(2) == _GZIP_MAGIC
        with gzip.open(path, "rb") if is_packed else path.open("rb") as content:
            yield content
    except (EOFError, zlib.error, OSError) as error:
        raise DataError(f"{path} cannot be read to its end ({error}); download it again") from error
