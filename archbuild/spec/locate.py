"""Finding the spec that ``-a`` means: an index, a name, a path, ``path:index`` or ``path:name``.

A spec's aliases are as good as its name. A folder ``archs`` in the working directory wins over the
one in the package.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

from archbuild.errors import SpecError, UsageError
from archbuild.packaged import packaged_folder
from archbuild.spec.document import Document
from archbuild.spec.names import all_names, names
from archbuild.spec.reading import KINDS, read_document
from archbuild.spec.values import did_you_mean

PACKAGED: Final = packaged_folder("archs")

_INDEX: Final = re.compile(r"-?\d{1,9}")


def default_folders() -> tuple[Path, ...]:
    """Return the folders in which specs are searched by index or name, in order.

    In a checkout's own folder both are one, which is then named once.
    """
    local = Path("archs")
    return (PACKAGED,) if local.resolve() == PACKAGED else (local, PACKAGED)


def find_arch(
    arch: str, stem: str | None, folders: Sequence[Path] | None = None
) -> tuple[Path, int | None]:
    """Return the file and the place in its list for ``arch``; ``None`` for a single spec.

    Args:
        arch: what the user gave.
        stem: the dataset's name, in whose file an index counts and a name is looked for first.
        folders: where to look; by default ``default_folders()``.

    Raises:
        UsageError: nothing, or not one thing, is meant by it.
        SpecError: the file cannot be read.
    """
    folders = default_folders() if folders is None else folders
    path, selector = _as_path(arch)
    if path is not None:
        return path, _select(read_document(path), selector)
    if _INDEX.fullmatch(arch):
        path = _file_of_dataset(arch, stem, folders)
        return path, _select(read_document(path), arch)
    return _by_name(arch, stem, folders)


def shipped_archs(folders: Sequence[Path] = (PACKAGED,)) -> list[tuple[Path, int, str]]:
    """Return file, index and name of every spec in ``folders``, by default the package's."""
    return [
        (path, index, name)
        for path, document in read_folders(folders)
        for index, name in enumerate(names(document))
    ]


def read_folders(folders: Iterable[Path]) -> Iterator[tuple[Path, Document]]:
    """Yield every spec file of ``folders``, in order, with what is in it.

    Raises:
        SpecError: a file cannot be read.
    """
    return ((path, read_document(path)) for path in _files(folders))


def _as_path(arch: str) -> tuple[Path | None, str | None]:
    """Split ``arch`` at its colon: a path, or ``None`` for an index or a name, and the rest."""
    if Path(arch).suffix.lower() in KINDS:
        return Path(arch), None
    before, colon, after = arch.rpartition(":")
    if colon and Path(before).suffix.lower() in KINDS:
        return Path(before), after
    if "/" in arch or "\\" in arch:
        return Path(arch), None
    return None, None


def _select(document: Document, selector: str | None) -> int | None:
    """Return the index that ``selector`` means in ``document``."""
    known = names(document)
    if selector is None:
        if len(known) > 1:
            raise UsageError(
                f"{document.source} holds {len(known)} specs: say which, as "
                f"{document.source}:0 or {document.source}:{known[0]}{_listing(known)}"
            )
        index = 0
    elif _INDEX.fullmatch(selector):
        index = _checked_index(int(selector), known, document.source)
    else:
        index = _index_of_name(selector, document)
    return index if isinstance(document.tree, list) else None


def _checked_index(index: int, known: Sequence[str], source: str) -> int:
    if 0 <= index < len(known):
        return index
    count = "1 spec, index 0" if len(known) == 1 else f"{len(known)} specs, 0 to {len(known) - 1}"
    raise UsageError(f"there is no spec {index} in {source}: it holds {count}{_listing(known)}")


def _index_of_name(name: str, document: Document) -> int:
    source, known = document.source, all_names(document)
    found = [index for index, own in enumerate(known) if name in own]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"{len(found)} specs in {source} are called '{name}': say which by index, "
            f"{', '.join(map(str, found))}"
        )
    advice = did_you_mean(name, chain.from_iterable(known))
    hint = f"; {advice}" if advice else ""
    raise UsageError(f"there is no spec '{name}' in {source}{hint}{_listing(names(document))}")


def _listing(known: Sequence[str]) -> str:
    return "".join(f"\n    {index} {name}" for index, name in enumerate(known))


def _file_of_dataset(arch: str, stem: str | None, folders: Sequence[Path]) -> Path:
    if stem is None:
        raise UsageError(
            f"the index {arch} needs a dataset to count in: add -d DATASET, or give "
            f"PATH:{arch}; 'archbuild list archs' shows all"
        )
    found = _dataset_files(stem, folders)
    if found:
        return found[0]
    looked = ", ".join(f"{folder / stem}{{{','.join(KINDS)}}}" for folder in folders)
    raise UsageError(
        f"there is no file of specs for {stem}: looked for {looked}; {_named_after(stem, folders)}"
        "write one with 'archbuild new --for DATA --output FILE' and give its path, or name a spec "
        "whose Input fits ('archbuild list archs')"
    )


def _named_after(stem: str, folders: Sequence[Path]) -> str:
    """Return the advice to name a spec that bears the dataset's name, if there is one."""
    documents = _readable(_files(folders))
    every = (name for _, document in documents for name in names(document))
    found = [f"-a {name}" for name in every if stem.lower() in name.lower().split("-")]
    return f"name one that was made for it ({', '.join(found)}), " if found else ""


def _dataset_files(stem: str, folders: Iterable[Path]) -> list[Path]:
    return [path for path in _files(folders) if path.stem.lower() == stem.lower()]


def _by_name(name: str, stem: str | None, folders: Sequence[Path]) -> tuple[Path, int | None]:
    """Return the dataset's own file first, then every other, in the order of the folders."""
    own = _dataset_files(stem, folders)[:1] if stem is not None else []
    documents = [(path, read_document(path)) for path in own]
    documents += _readable(path for path in _files(folders) if path not in own)
    for path, document in documents:
        if name in chain.from_iterable(all_names(document)):
            return path, _select(document, name)
    known = [other for _, document in documents for own in all_names(document) for other in own]
    files = [f"{name}{suffix}" for suffix in KINDS if Path(f"{name}{suffix}").is_file()]
    advice = f"did you mean the file {files[0]}?" if files else did_you_mean(name, known)
    hint = f"; {advice or 'see: archbuild list archs'}"
    shown = _listing(names(documents[0][1])) if own else ""
    where = ", ".join(str(path) for path, _ in documents) or "any archs folder: there is none"
    raise UsageError(f"there is no spec '{name}' in {where}{hint}{shown}")


def _readable(paths: Iterable[Path]) -> Iterator[tuple[Path, Document]]:
    """Yield the documents that can be read; ignore broken files of other datasets."""
    for path in paths:
        try:
            yield path, read_document(path)
        except SpecError:
            continue


def _files(folders: Iterable[Path]) -> list[Path]:
    """List all spec files of ``folders``, in order."""
    return [
        path
        for folder in folders
        if folder.is_dir()
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in KINDS and path.is_file()
    ]
