"""The files of a zarr store: what is there, and how large it is, before anything is opened."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from archbuild.data.formats.below import DEEPEST
from archbuild.data.formats.zipped import check_members
from archbuild.errors import DataError

ARRAY_2: Final = ".zarray"
GROUP_2: Final = ".zgroup"
NODE_3: Final = "zarr.json"
_METADATA: Final = frozenset({ARRAY_2, GROUP_2, NODE_3})
_MOST_METADATA: Final = 2**20  # bytes of a file; that of an array has some hundred
_MOST_NODES: Final = 10_000
_MOST_MEMBERS: Final = 2_000_000  # of a zip archive: a file for each chunk


class Node(NamedTuple):
    """A group or an array.

    Attributes:
        path: in the store; ``""`` for its root.
        kind: the name of its file of metadata: ``ARRAY_2``, ``GROUP_2`` or ``NODE_3``.
        metadata: the content of that file.
        stored: the bytes of all files in it, at any depth.
    """

    path: str
    kind: str
    metadata: bytes
    stored: int


def is_store(folder: Path) -> bool:
    """Return whether a folder is called a store, or has the metadata of one."""
    named = folder.name.lower().endswith(".zarr")
    return named or any((folder / name).is_file() for name in _METADATA)


def nodes_of(path: Path) -> list[Node]:
    """Return the groups and arrays of a store, in the order of their paths.

    Raises:
        DataError: there are links, or something that is no file, in a folder; it is no store; or
            an archive declares more than honest ones do.
    """
    found = sorted(_in_folder(path) if path.is_dir() else _in_archive(path))
    if not found:
        raise DataError(
            f"{path} has no {ARRAY_2}, {GROUP_2} or {NODE_3} in it, so it is no zarr store; copy "
            "it again, with hidden files"
        )
    return found


@contextmanager
def opened(path: Path) -> Iterator[object]:
    """Give a store as zarr takes it.

    Raises:
        DataError: zarr is not installed, or a version before 3.
    """
    try:
        from zarr.storage import LocalStore, ZipStore
    except ImportError as error:
        raise DataError(
            f"{path} is a zarr store, and reading it needs zarr 3, which is not installed: pip "
            "install 'archbuild[zarr]'"
        ) from error
    store = LocalStore(path, read_only=True) if path.is_dir() else ZipStore(path, mode="r")
    try:
        yield store
    finally:
        with suppress(AttributeError):  # an archive that was never read has nothing to close
            store.close()


def _in_folder(top: Path) -> Iterator[Node]:
    kinds: dict[str, list[str]] = {}
    sizes: dict[str, int] = {}

    def size_of(folder: str, depth: int) -> int:
        """Return the bytes of all files in a folder, and note those of nodes."""
        if depth > DEEPEST:
            raise DataError(f"{top} has folders inside one another, more than {DEEPEST} deep")
        n_bytes, found = 0, []
        with os.scandir(top / folder) as entries:
            for entry in entries:
                inside = f"{folder}/{entry.name}".lstrip("/")
                if entry.is_dir(follow_symlinks=False):
                    n_bytes += size_of(inside, depth + 1)
                    continue
                _refuse_special(top, inside, entry)
                n_bytes += entry.stat().st_size
                found += [entry.name] if entry.name in _METADATA else []
        if found:
            kinds[folder], sizes[folder] = found, n_bytes
            _check_nodes(top, len(kinds))
        return n_bytes

    size_of("", 0)
    for folder, names in kinds.items():
        for kind in names:
            place = top / folder / kind
            _check_short(place, place.stat().st_size)
            yield Node(folder, kind, place.read_bytes(), sizes[folder])


def _refuse_special(top: Path, inside: str, entry: os.DirEntry[str]) -> None:
    if not entry.is_file(follow_symlinks=False):
        raise DataError(
            f"{top}: '{inside}' is a link, or no file; links in a zarr store are not followed: "
            "copy what they lead to into the store"
        )


def _in_archive(path: Path) -> Iterator[Node]:
    with zipfile.ZipFile(path) as archive:
        check_members(archive, path, most=_MOST_MEMBERS)
        members = archive.infolist()
        named = [info for info in members if info.filename.rpartition("/")[2] in _METADATA]
        _check_nodes(path, len(named))
        sizes = {info.filename.rpartition("/")[0]: 0 for info in named}
        for info in members:
            folder = info.filename
            while folder:
                folder = folder.rpartition("/")[0]
                if folder in sizes:
                    sizes[folder] += info.compress_size
        for info in named:
            folder, _, kind = info.filename.rpartition("/")
            _check_short(path / info.filename, info.file_size)
            yield Node(folder, kind, archive.read(info), sizes[folder])


def _check_nodes(path: Path, count: int) -> None:
    if count > _MOST_NODES:
        raise DataError(
            f"{path} has more than {_MOST_NODES:,} groups and arrays; copy those that are to be "
            "read into a store of their own"
        )


def _check_short(place: Path, n_bytes: int) -> None:
    if n_bytes > _MOST_METADATA:
        raise DataError(
            f"{place} has {n_bytes:,} bytes, and metadata of an array take some hundred; the store "
            "is damaged, so copy or write it again"
        )
