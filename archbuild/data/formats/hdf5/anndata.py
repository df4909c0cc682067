"""``.h5ad``: single-cell tables as AnnData keeps them, by its on-disk specification.

Cells are the rows, genes the columns. Read with h5py, which Keras brings; the anndata package is
not needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archbuild.data.apart import apart
from archbuild.data.formats.hdf5.anndata_frame import Frame
from archbuild.data.formats.hdf5.file import find, is_dataset, is_group, opened, unique_names
from archbuild.data.formats.hdf5.matrix import Matrix, matrix_at
from archbuild.data.formats.tables.label_column import label_fault
from archbuild.data.formats.tables.roles import LABEL_COLUMNS
from archbuild.data.guess import Guess, listed, value_key
from archbuild.data.labels import count_classes, unlabelled_in_words
from archbuild.data.request import Arrays, ReadRequest
from archbuild.errors import DataError

if TYPE_CHECKING:
    from h5py import File

CELL_TYPES = (
    *("celltype", "celltypes", "celllabel", "celllabels", "celltypeannotation", "celltypelabel"),
    *("cellontologyclass", "annotation", "annotations", "bulklabels", "labels", *LABEL_COLUMNS),
)
"""Names of label columns without spaces, points and underscores, in the order of search."""

_OTHERS = ("obsm", "obsp", "varm", "varp", "uns")


@apart("an HDF5 file")
def read_h5ad(request: ReadRequest) -> Arrays:
    """Return the cells as rows, a label column of ``obs`` if there is one, and the cells' names.

    The matrix is ``X``, else the counts; ``data.array`` names another: ``layers/counts``, ``raw``.

    Raises:
        DataError: the file is damaged or no AnnData, or a matrix or column that is named is
            missing.
    """
    with opened(request.path) as file:
        return cells_of(file, request)


def cells_of(file: File, request: ReadRequest) -> Arrays:
    """Return the content of an AnnData file that is open; as ``read_h5ad``."""
    name, matrix, said = _choose_matrix(file, request)
    obs = Frame(file, "obs")
    genes, said_of_genes = _genes(file, name)
    _check_lengths(request, matrix, len(obs.index), len(genes))
    label, said_of_labels = _label_column(obs, request)
    wanted = _wanted(genes, request)
    return Arrays(
        matrix.rows(wanted),
        None if label is None else obs.texts(label),
        ids=obs.index,
        columns=genes if wanted is None else tuple(genes[place] for place in wanted),
        guesses=(*said, *said_of_genes, *said_of_labels, *_left_out(file, obs, label)),
    )


def count_cells(path: Path) -> int:
    """Return how many cells a file has.

    Raises:
        DataError: it is damaged or no AnnData.
    """
    with opened(path) as file:
        return len(Frame(file, "obs").index)


def _choose_matrix(file: File, request: ReadRequest) -> tuple[str, Matrix, list[Guess]]:
    """Return the name of the matrix, the matrix, and why that one."""
    matrices = dict(_matrices(file))
    asked = request.options.array
    name = asked if asked is not None else next(iter(matrices), None)
    if name not in matrices:
        named = f"no matrix '{asked}'" if asked else "no matrix"
        raise DataError(
            f"{request.path} has {named}; it has {', '.join(matrices) or 'none'}: choose one with "
            "data.array in the spec"
        )
    rows, columns = matrices[name].shape
    what = "counts" if matrices[name].is_whole() else "numbers that are no counts"
    others = [other for other in matrices if other != name]
    more = f"; not {listed(others)}" if others else ""
    said = Guess(
        "rows",
        f"{rows:,} cells of {columns:,} genes from {name}, {what}{more}",
        value_key("array", others[0]) if others and not asked else "",
    )
    return name, matrices[name], [said]


def _matrices(file: File) -> Iterator[tuple[str, Matrix]]:
    """Yield the matrices of a file by name, the usual one first."""
    layers = find(file, "layers")
    names = list(layers) if is_group(layers) else []
    names.sort(key=lambda name: name != "counts")
    paths = {"X": "X", **{f"layers/{name}": f"layers/{name}" for name in names}}
    for name, path in {**paths, "raw": _raw_path(file, "X")}.items():
        matrix = matrix_at(file, path)
        if matrix is not None:
            yield name, matrix


def _raw_path(file: File, name: str) -> str:
    """Return the path of a part of ``raw``; files before AnnData 0.7 have a point in it."""
    return f"raw.{name}" if find(file, f"raw.{name}") is not None else f"raw/{name}"


def _genes(file: File, matrix: str) -> tuple[tuple[str, ...], list[Guess]]:
    frame = Frame(file, _raw_path(file, "var") if matrix == "raw" else "var")
    names, repeated = unique_names(frame.index)
    if not repeated:
        return names, []
    found = f"{repeated} genes have the name of another, and a number behind it"
    return names, [Guess("genes", found)]


def _check_lengths(request: ReadRequest, matrix: Matrix, n_cells: int, n_genes: int) -> None:
    if matrix.shape != (n_cells, n_genes):
        raise DataError(
            f"{request.path} has a matrix of {matrix.shape[0]:,} x {matrix.shape[1]:,}, and "
            f"{n_cells:,} cells in obs and {n_genes:,} genes in var; the file is damaged"
        )


def _wanted(genes: Sequence[str], request: ReadRequest) -> list[int] | None:
    """Return the places of the genes that a model knows; ``None``: all as they come."""
    known = request.known.columns if request.known else ()
    if not known or tuple(genes) == known:
        return None
    places = {name: place for place, name in enumerate(genes)}
    # others are refused by the model, which names them
    return [places[name] for name in known] if places.keys() >= set(known) else None


def _label_column(obs: Frame, request: ReadRequest) -> tuple[str | None, list[Guess]]:
    """Return the column of the labels, and how it was found."""
    asked = request.options.labels
    if not request.wants_labels or asked is not None:
        return _asked_column(obs, request) if request.wants_labels else (None, [])
    tried: list[Guess] = []
    for name in _candidates(obs):
        labels = obs.texts(name)
        fault = label_fault(labels)
        if fault is None:
            found = f"column '{name}' of obs, {count_classes(labels)} classes"
            found += unlabelled_in_words(labels)
            return name, [*tried, Guess("labels", found, "labels=none")]
        tried.append(Guess("labels", f"not the column '{name}' of obs, {fault}"))
    return None, tried


def _candidates(obs: Frame) -> list[str]:
    """Return the columns with a label's name, those with a label for each cell first."""
    folded = {_folded(name): name for name in reversed(obs.columns)}
    found = [folded[name] for name in CELL_TYPES if name in folded]
    return sorted(found, key=lambda name: not all(obs.texts(name)))


