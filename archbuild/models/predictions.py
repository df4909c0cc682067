"""Predictions as files: part after part, so that memory does not grow with the rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import IO, Any

import numpy as np

from archbuild.data.formats.hdf5.anndata import count_cells
from archbuild.data.formats.hdf5.anndata_writing import Categories, add_to_cells
from archbuild.data.spill import release
from archbuild.errors import UsageError
from archbuild.io.atomic import write_atomic
from archbuild.io.containment import named_by_user
from archbuild.io.documents import json_text
from archbuild.models.model import Prediction
from archbuild.printable import cell, one_line
from archbuild.runs.rows import save_archive

_SOURCE = "the predictions as JSON"

Part = tuple[Sequence[Any], Prediction]
"""The ids of some rows, and the predictions for them."""


@dataclass(frozen=True)
class Layout:
    """The fields that are written for each row.

    Attributes:
        n_rows: of all parts together.
        n_clusters: probabilities of a row.
        latent_size: numbers of its latent that are written; 0 for none.
        text_ids: whether ids are texts; else they are row numbers.
        source: of the rows, where they lie in a file.
        classes: the names of the classes that stand in the place of clusters; ``()``: clusters do.
        n_labels: classes of a row, the length of its sequence.
    """

    n_rows: int
    n_clusters: int
    latent_size: int
    text_ids: bool
    source: Path | None = None
    classes: tuple[str, ...] = ()
    n_labels: int = 1

    @property
    def answer(self) -> str:
        """The name of what is answered: ``class`` or ``cluster``."""
        return "class" if self.classes else "cluster"

    @property
    def columns(self) -> list[str]:
        """The names ``id, cluster, confidence, p0, p1, ..., z0, z1, ...``.

        With classes ``id, class, confidence, p_NAME, p_OTHER, ..., z0, z1, ...``; of sequences
        ``p1_NAME`` and on for the first label, ``p2_NAME`` and on for the second.
        """
        numbered = [f"p{index}" for index in range(self.n_clusters)]
        places = range(1, self.n_labels + 1) if self.n_labels > 1 else [""]
        named = [f"p{place}_{name}" for place in places for name in self.classes]
        probabilities = named or numbered
        latents = [f"z{index}" for index in range(self.latent_size)]
        return ["id", self.answer, "confidence", *probabilities, *latents]

    def answers(self, prediction: Prediction) -> list[Any]:
        """Return the cluster of each row, or the name of its class; of sequences, a text of all."""
        clusters: list[Any] = prediction.clusters.tolist()
        if self.n_labels > 1:
            return [" ".join(self.classes[number] for number in row) for row in clusters]
        return [self.classes[number] for number in clusters] if self.classes else clusters

    @property
    def answer_width(self) -> int:
        """The length of the longest answer with names of classes; 0 with clusters."""
        longest = max(map(len, self.classes), default=0)
        return self.n_labels * (longest + 1) - 1 if longest else 0

    @property
    def probability_shape(self) -> tuple[int, ...]:
        """The shape of the probabilities of one row."""
        return (self.n_clusters,) if self.n_labels == 1 else (self.n_labels, self.n_clusters)

    def numbers(self, prediction: Prediction) -> np.ndarray:
        """Return confidence, probabilities and latent, ``(rows, ...)`` float32."""
        latents = prediction.latents[:, : self.latent_size]
        probabilities = prediction.probabilities.reshape(len(latents), -1)
        return np.column_stack([prediction.confidence, probabilities, latents])


def csv_lines(parts: Iterable[Part], layout: Layout) -> Iterator[str]:
    """Write a header and a line for each row; numbers as short as float32 allows."""
    yield _csv([map(cell, layout.columns)])
    for ids, prediction in parts:
        rows = zip(ids, layout.answers(prediction), layout.numbers(prediction), strict=True)
        yield _csv([cell(name), cell(answer), *map(str, row)] for name, answer, row in rows)


def _csv(rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def jsonl_lines(parts: Iterable[Part], layout: Layout) -> Iterator[str]:
    """Write a JSON object on each line: id, cluster, confidence, probabilities, latent."""
    for document in _documents(parts, layout):
        yield json_text(document, source=_SOURCE, ascii_only=True) + "\n"


def json_lines(parts: Iterable[Part], layout: Layout) -> Iterator[str]:
    """Write the objects as one JSON list."""
    separator = "[\n"
    for document in _documents(parts, layout):
        yield separator + json_text(document, source=_SOURCE, ascii_only=True)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def text_lines(parts: Iterable[Part], layout: Layout) -> Iterator[str]:
    """Write id, cluster or class, and confidence in columns, for reading."""
    width = max(len("cluster"), layout.answer_width)
    yield f"{'id':<20} {layout.answer:>{width}} {'confidence':>10}\n"
    for ids, prediction in parts:
        found = [one_line(str(answer)) for answer in layout.answers(prediction)]
        rows = zip(ids, found, prediction.confidence, strict=True)
        yield "".join(
            f"{one_line(str(name)):<20} {found:>{width}} {sure:>10.4f}\n"
            for name, found, sure in rows
        )


def save_parquet(parts: Iterable[Part], layout: Layout, path: Path) -> None:
    """Write the columns of the CSV, typed, with a row group for each part.

    Raises:
        UsageError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UsageError(
            "--format parquet needs pyarrow; install it with: pip install 'archbuild[parquet]'"
        ) from error
    types = [
        pa.string() if layout.text_ids else pa.int64(),
        pa.string() if layout.classes else pa.int32(),
    ]
    types += [pa.float32()] * (len(layout.columns) - 2)
    schema = pa.schema(list(zip(layout.columns, types, strict=True)))
    with pq.ParquetWriter(path, schema) as writer:
        for ids, prediction in parts:
            numbers = layout.numbers(prediction)
            columns = [list(ids), layout.answers(prediction), *numbers.T]
            arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def save_arrays(parts: Iterable[Part], layout: Layout, path: Path) -> None:
    """Write ``id``, ``cluster`` or ``class``, ``confidence``, ``probabilities`` and ``latents``.

    The arrays grow on disk before they are put into the one ``.npz``.
    """
    shapes = {"probabilities": layout.probability_shape}
    shapes |= {"latents": (layout.latent_size,)} if layout.latent_size else {}
    answer = np.dtype(f"<U{layout.answer_width}") if layout.classes else np.int64
    kinds = {layout.answer: answer, "confidence": np.float32}
    if not layout.text_ids:
        kinds["id"] = np.int64
    texts: list[str] = []
    with TemporaryDirectory(dir=path.parent, prefix=".tmp-") as folder:

        def array_on_disk(name: str, kind: Any, *shape: int) -> np.ndarray:
            if not layout.n_rows:  # an empty file cannot be mapped
                return np.zeros((0, *shape), kind)
            place = Path(folder) / f"{name}.npy"
            return np.lib.format.open_memmap(place, "w+", kind, (layout.n_rows, *shape))

        arrays = {name: array_on_disk(name, kind) for name, kind in kinds.items()}
        arrays |= {name: array_on_disk(name, np.float32, *of) for name, of in shapes.items()}
        start = 0
        for names, prediction in parts:
            place = slice(start, start + len(names))
            start = place.stop
            if layout.text_ids:
                texts += names
            else:
                arrays["id"][place] = names
            arrays[layout.answer][place] = layout.answers(prediction)
            arrays["confidence"][place] = prediction.confidence
            arrays["probabilities"][place] = prediction.probabilities
            if layout.latent_size:
                arrays["latents"][place] = prediction.latents
            for array in arrays.values():
                release(array)
        ids = np.array(texts, str) if layout.text_ids else arrays.pop("id")
        save_archive(path, {"id": ids, **arrays})


