"""The metadata of a zarr array, checked before zarr opens it.

Formats: https://zarr-specs.readthedocs.io, versions 2 and 3. Types and codecs that are not listed
here are refused: some of them, as ``pickle``, run code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from math import ceil, prod
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from archbuild.data.formats.arrays.choice import NUMBERS, OTHER, TEXTS, Held
from archbuild.data.formats.zarr.store import ARRAY_2, NODE_3, Node

_CODECS_2: Final = frozenset(
    {"zlib", "gzip", "bz2", "lzma", "zstd", "lz4", "blosc", "shuffle", "vlen-utf8"}
    | {"crc32", "crc32c", "adler32", "fletcher32"}
)
_CODECS_3: Final = frozenset(
    {"bytes", "transpose", "gzip", "zstd", "blosc", "crc32c", "vlen-utf8", "sharding_indexed"}
)
_SHARDING: Final = "sharding_indexed"
_NUMCODECS: Final = "numcodecs."  # in front of the names of version 2 in stores of version 3
_TYPE_2: Final = re.compile(r"[<>|=]([biufSU])(\d{1,6})")
_TYPE_3: Final = re.compile(r"bool|u?int(8|16|32|64)|float(16|32|64)")
_TEXT_BYTES: Final = 16  # that a text of any length takes, at least
_MOST_AXES: Final = 32
_LARGEST: Final = 2**62


class Described(NamedTuple):
    """An array, as its metadata tell.

    Attributes:
        held: its shape, its kind, and its type in words.
        version: of the format, 2 or 3.
        chunks: the shape of what is unpacked at once.
        files: the shape of what lies in one file, which may be several chunks.
        item_bytes: of a number or a text.
        fault: why it cannot be read, ``""`` if nothing is in the way.
    """

    held: Held
    version: Literal[2, 3]
    chunks: tuple[int, ...]
    files: tuple[int, ...]
    item_bytes: int
    fault: str

    @property
    def n_bytes(self) -> int:
        """The bytes of all values."""
        return prod(self.held.shape) * self.item_bytes

    @property
    def chunk_bytes(self) -> int:
        """The bytes that a chunk is unpacked to, or of a file's list of its chunks."""
        counted = prod(ceil(of / size) for of, size in zip(self.files, self.chunks, strict=True))
        return max(prod(self.chunks) * self.item_bytes, 16 * counted)

    @property
    def n_chunks(self) -> int:
        """The number of chunks, stored or not."""
        sizes = zip(self.held.shape, self.chunks, strict=True)
        return prod(ceil(of / size) for of, size in sizes)


def described(node: Node) -> Described | None:
    """Return what an array is; ``None`` for a group.

    Raises:
        ValueError: the metadata are broken.
    """
    document = json.loads(node.metadata)
    if not isinstance(document, dict):
        raise ValueError("its metadata are no object")
    if node.kind == ARRAY_2:
        return _version_2(document)
    is_array = node.kind == NODE_3 and document.get("node_type") == "array"
    return _version_3(document) if is_array else None


def _version_2(document: Mapping[str, Any]) -> Described:
    shape = _sizes(document.get("shape"), 0)
    chunks = _sizes(document.get("chunks"), 1, len(shape))
    filters = [*_list(document.get("filters") or []), document.get("compressor")]
    names = [_name(each, "id") for each in filters if each is not None]
    kind, words, item_bytes = _type_2(document.get("dtype"), names)
    fault = _fault(kind, words, [name for name in names if name not in _CODECS_2])
    return Described(Held(shape, kind, words), 2, chunks, chunks, item_bytes, fault)


def _type_2(told: object, names: Sequence[str]) -> tuple[str, str, int]:
    if told == "|O" and "vlen-utf8" in names:
        return TEXTS, "texts", _TEXT_BYTES
    match = _TYPE_2.fullmatch(told) if isinstance(told, str) else None
    if match is None or not isinstance(told, str):
        return OTHER, str(told), _TEXT_BYTES
    dtype = np.dtype(told)
    return (TEXTS if match[1] in "SU" else NUMBERS), str(dtype), max(1, dtype.itemsize)


