"""List what is below a folder of a user's data, each folder once, whatever links lie in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from archbuild.errors import DataError

DEEPEST: Final = 64
"""So many folders may lie inside one another."""


def is_hidden(name: str) -> bool:
    """Return whether systems hide a file or folder of a name, as ``__MACOSX`` is meant to be."""
    return name.startswith((".", "__"))


def below(folder: Path, *, hidden: bool = False) -> Iterator[Path]:
    """Yield what is in a folder and in the folders inside, in the order of the paths.

    A folder is gone through once: links to folders around it, inside it, or seen already, are
    yielded as they are. Otherwise a few links could make any number of paths.

    Args:
        folder: to begin at.
        hidden: whether hidden files are yielded, and hidden folders gone through.

    Yields:
        Files, what is neither a file nor a folder (pipes, devices, broken links), and links to
        folders that are not followed.

    Raises:
        DataError: folders lie inside one another more than ``DEEPEST`` deep.
    """
    return _below(folder, Path(os.path.realpath(folder)), {_identity(folder)}, hidden, 0)


def folders_in(folder: Path) -> list[Path]:
    """Return the folders in a folder that ``below`` goes through, hidden ones left out."""
    top, seen = Path(os.path.realpath(folder)), {_identity(folder)}
    return [
        path
        for path in sorted(folder.iterdir())
        if not is_hidden(path.name) and path.is_dir() and _is_new(path, top, seen)
    ]


def _below(
    folder: Path, top: Path, seen: set[tuple[int, int]], hidden: bool, depth: int
) -> Iterator[Path]:
    if depth > DEEPEST:
        raise DataError(
            f"{top} has folders inside one another, more than {DEEPEST} deep; move what is to be "
            "read into a folder of its own"
        )
    for path in sorted(folder.iterdir()):
        if not hidden and is_hidden(path.name):
            continue
        if path.is_dir() and _is_new(path, top, seen):
            yield from _below(path, top, seen, hidden, depth + 1)
        else:
            yield path


def _is_new(folder: Path, top: Path, seen: set[tuple[int, int]]) -> bool:
    """Return whether a folder is to be gone through, and note it."""
    if folder.is_symlink():
        target = Path(os.path.realpath(folder))
        if target.is_relative_to(top) or top.is_relative_to(target):
            return False
    place = _identity(folder)
    is_new = place not in seen
    seen.add(place)
    return is_new


def _identity(folder: Path) -> tuple[int, int]:
    state = folder.stat()
    return state.st_dev, state.st_ino