def save_h5ad(parts: Iterable[Part], layout: Layout, path: Path) -> None:
    """Write a copy of the AnnData file that the rows lie in, with the answers for its cells.

    ``obs`` gets ``archbuild_cluster``, or ``archbuild_class``, and ``archbuild_confidence``,
    ``obsm`` the probabilities and, if asked, the latents.

    Raises:
        UsageError: the rows lie in another kind of file, or not all of its cells are answered.
    """
    if layout.source is None or layout.source.suffix.lower() != ".h5ad":
        raise UsageError(
            "an .h5ad output is a copy of the .h5ad file that the rows come from, and these come "
            f"from {layout.source or 'memory'}; choose another --format"
        )
    predictions = [prediction for _, prediction in parts]
    answers = [answer for prediction in predictions for answer in layout.answers(prediction)]
    if len(answers) != count_cells(layout.source):
        raise UsageError("an .h5ad output has all cells of its source: leave out --shard")
    confidence = np.concatenate([prediction.confidence for prediction in predictions])
    probabilities = np.concatenate([prediction.probabilities for prediction in predictions])
    matrices = {"X_archbuild_probabilities": probabilities.reshape(len(answers), -1)}
    if layout.latent_size:
        latents = np.concatenate([prediction.latents for prediction in predictions])
        matrices["X_archbuild_latent"] = latents
    copyfile(layout.source, path)
    columns: dict[str, np.ndarray | Categories] = {
        f"archbuild_{layout.answer}": _categories(answers, layout),
        "archbuild_confidence": confidence,
    }
    add_to_cells(path, columns, matrices)