def _version_3(document: Mapping[str, Any]) -> Described:
    shape = _sizes(document.get("shape"), 0)
    grid = document.get("chunk_grid")
    if _name(grid, "name") != "regular":
        raise ValueError("its chunks are not all of one shape")
    files = _sizes(_settings(grid).get("chunk_shape"), 1, len(shape))
    names, chunks = _codecs_3(document.get("codecs"), files)
    kind, words, item_bytes = _type_3(document.get("data_type"))
    unknown = [name for name in names if not _is_known(name)]
    unknown += [_name(each, "name") for each in _list(document.get("storage_transformers") or [])]
    return Described(
        Held(shape, kind, words), 3, chunks, files, item_bytes, _fault(kind, words, unknown)
    )


def _codecs_3(told: object, files: tuple[int, ...]) -> tuple[list[str], tuple[int, ...]]:
    """Return the names of all codecs, and the shape of the chunks."""
    names: list[str] = []
    chunks = files
    for each in _list(told):
        name = _name(each, "name")
        names.append(name)
        if name == _SHARDING:
            settings = _settings(each)
            chunks = _sizes(settings.get("chunk_shape"), 1, len(files))
            if any(of % size for of, size in zip(files, chunks, strict=True)):
                raise ValueError("its shards are no whole number of chunks")
            for key in ("codecs", "index_codecs"):
                inner = [_name(inside, "name") for inside in _list(settings.get(key))]
                # a shard in a shard is refused
                names += [f"{_SHARDING} in itself" if of == _SHARDING else of for of in inner]
    return names, chunks


def _is_known(name: str) -> bool:
    own = name.removeprefix(_NUMCODECS)
    return name in _CODECS_3 or (own != name and own in _CODECS_2)


def _type_3(told: object) -> tuple[str, str, int]:
    if told == "string":
        return TEXTS, "texts", _TEXT_BYTES
    if isinstance(told, str) and _TYPE_3.fullmatch(told):
        return NUMBERS, told, np.dtype(told).itemsize
    if isinstance(told, dict) and told.get("name") in (
        "fixed_length_utf32",
        "null_terminated_bytes",
    ):
        (n_bytes,) = _sizes([_settings(told).get("length_bytes")], 0)
        return TEXTS, "texts", max(1, n_bytes)
    return OTHER, str(told), _TEXT_BYTES


def _fault(kind: str, words: str, unknown: Sequence[str]) -> str:
    if kind == OTHER:
        return f"holds values of the type {words[:60]}; expected numbers or texts"
    if unknown:
        return (
            f"is packed by '{unknown[0][:60]}', which is not read, since what is not known may run "
            "code or unpack to anything; write it with zstd, gzip or blosc"
        )
    return ""


def _sizes(told: object, least: int, count: int | None = None) -> tuple[int, ...]:
    sizes = tuple(_list(told))
    sound = all(type(size) is int and least <= size < _LARGEST for size in sizes)
    if not sound or len(sizes) > _MOST_AXES or count not in (None, len(sizes)):
        raise ValueError("a shape in its metadata is none, or does not fit another")
    return sizes


def _list(told: object) -> list[Any]:
    if not isinstance(told, list):
        raise ValueError("a list is missing in its metadata")
    return told


def _name(told: object, key: str) -> str:
    """Return the name of a codec or the like: an object has it under a key."""
    name = told.get(key) if isinstance(told, dict) else told
    if not isinstance(name, str):
        raise ValueError("a name is missing in its metadata")
    return name


def _settings(told: object) -> Mapping[str, Any]:
    found = told.get("configuration") if isinstance(told, dict) else None
    if not isinstance(found, dict):
        raise ValueError("settings are missing in its metadata")
    return found
