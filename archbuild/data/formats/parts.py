"""A folder of files that are one dataset, in parts by their names.

So Hugging Face keeps them, ``train-00000-of-00002.parquet``, and TensorFlow Datasets,
``mnist-train.tfrecord-00000-of-00002``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from archbuild.data.formats.below import below
from archbuild.data.formats.images.layout import SPLITS
from archbuild.data.guess import Guess

_ALL = ""
_WORD = re.compile(r"[A-Za-z]+")


def parts_below(folder: Path, is_one: Callable[[Path], bool]) -> Mapping[str, list[Path]]:
    """Return the files of a kind below a folder by part, ``train``, ``val`` or ``test``.

    The word that a file's name begins with says its part, or else the last one in front of its
    first point. Where one has no such word, all files are one part, ``""``; ``{}`` where there are
    none.

    Args:
        folder: to look in.
        is_one: whether a path has a name of the kind.
    """
    files = [path for path in below(folder) if is_one(path) and path.is_file()]
    parts = [_part_of(path) for path in files]
    if not files or not all(parts):
        return {_ALL: files} if files else {}
    by_part: dict[str, list[Path]] = {part: [] for part in dict.fromkeys(SPLITS.values())}
    for path, part in zip(files, parts, strict=True):
        by_part[part].append(path)
    return {part: files for part, files in by_part.items() if files}


def wanted_files(
    folder: Path, parts: Mapping[str, list[Path]], split: str | None
) -> tuple[list[Path], Guess]:
    """Return the files of the part that is wanted, else of all, and what is said about them."""
    files = [path for part, paths in parts.items() if split in (None, part) for path in paths]
    names = ", ".join(f"{part or 'all'} ({len(paths)})" for part, paths in parts.items())
    if split is not None:
        return files, Guess("parts", f"the {split} rows of the files {names}")
    each = " and ".join(f"{folder.resolve().name}-{part.upper()}" for part in parts if part)
    more = f"; {each} name one each" if len(parts) > 1 else ""
    return files, Guess("parts", f"the files {names}, one below the other{more}")


def _part_of(path: Path) -> str:
    words = _WORD.findall(path.name.partition(".")[0])
    is_first = words and path.name.startswith(words[0])
    tried = (words[0] if is_first else "", words[-1] if words else "")
    return next((SPLITS[word.lower()] for word in tried if word.lower() in SPLITS), "")
