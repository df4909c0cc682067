"""Keep every file of a run below the folder that the user named, whatever links lie in it.

A run folder may come from an unknown source. The user's own ``--out`` may be a link, and so may a
file that the user names (``--output``); below ``--out`` no symbolic link is followed for writing,
and none that leaves it for reading.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from archbuild.errors import RunError


def named_by_user(path: str | os.PathLike[str]) -> Path:
    """Return the file that a path given by the user stands for: its links are followed."""
    return Path(os.path.realpath(path))


def has_no_links(path: Path, below: Path) -> bool:
    """Return whether no part of ``path`` after the folder ``below`` is a symbolic link."""
    return not any(part.is_symlink() for part in _parts(path, below))


def refuse_links(path: Path, below: Path) -> Path:
    """Return ``path``, a folder to write to, after a check that no link leads away from it.

    Args:
        path: the folder; it need not exist.
        below: a folder above it that the user named, which may be a link itself.

    Raises:
        RunError: a part of ``path`` after ``below`` is a symbolic link; names it.
    """
    for part in _parts(path, below):
        if part.is_symlink():
            raise RunError(
                f"{part} is a symbolic link, and nothing is written through one; expected a "
                "folder: remove the link, or choose another --out"
            )
    return path


def make_folder(path: Path, below: Path) -> None:
    """Make a folder and those above it; raises as :func:`refuse_links`, and ``OSError``."""
    refuse_links(path, below).mkdir(parents=True, exist_ok=True)


def readable(path: Path, below: Path) -> Path:
    """Return ``path``, a file to read, after a check that its links stay below ``below``.

    Raises:
        RunError: it lies outside, once its links are followed; names both.
    """
    if has_no_links(path, below):
        return path
    target = Path(os.path.realpath(path))
    if not target.is_relative_to(os.path.realpath(below)):
        raise RunError(
            f"{path} leads to {target}, which is outside of {below}; expected the file itself, "
            "not a symbolic link: copy the file there"
        )
    return path


def remove_link(path: Path) -> None:
    """Remove ``path`` if it is a symbolic link, so that what opens it next makes a file."""
    if path.is_symlink():
        path.unlink()


def _parts(path: Path, below: Path) -> Iterator[Path]:
    place = Path(below)
    for name in Path(path).relative_to(below).parts:
        place = place / name
        yield place