def _categories(answers: Sequence[Any], layout: Layout) -> Categories:
    """Return answers as codes of all clusters or classes; of sequences, of those that occur."""
    known = layout.classes or range(layout.n_clusters)
    names = known if layout.n_labels == 1 else sorted(set(answers))
    codes = {name: code for code, name in enumerate(names)}
    return Categories(np.array([codes[answer] for answer in answers]), [*map(str, names)])


TEXTS: Mapping[str, Callable[[Iterable[Part], Layout], Iterator[str]]] = {
    "csv": csv_lines,
    "json": json_lines,
    "jsonl": jsonl_lines,
    "text": text_lines,
}
"""Format -> the function that makes its lines."""

FILES: Mapping[str, Callable[[Iterable[Part], Layout, Path], None]] = {
    "parquet": save_parquet,
    "npz": save_arrays,
    "h5ad": save_h5ad,
}
"""Format -> the function that writes its file; these are binary, and cannot go to stdout."""

SUFFIXES: Mapping[str, str] = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".txt": "text",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".npz": "npz",
    ".h5ad": "h5ad",
}


def save(parts: Iterable[Part], layout: Layout, kind: str, path: Path) -> None:
    """Write all parts to one file that is whole or not there."""

    def write(place: Path) -> None:
        if kind in FILES:
            FILES[kind](parts, layout, place)
        else:
            with place.open("w", encoding="utf-8", newline="") as file:
                stream(parts, layout, kind, file)

    write_atomic(named_by_user(path), write)


def stream(parts: Iterable[Part], layout: Layout, kind: str, file: IO[str]) -> None:
    """Write all parts as text to an open file."""
    for text in TEXTS[kind](parts, layout):
        file.write(text)


def _documents(parts: Iterable[Part], layout: Layout) -> Iterator[dict[str, Any]]:
    for ids, prediction in parts:
        rows = zip(ids, layout.answers(prediction), layout.numbers(prediction), strict=True)
        for name, answer, row in rows:
            # by way of text: the double nearest to a float32 has seventeen digits
            sure, *rest = [float(str(number)) for number in row]
            document = {"id": name, layout.answer: answer, "confidence": sure}
            size = prod(layout.probability_shape)
            document["probabilities"] = np.reshape(rest[:size], layout.probability_shape).tolist()
            if layout.latent_size:
                document["latent"] = rest[size:]
            yield document
