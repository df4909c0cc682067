"""Pictures inside a page: PNG files as data URIs, shrunk where together they are too large."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

_BYTES = 6 * 2**20
_STEP = 0.75


@dataclass(frozen=True)
class Embedded:
    """A picture that a page holds itself.

    Attributes:
        uri: what ``src`` takes.
        width: in pixels.
        height: likewise.
    """

    uri: str
    width: int
    height: int


def embed(paths: Sequence[Path], limit: int = _BYTES) -> dict[Path, Embedded]:
    """Embed the PNG files at ``paths``, made smaller where they exceed ``limit`` bytes."""
    contents, scale = [path.read_bytes() for path in paths], 1.0
    while sum(map(len, contents)) > limit:
        scale *= _STEP
        contents = [_shrunk(path, scale) for path in paths]
    return {
        path: Embedded(data_uri(content, "png"), *_size(content))
        for path, content in zip(paths, contents, strict=True)
    }


def data_uri(content: bytes, kind: str) -> str:
    """Return an image of a kind, ``png`` or ``jpeg``, as text that stands for its address."""
    return f"data:image/{kind};base64,{b64encode(content).decode('ascii')}"


def _size(content: bytes) -> tuple[int, int]:
    from PIL import Image

    with Image.open(BytesIO(content)) as image:
        return image.size


def _shrunk(path: Path, scale: float) -> bytes:
    from PIL import Image

    stream = BytesIO()
    with Image.open(path) as image:
        size = [max(1, round(scale * side)) for side in image.size]
        image.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(stream, "png")
    return stream.getvalue()
