"""``.parquet`` and ``.feather``: tables of columns, or of images as Hugging Face keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archbuild.data.apart import apart
from archbuild.data.formats.arrow.folder import arrow_parts
from archbuild.data.formats.arrow.images import image_table, read_images, survey_images
from archbuild.data.formats.arrow.lists import with_lists_flat
from archbuild.data.formats.arrow.source import ArrowSource, is_numeric
from archbuild.data.formats.images.folder import Survey
from archbuild.data.formats.parts import wanted_files
from archbuild.data.formats.tables.table import read_table
from archbuild.data.guard import reading
from archbuild.data.guess import Guess
from archbuild.data.limits import MOST_TIMES_SPARSE, check_declared, check_pieces
from archbuild.data.request import Arrays, ReadRequest
from archbuild.errors import DataError

if TYPE_CHECKING:
    from pyarrow import RecordBatch

FEATHER = (".feather", ".arrow")
_BUFFER_BYTES = 2**16  # of each column


@apart("an Arrow table", may_hang=False)  # its buffers and pages say how large they become
def read_arrow(request: ReadRequest) -> Arrays:
    """Return the features, the labels and the rows' names of a Parquet or Feather file or folder.

    Where a column holds images, they are the rows.

    Raises:
        DataError: pyarrow is not installed, the file is damaged, or as ``read_table`` and
            ``read_images``.
    """
    with _opened(request) as source:
        images = image_table(source, request)
        if images is not None:
            return read_images(images, request)
        return read_table(with_lists_flat(source), request)


def survey_arrow(request: ReadRequest) -> Survey | None:
    """Return what the images in a Parquet file are; ``None`` where it holds none, and of Feather.

    Raises:
        DataError: as ``read_arrow``.
    """
    if _is_feather(request):
        return None
    with _opened(request) as source:
        images = image_table(source, request)
        return None if images is None else survey_images(images, request)


def _is_feather(request: ReadRequest) -> bool:
    return request.path.suffix.lower() in FEATHER


@contextmanager
def _opened(request: ReadRequest) -> Iterator[ArrowSource]:
    path = request.path
    is_feather = _is_feather(request)
    with _arrow(path, "a Feather file" if is_feather else "a Parquet file") as pyarrow:
        if is_feather:
            table = pyarrow.feather.read_table(path, memory_map=True)
            # else an offset that leads outside ends this program, without an error
            table.validate(full=True)
            yield ArrowSource(
                path, table.schema, lambda rows, columns: _table_batches(table, rows, columns)
            )
            return
        paths: Sequence[Path] = [path]
        said: tuple[Guess, ...] = ()
        if path.is_dir():
            paths, guess = wanted_files(path, arrow_parts(path), request.split)
            said = (guess,)
        with ExitStack() as stack:
            files = [stack.enter_context(_parquet_file(pyarrow, each)) for each in paths]
            _refuse_other_columns(paths, files)
            for each, file in zip(paths, files, strict=True):
                _check_declared(each, file)
            yield ArrowSource(path, files[0].schema_arrow, partial(_file_batches, files), said)


def _parquet_file(pyarrow: Any, path: Path) -> Any:
    return pyarrow.parquet.ParquetFile(
        path,
        pre_buffer=False,  # else a whole row group comes into memory, often the whole file
        buffer_size=_BUFFER_BYTES,
    )


def _check_declared(path: Path, file: Any) -> None:
    """Refuse rows, texts, or bytes once they are unpacked, that are out of proportion to the file.

    Raises:
        DataError: there are so many.
    """
    size, metadata = path.stat().st_size, file.metadata
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    check_declared(sum(group.total_byte_size for group in groups), size, f"{path}, unpacked,")
    n_bytes = 8 * metadata.num_rows * metadata.num_columns  # numbers become float64
    check_declared(n_bytes, size, f"the rows of {path}", MOST_TIMES_SPARSE)
    n_slow = sum(not is_numeric(field.type) for field in file.schema_arrow)  # read one by one
    check_pieces(0, n_slow * metadata.num_rows, size, f"{path}, in columns that are no numbers,")


def _refuse_other_columns(paths: Sequence[Path], files: Sequence[Any]) -> None:
    """Refuse files that cannot be one table.

    Raises:
        DataError: their columns differ.
    """
    first = files[0].schema_arrow
    for path, file in zip(paths, files, strict=True):
        if not file.schema_arrow.equals(first):
            raise DataError(
                f"{path} has other columns than {paths[0]}, or of other types, so the files of the "
                "folder are no one table; give the path of one"
            )


def _file_batches(files: Sequence[Any], rows: int, columns: Sequence[str]) -> Iterator[RecordBatch]:
    for file in files:
        yield from file.iter_batches(rows, columns=columns)


@contextmanager
def _arrow(path: Path, what: str) -> Iterator[Any]:
    """Give pyarrow; its errors become ``DataError``."""
    try:
        import pyarrow.feather
        import pyarrow.parquet
    except ImportError as error:
        raise DataError(
            f"{path} is {what}, and reading it needs pyarrow, which is not installed: "
            "pip install 'archbuild[parquet]'"
        ) from error
    with reading(path, what, "copy it again, or save it as CSV"):
        yield pyarrow


def _table_batches(table: Any, rows: int, columns: Sequence[str]) -> Iterator[RecordBatch]:
    return iter(table.select(list(columns)).to_batches(max_chunksize=rows))
