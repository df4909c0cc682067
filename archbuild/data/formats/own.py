"""A user's own data, by path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from archbuild.data.arrays import dataset_from_arrays, folder_safe
from archbuild.data.dataset import Dataset, Shape
from archbuild.data.formats.arrays.npy import read_npy
from archbuild.data.formats.arrays.npz import read_npz
from archbuild.data.formats.arrays.text_matrix import read_text_matrix
from archbuild.data.formats.arrow.folder import PARQUET, arrow_parts
from archbuild.data.formats.arrow.parquet import FEATHER, read_arrow, survey_arrow
from archbuild.data.formats.below import below, folders_in
from archbuild.data.formats.hdf5.anndata import read_h5ad
from archbuild.data.formats.hdf5.arrays import read_hdf5
from archbuild.data.formats.images.folder import Survey, read_image_folder, survey
from archbuild.data.formats.images.layout import SPLITS, SUFFIXES, images_below, split_names
from archbuild.data.formats.matlab.mat import read_mat
from archbuild.data.formats.series.folder import read_series_folder, series_parts
from archbuild.data.formats.series.ucr import (
    archive_parts,
    is_archive_table,
    read_archive_table,
    read_ts,
)
from archbuild.data.formats.tables.csv_layout import is_text_table
from archbuild.data.formats.tables.csv_table import read_csv
from archbuild.data.formats.tables.excel import read_excel
from archbuild.data.formats.tfrecord.reading import (
    SHARD,
    TFRECORD,
    is_tfrecord,
    read_tfrecord,
    survey_tfrecord,
    tfrecord_parts,
)
from archbuild.data.formats.unused import TEXT_TABLE, refuse_unused
from archbuild.data.formats.zarr.arrays import read_zarr
from archbuild.data.formats.zarr.store import is_store
from archbuild.data.guard import reading
from archbuild.data.guess import LABELS, Guess, listed
from archbuild.data.request import Arrays, Known, ReadOptions, ReadRequest
from archbuild.errors import DataError

FORMATS: Mapping[str, Callable[[ReadRequest], Arrays]] = {
    ".npy": read_npy,
    ".npz": read_npz,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".csv.gz": read_csv,
    ".tsv.gz": read_csv,
    **dict.fromkeys((*PARQUET, *FEATHER), read_arrow),
    ".xlsx": read_excel,
    ".txt": read_text_matrix,
    ".mat": read_mat,
    ".ts": read_ts,
    ".h5ad": read_h5ad,
    ".h5": read_hdf5,
    ".hdf5": read_hdf5,
    **dict.fromkeys(TFRECORD, read_tfrecord),
    ".zarr": read_zarr,
    ".zarr.zip": read_zarr,
}
"""File suffix -> reader. A new format is one file and one line here, and one in ``_USED``."""

_TABLES = (
    ".csv",
    ".tsv",
    ".csv.gz",
    ".tsv.gz",
    *PARQUET,
    *FEATHER,
    ".xlsx",
    ".h5ad",
    ".h5",
    ".hdf5",
    *TFRECORD,
    ".zarr",
    ".zarr.zip",
)

_PACKED = ", since it is an archive: unpack it and give the file or the folder inside"
_ADVICE = {
    **dict.fromkeys((".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar"), _PACKED),
    **dict.fromkeys((".xls", ".xlsb", ".ods"), ": save it as .xlsx or as .csv"),
    **dict.fromkeys((".sav", ".dta", ".sas7bdat", ".rds", ".rdata"), ": save the table as .csv"),
    ".arff": ": save it as .csv, or take the .ts or .tsv that archives of series have beside it",
    ".pkl": ", since loading it can run code: save the array as .npy or .npz",
    ".pt": ", since loading it can run code: save the array as .npy or .npz",
}
"""File suffix -> why it is not read, and what to do."""


_USED: Mapping[Callable[[ReadRequest], Arrays], tuple[str, frozenset[str]]] = {
    read_csv: ("a text table", TEXT_TABLE | {"labels", "columns", "missing"}),
    read_excel: (
        "a sheet",
        frozenset({"header", "skip_lines", "decimal", "labels", "columns", "missing", "array"}),
    ),
    read_arrow: ("an Arrow table", frozenset({"labels", "columns", "missing", "array"})),
    read_npy: ("an array", frozenset({"channels", "rows"})),
    read_npz: ("arrays", frozenset({"array", "labels", "channels", "rows"})),
    read_mat: ("arrays", frozenset({"array", "labels", "channels", "rows"})),
    read_hdf5: ("HDF5", frozenset({"array", "labels", "channels", "rows"})),
    read_h5ad: ("single cells", frozenset({"array", "labels"})),
    read_zarr: ("zarr", frozenset({"array", "labels", "channels", "rows"})),
    read_tfrecord: ("TFRecord", frozenset({"array", "labels", "channels"})),
    read_text_matrix: ("a matrix of text", frozenset({"header"})),  # which says that there is none
    read_ts: ("series", frozenset()),
    read_archive_table: ("series", frozenset()),
    read_series_folder: ("a folder of series", frozenset({"header"})),
    read_image_folder: ("images", frozenset({"labels"})),
}
"""Reader -> the name of its format, and the keys of the ``data`` section that it looks at."""

_SURVEYS: Mapping[Callable[[ReadRequest], Arrays], Callable[[ReadRequest], Survey | None]] = {
    read_arrow: survey_arrow,
    read_tfrecord: survey_tfrecord,
    read_image_folder: survey,
}
"""Reader of images -> what looks at some of them; of files only where there may be many in one."""


def suffix_of(path: Path) -> str:
    """Return the suffix by which a file's format is known: ``.csv``, ``.csv.gz``."""
    suffixes = [suffix.lower() for suffix in _whole(path).suffixes[-2:]]
    both = "".join(suffixes)
    return both if both in FORMATS else "".join(suffixes[-1:])


