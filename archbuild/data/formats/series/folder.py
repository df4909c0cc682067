"""A folder that holds ``NAME_TRAIN`` and ``NAME_TEST``, as the UCR and UEA archives keep a dataset.

Of several files with the same series ``.ts`` counts before ``.tsv`` and ``.txt``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from archbuild.data.formats.below import below, is_hidden
from archbuild.data.formats.series.ucr import (
    AS_TABLE,
    NO_LABEL_KEY,
    PARTS,
    archive_parts,
    is_archive_table,
    read_series,
)
from archbuild.data.guess import Guess, listed
from archbuild.data.request import Arrays, ReadRequest
from archbuild.errors import DataError

_SUFFIXES = (".ts", ".tsv", ".txt", ".csv")


def read_series_folder(request: ReadRequest) -> Arrays:
    """Return the series of both parts, or of the one that is wanted, as those of one file.

    Raises:
        DataError: the folder holds several datasets, ``data.header`` is given, or as ``read_ts``.
    """
    if request.options.header is not None:
        raise DataError(
            f"{request.path} holds series, and data.header is for tables, which are read one by "
            "one; give the path of a file, or leave it out"
        )
    parts = series_parts(request.path)
    wanted = {part: path for part, path in parts.items() if request.split in (None, part)}
    arrays = read_series([*wanted.values()], request)
    said = (_say_parts(request, parts), *_say_left_out(request.path, parts))
    return arrays._replace(guesses=(*said, *map(_for_folder, arrays.guesses)))


def _for_folder(guess: Guess) -> Guess:
    """Return a guess that a folder's keys overrule: it is read as no table."""
    return guess._replace(overrule=NO_LABEL_KEY) if guess.overrule == AS_TABLE else guess


def series_parts(folder: Path) -> Mapping[str, Path]:
    """Return the files of a folder's dataset by part, ``train`` and ``test``; ``{}`` if none.

    A folder that holds nothing but another one is seen through.

    Raises:
        DataError: there are several datasets.
    """
    found = _datasets(folder)
    if len({name for name, _ in found}) > 1:
        names = listed(sorted({name for name, _ in found}))
        raise DataError(
            f"{folder} holds several datasets, {names}; name a file, or move each to its own folder"
        )
    for suffix in _SUFFIXES:
        parts = next((parts for (_, kind), parts in found.items() if kind == suffix), None)
        if parts is not None:
            return parts
    inside = [path for path in folder.iterdir() if not is_hidden(path.name)]
    is_wrapped = len(inside) == 1 and inside[0].is_dir() and not inside[0].is_symlink()
    return series_parts(inside[0]) if is_wrapped else {}


def _datasets(folder: Path) -> dict[tuple[str, str], Mapping[str, Path]]:
    """Return the pairs of files by name and suffix."""
    found: dict[tuple[str, str], Mapping[str, Path]] = {}
    for path in sorted(folder.iterdir()):
        parts = archive_parts(path) if path.suffix.lower() in _SUFFIXES else {}
        if len(parts) == len(PARTS) and all(map(_holds_series, parts.values())):
            name = path.name[: path.name.rindex("_")]
            found[name, path.suffix.lower()] = {
                part.lower(): place for part, place in parts.items()
            }
    return found


def _holds_series(path: Path) -> bool:
    return path.suffix.lower() == ".ts" or is_archive_table(path)


def _say_parts(request: ReadRequest, parts: Mapping[str, Path]) -> Guess:
    files = ", ".join(f"{part} ({path.name})" for part, path in parts.items())
    if request.split is not None:
        return Guess("parts", f"the {request.split} rows of {files}")
    name = request.path.resolve().name
    each = " and ".join(f"{name}-{part.upper()}" for part in parts)
    return Guess("parts", f"{files}, all of which are used; {each} name one each")


def _say_left_out(folder: Path, parts: Mapping[str, Path]) -> list[Guess]:
    there = below(folder, hidden=True)
    files = [path for path in there if path.is_file() and path not in parts.values()]
    kinds = Counter(path.suffix.lower() or path.name for path in files)
    shown = ", ".join(f"{kind} ({count})" for kind, count in kinds.most_common())
    return [Guess("left out", f"{len(files)} other files: {shown}")] if files else []