def _folded(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _asked_column(obs: Frame, request: ReadRequest) -> tuple[str, list[Guess]]:
    """Return the column that the user named, once it is known to hold classes."""
    name = str(request.options.labels)
    if name not in obs.columns:
        raise DataError(
            f"{request.path} has no column '{name}' in obs; its columns are: "
            f"{', '.join(obs.columns) or '(none)'}"
        )
    labels = obs.texts(name)
    fault = label_fault(labels, asked=True)
    if fault is not None:
        raise DataError(
            f"{request.path}: the column '{name}' of obs holds no classes, {fault}; choose another"
        )
    words = unlabelled_in_words(labels)
    found = f"column '{name}' of obs, {count_classes(labels)} classes{words}"
    return name, [Guess("labels", found, "labels=none")] if words else []


def _left_out(file: File, obs: Frame, label: str | None) -> list[Guess]:
    """Return a line about what else is in the file."""
    parts = []
    others = [column for column in obs.columns if column != label]
    if others:
        parts.append(f"columns of obs ({len(others)}: {listed(others)})")
    for name in _OTHERS:
        place = find(file, name)
        names = list(place) if is_group(place) else []
        if is_dataset(place):
            names = list(place.dtype.names or ())
        if names:
            parts.append(f"{name} ({listed(names)})")
    return [Guess("left out", "; ".join(parts))] if parts else []