def file_stem(path: Path) -> str:
    """Return the name of a file or folder without the suffix of its format."""
    suffix, name = suffix_of(path), _whole(path).name
    if path.is_dir():
        name = path.resolve().name
        suffix = suffix if is_store(path) else ""
    return name[: -len(suffix)] if suffix else name


def _whole(path: Path) -> Path:
    """Return the path that a file would have were it not one of several."""
    return path.with_name(SHARD.sub("", path.name)) if is_tfrecord(path) else path


def split_part(path: Path) -> tuple[Path, str | None]:
    """Return the folder and the part of it that ``photos-TRAIN`` or ``photos-TEST`` names."""
    stem, mark, part = path.name.rpartition("-")
    folder = path.with_name(stem) if mark and stem else path
    if path.exists() or not part.isupper() or not folder.is_dir():
        return path, None
    wanted = part.lower()
    return (folder, wanted) if wanted in _parts_in(folder) else (path, None)


def _parts_in(folder: Path) -> tuple[str, ...]:
    """Return the parts of a folder of images, series or tables: ``train``, ``val``, ``test``."""
    if is_store(folder):
        return ()
    if any(images_below(folder)):
        return split_names(folder)
    parts = series_parts(folder) or arrow_parts(folder) or tfrecord_parts(folder)
    return tuple(part for part in parts if part)


def split_column(text: str) -> tuple[Path, str | None]:
    """Split ``table.csv:species`` into path and label column; other paths have no column."""
    stem, mark, column = text.rpartition(":")
    path = Path(stem)
    is_table = suffix_of(path) in _TABLES or path.is_file()
    if mark and column and is_table and not Path(text).exists():
        return path, column
    return Path(text), None


def looks_like_path(text: str) -> bool:
    """Return whether the user means a file or a folder rather than a dataset's name."""
    path, _ = split_column(text)
    return len(path.parts) > 1 or suffix_of(path) in FORMATS or split_part(path)[0].exists()


def load_path(
    text: str,
    input_shape: Shape | None = None,
    options: ReadOptions | None = None,
    known: Known | None = None,
    *,
    labelled: bool = False,
) -> Dataset:
    """Return the file or folder that ``text`` names.

    Args:
        text: a path; for a table, ``path:column`` names its label column; ``folder-TRAIN`` and
            ``folder-TEST`` name the parts of a folder that holds ``train`` and ``test``, or
            the series ``NAME_TRAIN`` and ``NAME_TEST``.
        input_shape: the spec's Input, which settles what the data leave open.
        options: the user's decisions about the structure of the data.
        known: for new rows of a trained model, the form that they are read in.
        labelled: whether labels are looked at although there is such a form.

    Raises:
        DataError: nothing is there, the format is not known, or the data cannot be used.
    """
    path, column = split_column(text)
    options = options or ReadOptions()
    if column is not None:
        options = replace(options, labels=column)
    path, split = split_part(path)
    request = ReadRequest(path, input_shape, options, known, split, labelled)
    arrays = _read(request)
    name = file_stem(path)
    return dataset_from_arrays(
        f"{name}-{split.upper()}" if split else name,
        arrays.values,
        arrays.labels if request.wants_labels else None,
        input_shape=input_shape,
        arch_stem=folder_safe(name),
        source=str(path),
        ids=arrays.ids,
        columns=arrays.columns,
        least_rows=request.least_rows,
        options=replace(options, channels=arrays.channels or options.channels),
        known=known,
        guesses=_of_interest(arrays.guesses, request),
        encoding=arrays.encoding,
        gaps=arrays.gaps,
        scale=arrays.scale,
        divisors=arrays.divisors,
        form=arrays.form,
    )


def survey_path(text: str, options: ReadOptions) -> Survey | None:
    """Return what the images of a folder or a table are; ``None`` for other data.

    Raises:
        DataError: as ``load_path``.
    """
    with reading(text, "data"):
        return _surveyed(text, options)


def _surveyed(text: str, options: ReadOptions) -> Survey | None:
    path, column = split_column(text)
    options = options if column is None else replace(options, labels=column)
    path, split = split_part(path)
    request = ReadRequest(path, None, options, split=split)
    if not path.is_dir() and suffix_of(path) not in (*PARQUET, *FEATHER, *TFRECORD):
        return None
    reader = _checked_reader(request)
    if reader not in _SURVEYS:
        return None
    with reading(path, _USED[reader][0]):
        found = _SURVEYS[reader](request)
    return found and found._replace(guesses=_of_interest(found.guesses, request))


