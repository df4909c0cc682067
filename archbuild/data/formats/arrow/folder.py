"""A folder of Parquet files, as Hugging Face keeps a dataset: ``train-00000-of-00002.parquet``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from archbuild.data.formats.below import below
from archbuild.data.formats.images.layout import SPLITS
from archbuild.data.guess import Guess

PARQUET = (".parquet", ".pq")

_ALL = ""
_WORD = re.compile(r"[A-Za-z]+")


def arrow_parts(folder: Path) -> Mapping[str, list[Path]]:
    """Return the Parquet files below a folder by part, ``train``, ``val`` or ``test``.

    The word that a file's name begins with says its part. Where one has no such word, all files
    are one part, ``""``; ``{}`` where there are none.
    """
    files = list(_parquet_below(folder))
    parts = [_part_of(path) for path in files]
    if not files or not all(parts):
        return {_ALL: files} if files else {}
    by_part: dict[str, list[Path]] = {part: [] for part in dict.fromkeys(SPLITS.values())}
    for path, part in zip(files, parts, strict=True):
        by_part[part].append(path)
    return {part: files for part, files in by_part.items() if files}


def wanted_files(folder: Path, split: str | None) -> tuple[list[Path], Guess]:
    """Return the files of the part that is wanted, else of all, and what is said about them."""
    parts = arrow_parts(folder)
    files = [path for part, paths in parts.items() if split in (None, part) for path in paths]
    names = ", ".join(f"{part or 'all'} ({len(paths)})" for part, paths in parts.items())
    if split is not None:
        return files, Guess("parts", f"the {split} rows of the files {names}")
    each = " and ".join(f"{folder.resolve().name}-{part.upper()}" for part in parts if part)
    more = f"; {each} name one each" if len(parts) > 1 else ""
    return files, Guess("parts", f"the files {names}, one below the other{more}")


def _parquet_below(folder: Path) -> Iterator[Path]:
    there = below(folder)
    return (path for path in there if path.suffix.lower() in PARQUET and path.is_file())


def _part_of(path: Path) -> str:
    word = _WORD.match(path.name)
    return SPLITS.get(word[0].lower(), "") if word else ""
