"""A dataset that is known by name, and the places where its files are looked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from archbuild.data.dataset import Dataset, Shape

ENVIRONMENT_VARIABLE = "ARCHBUILD_DATA"


class Found(NamedTuple):
    """The result of a search: whether a named dataset is there, and where, or how to get it."""

    name: str
    found: bool
    where: str


@dataclass(frozen=True)
class DatasetSource:
    """One entry of the registry.

    Attributes:
        name: as users write it, in capitals.
        summary: one line for ``archbuild list datasets``.
        arch_stem: the stem of the spec files made for it.
        load: from the data folder and the spec's Input shape, which may be ``None``, to the
            dataset; raises ``DataError``.
        find: from the data folder to whether it is there, and where or what to do.
        held_out: the name of the dataset with the rows that this one leaves out, for testing;
            ``None`` where there is none.
    """

    name: str
    summary: str
    arch_stem: str
    load: Callable[[Path, Shape | None], Dataset]
    find: Callable[[Path], tuple[bool, str]]
    held_out: str | None = None


class Selection(Protocol):
    """Rows of a dataset under a name of their own."""

    @property
    def name(self) -> str:
        """``DatasetSource.name``."""

    @property
    def summary(self) -> str:
        """``DatasetSource.summary``."""

    @property
    def held_out(self) -> str | None:
        """``DatasetSource.held_out``."""


class PartSelection(NamedTuple):
    """A ``Selection`` of parts of a dataset, such as its training and its test half."""

    name: str
    summary: str
    parts: Sequence[str]
    held_out: str | None = None


S = TypeVar("S", bound=Selection)


def selection_sources(
    selections: Iterable[S],
    arch_stem: str,
    load: Callable[[S, Path, Shape | None], Dataset],
    find: Callable[[S, Path], tuple[bool, str]],
) -> tuple[DatasetSource, ...]:
    """Return a source for each selection of one dataset, which ``load`` and ``find`` take first."""
    return tuple(
        DatasetSource(
            name=selection.name,
            summary=selection.summary,
            arch_stem=arch_stem,
            load=partial(load, selection),
            find=partial(find, selection),
            held_out=selection.held_out,
        )
        for selection in selections
    )


def data_folder(data_dir: Path | None = None) -> Path:
    """Return where datasets lie: ``data_dir``, else ``$ARCHBUILD_DATA``, else ``./datasets``."""
    if data_dir is not None:
        return Path(data_dir)
    return Path(os.environ.get(ENVIRONMENT_VARIABLE) or "datasets")


def search_folders(data: Path, name: str, inside: Sequence[str] = ()) -> list[Path]:
    """Return the folders where a dataset's files may lie, in the order of search.

    ``<data>/NAME``, ``<data>/name`` and ``<data>``, each followed by its subfolders ``inside``.
    """
    roots = dict.fromkeys([data / name, data / name.lower(), data])
    return [folder for root in roots for folder in (root, *(root / part for part in inside))]


def first_file(folders: Iterable[Path], names: Sequence[str]) -> Path | None:
    """Return the first of the files that is there, folder by folder."""
    candidates = (folder / name for folder in folders for name in names)
    return next((path for path in candidates if path.is_file()), None)