def held_out_part(text: str) -> str | None:
    """Return the path of the rows that training on a part of a dataset leaves unseen.

    ``photos-TRAIN`` leaves ``photos-TEST``, be they images or series, ``photos/train`` leaves
    ``photos/test``, and ``series_TRAIN.ts`` leaves ``series_TEST.ts``.
    """
    path, column = split_column(text)
    parts = archive_parts(path)
    if path in parts.values():
        named = f":{column}" if column else ""
        return f"{parts['TEST']}{named}" if path != parts.get("TEST") and "TEST" in parts else None
    folder, part = split_part(path)
    may_be_part = part is None and path.is_dir() and path.name in SPLITS
    if may_be_part and path.name in split_names(path.resolve().parent):
        unseen = path.resolve().parent / "test"
        return str(unseen) if path.name == "train" and unseen.is_dir() else None
    if part != "train" or "test" not in _parts_in(folder):
        return None
    return f"{folder}-TEST"


def _of_interest(guesses: tuple[Guess, ...], request: ReadRequest) -> tuple[Guess, ...]:
    """Return the guesses without those about labels, where none are looked for."""
    return tuple(guess for guess in guesses if request.wants_labels or guess.subject != LABELS)


def _read(request: ReadRequest) -> Arrays:
    """Return the content of a file or folder, which has a use for all of the user's options."""
    reader = _checked_reader(request)
    with reading(request.path, _USED[reader][0]):
        arrays = reader(request)
    _refuse_empty(arrays, request.path)
    if arrays.values.ndim == 2:
        refuse_unused(request, _USED[reader][1] - {"channels"}, "rows of one axis")
    return arrays


def _refuse_empty(arrays: Arrays, path: Path) -> None:
    """Refuse rows without numbers: of such a file may declare any number, at no cost."""
    if arrays.values.ndim > 1 and 0 in arrays.values.shape[1:]:
        raise DataError(
            f"{path} holds an array of shape {arrays.values.shape}, without any number; save the "
            "rows again"
        )


def _checked_reader(request: ReadRequest) -> Callable[[ReadRequest], Arrays]:
    """Return the reader of a file or folder, whose format has a use for the user's options."""
    reader = _reader(request)
    what, used = _USED[reader]
    refuse_unused(request, used, what)
    return reader


def _reader(request: ReadRequest) -> Callable[[ReadRequest], Arrays]:
    path = request.path
    if not path.exists():
        raise DataError(
            f"there is no file or folder {path} (looked in {Path.cwd()}); check the path"
        )
    if not path.is_dir() and not path.is_file():
        raise DataError(
            f"{path} is neither a file nor a folder, as pipes and devices are; data are gone "
            "through several times, so save them as a file"
        )
    if path.is_dir():
        return _folder_reader(path)
    if path.suffix.lower() in SUFFIXES:
        return read_image_folder
    if request.options.header is None and is_archive_table(path):
        return read_archive_table
    reader = FORMATS.get(suffix_of(path))
    if reader is read_text_matrix and _is_told_as_table(request):
        return read_csv
    advice = _ADVICE.get(path.suffix.lower(), "")
    if reader is None and not advice and is_text_table(path):
        return read_csv
    if reader is None:
        raise DataError(
            f"{path} is of a kind that is not read{advice}; expected one of {', '.join(FORMATS)} "
            "or a folder of images"
        )
    return reader


def _is_told_as_table(request: ReadRequest) -> bool:
    """Return whether options of text tables say that a ``.txt`` is one rather than a matrix."""
    told = request.options.told & (TEXT_TABLE | {"columns", "labels", "missing"})
    told -= {"labels"} if request.options.no_labels else set()
    return bool(told - {"header"}) or request.options.header is True


def _folder_reader(folder: Path) -> Callable[[ReadRequest], Arrays]:
    """Return the reader of a folder: a store, or of images, if there are any, series or records.

    Raises:
        DataError: it holds none of them, and files that are read one by one.
    """
    if is_store(folder):
        return read_zarr
    if any(images_below(folder)):
        return read_image_folder
    if series_parts(folder):
        return read_series_folder
    found = [
        reader
        for reader, parts in ((read_arrow, arrow_parts), (read_tfrecord, tfrecord_parts))
        if parts(folder)
    ]
    if len(found) > 1:
        raise DataError(
            f"{folder} holds Parquet and TFRecord files, which cannot be one dataset; give the "
            "path of one, or move those of one kind to a folder of their own"
        )
    if found:
        return found[0]
    stores = [path for path in folders_in(folder) if is_store(path)]
    files = [*stores, *(path for path in below(folder, hidden=True) if suffix_of(path) in FORMATS)]
    if not files:
        return read_image_folder
    names = listed([path.relative_to(folder).as_posix() for path in files])
    raise DataError(
        f"{folder} holds no images, and files that are read one by one: {names}; give the path of "
        f"one, as {files[0]}"
    )
