"""10x ``.h5``: the count matrices that Cell Ranger writes, of version 3 on and before."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.data.formats.hdf5.file import (
    children,
    dataset_at,
    find,
    is_group,
    read,
    unique_names,
)
from archbuild.data.formats.hdf5.matrix import Matrix
from archbuild.data.guess import Guess, listed, value_key
from archbuild.data.request import Arrays, ReadRequest
from archbuild.errors import DataError

if TYPE_CHECKING:
    from h5py import File

_GENES = "Gene Expression"


def ten_x_group(file: File) -> Any:
    """Return the group that holds a matrix of Cell Ranger; ``None`` in other files."""
    wanted = {"barcodes", "data", "indices", "indptr", "shape"}
    groups = filter(is_group, children(file).values())
    found = [group for group in groups if wanted <= set(group)]
    return found[0] if found else None


def read_ten_x(file: File, group: Any, request: ReadRequest) -> Arrays:
    """Return the cells as rows, barcodes as their names, genes as columns; there are no labels.

    Of files with several types of features those of gene expression are read, or those that
    ``data.array`` names.

    Raises:
        DataError: the file is damaged, or there are no features of the type.
    """
    n_genes, n_cells = (int(size) for size in read(dataset_at(group, "shape")))
    names, kinds = _features(group)
    barcodes = read(dataset_at(group, "barcodes"))
    if (len(barcodes), len(names)) != (n_cells, n_genes):
        raise DataError(f"{request.path}: barcodes or features do not fit the matrix's shape")
    # it is kept gene by cell, sparse by columns: that is cell by gene, sparse by rows
    matrix = Matrix(group, (n_cells, n_genes), "csr")
    wanted, said = _wanted(kinds, request)
    columns, repeated = unique_names([names[place] for place in wanted])
    if repeated:
        said.append(Guess("genes", f"{repeated} have the name of another, and a number behind it"))
    places = _known_order(columns, request)
    groups = [name for name in file if name != group.name.strip("/")]
    if groups:
        said.append(Guess("left out", f"what is beside the matrix: {listed(groups)}"))
    return Arrays(
        matrix.rows([wanted[place] for place in places]),
        ids=barcodes.tolist(),
        columns=tuple(columns[place] for place in places),
        guesses=(Guess("rows", f"{n_cells:,} cells, as Cell Ranger wrote them"), *said),
    )


def _features(group: Any) -> tuple[list[str], list[str]]:
    """Return the names of the features, and their types."""
    features = find(group, "features")
    if not is_group(features):
        names = read(dataset_at(group, "gene_names")).tolist()
        return names, [_GENES] * len(names)
    names = read(dataset_at(features, "name")).tolist()
    return names, read(dataset_at(features, "feature_type")).tolist()


def _wanted(kinds: list[str], request: ReadRequest) -> tuple[list[int], list[Guess]]:
    """Return the places of the features of one type, and a line where there are others."""
    counts = Counter(kinds)
    kind = request.options.array or (_GENES if _GENES in counts else next(iter(counts), _GENES))
    if kind not in counts:
        raise DataError(
            f"{request.path} has no features of the type '{kind}'; data.array is one of "
            f"{', '.join(counts) or '(none)'}"
        )
    others = [other for other in counts if other != kind]
    wanted = np.flatnonzero(np.array(kinds) == kind).tolist()
    if not others:
        return wanted, []
    left_out = ", ".join(f"{counts[other]} of {other}" for other in others)
    found = f"{counts[kind]:,} of {kind}; left out: {left_out}"
    return wanted, [Guess("features", found, value_key("array", others[0]))]


def _known_order(columns: tuple[str, ...], request: ReadRequest) -> list[int]:
    """Return the places of the genes that a model knows, else of all."""
    known = request.known.columns if request.known else ()
    places = {name: place for place, name in enumerate(columns)}
    # others are refused by the model, which names them
    fits = known and places.keys() >= set(known)
    return [places[name] for name in known] if fits else list(range(len(columns)))
