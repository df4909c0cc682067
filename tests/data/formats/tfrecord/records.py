"""Files of records, and images to put into them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.attack.records import example, framed


def write(path: Path, records: Iterable[Mapping[str, Any] | bytes]) -> str:
    contents = (each if isinstance(each, bytes) else example(each) for each in records)
    path.write_bytes(b"".join(map(framed, contents)))
    return str(path)


def picture(value: int, shape: tuple[int, ...] = (4, 5), kind: str = "PNG") -> bytes:
    file = BytesIO()
    image = (np.arange(np.prod(shape)).reshape(shape) + value).astype(np.uint8)
    Image.fromarray(image).save(file, kind)
    return file.getvalue()
