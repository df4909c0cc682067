"""A user's own data, by path."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from archbuild.data.arrays import dataset_from_arrays
from archbuild.data.dataset import Dataset, Shape
from archbuild.data.formats.csv_table import read_csv
from archbuild.data.formats.image_folder import read_image_folder
from archbuild.data.formats.mat import read_mat
from archbuild.data.formats.npy import read_npy
from archbuild.data.formats.npz import read_npz
from archbuild.data.formats.parquet import read_parquet
from archbuild.data.formats.text_matrix import read_text_matrix
from archbuild.data.request import Arrays, ReadRequest
from archbuild.errors import DataError

FORMATS: Mapping[str, Callable[[ReadRequest], Arrays]] = {
    ".npy": read_npy,
    ".npz": read_npz,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".parquet": read_parquet,
    ".pq": read_parquet,
    ".txt": read_text_matrix,
    ".mat": read_mat,
}
"""File suffix -> reader. A new format is one file and one line here."""

_TABLES = (".csv", ".tsv", ".parquet", ".pq")


def split_column(text: str) -> tuple[Path, str | None]:
    """Split ``table.csv:species`` into path and label column; other paths have no column."""
    for suffix in _TABLES:
        stem, mark, column = text.rpartition(f"{suffix}:")
        if mark and column and not Path(text).exists():
            return Path(stem + suffix), column
    return Path(text), None


def looks_like_path(text: str) -> bool:
    """Return whether the user means a file or a folder rather than a dataset's name."""
    path, _ = split_column(text)
    return len(path.parts) > 1 or path.suffix.lower() in FORMATS or path.exists()


def load_path(
    text: str,
    input_shape: Shape | None = None,
    columns: Sequence[str] = (),
    least_rows: int = 2,
    *,
    labels: bool = True,
) -> Dataset:
    """Return the file or folder that ``text`` names.

    Args:
        text: a path; for a table, ``path:column`` names its label column.
        input_shape: the spec's Input, which settles what the data leave open.
        columns: the features that are wanted of a table, as in ``ReadRequest``.
        least_rows: likewise.
        labels: likewise.

    Raises:
        DataError: nothing is there, the format is not known, or the data cannot be used.
    """
    path, column = split_column(text)
    request = ReadRequest(path, column, input_shape, tuple(columns), least_rows, labels)
    arrays = _reader(path)(request)
    return dataset_from_arrays(
        path.resolve().name if path.is_dir() else path.stem,
        arrays.values,
        arrays.labels,
        input_shape=input_shape,
        source=str(path),
        ids=arrays.ids,
        columns=arrays.columns,
        least_rows=least_rows,
    )


def _reader(path: Path) -> Callable[[ReadRequest], Arrays]:
    if not path.exists():
        raise DataError(
            f"there is no file or folder {path} (looked in {Path.cwd()}); check the path"
        )
    if path.is_dir():
        return read_image_folder
    reader = FORMATS.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            f"{path} is of a kind that is not read; expected one of {', '.join(FORMATS)} or a "
            "folder of images"
        )
    return reader
