"""HDF5 files, which may come from a stranger: what lies outside is refused, sizes are checked.

An HDF5 file may name other files: by external links, by virtual datasets, by external storage. None
of them is opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.data.dataset import chunk_slices
from archbuild.data.guard import reading
from archbuild.data.limits import check_declared, check_size
from archbuild.data.spill import release, room_for
from archbuild.errors import DataError

if TYPE_CHECKING:
    from h5py import Dataset, File, Group

_MOST_LINKS = 10  # that lead on to one another


@contextmanager
def opened(path: Path) -> Iterator[File]:
    """Give an HDF5 file to read; damage becomes a ``DataError`` with the cause."""
    import h5py

    advice = "copy it again, or save it again without links and plugins"
    with reading(path, "an HDF5 file", advice), h5py.File(path, "r") as file:
        yield file


def find(place: Group, path: str, hops: int = 0) -> Any:
    """Return what a path names within its own file; ``None`` where nothing is there.

    Raises:
        DataError: the path leads into another file, or in a circle.
    """
    import h5py

    found: Any = place
    for name in filter(None, path.split("/")):
        if not is_group(found):
            return None
        link = found.get(name, getlink=True)
        if link is None:
            return None
        if isinstance(link, h5py.ExternalLink) or hops > _MOST_LINKS:
            raise DataError(
                f"{found.file.filename}: '{name}' is a link to another file, or to itself; links "
                "are not followed: copy what they lead to into the file"
            )
        if isinstance(link, h5py.SoftLink):
            start = found.file["/"] if link.path.startswith("/") else found
            found = find(start, link.path, hops + 1)
        else:
            found = found[name]
    return found


def children(place: Group) -> dict[str, Any]:
    """Return what lies in a group by name; links are not followed."""
    import h5py

    links = {name: place.get(name, getlink=True) for name in place}
    return {name: place[name] for name, link in links.items() if isinstance(link, h5py.HardLink)}


def is_group(thing: Any) -> bool:
    """Return whether something found is a group."""
    import h5py

    return isinstance(thing, h5py.Group)


def is_dataset(thing: Any) -> bool:
    """Return whether something found is a dataset."""
    import h5py

    return isinstance(thing, h5py.Dataset)


def dataset_at(group: Group, name: str) -> Dataset:
    """Return a dataset that must be there.

    Raises:
        DataError: it is not, or its values lie in another file.
    """
    found = find(group, name)
    if not is_dataset(found):
        raise DataError(
            f"{group.file.filename}: '{group.name.strip('/') or '/'}' has no array '{name}'; the "
            "file is damaged, so copy or save it again"
        )
    refuse_elsewhere(found)
    return found


def datasets(place: Group) -> dict[str, Dataset]:
    """Return all datasets below a group by their paths; links are not followed."""
    found: dict[str, Dataset] = {}

    def note(name: str, thing: Any) -> None:
        if is_dataset(thing):
            found[name] = thing

    place.visititems(note)
    return found


def read(dataset: Dataset) -> np.ndarray:
    """Return a dataset as an array in memory, texts as ``str``.

    Raises:
        DataError: it is larger than memory, or its values lie in another file.
    """
    refuse_elsewhere(dataset)
    check_stored(dataset)
    check_size(prod(dataset.shape or ()) * dataset.dtype.itemsize, _called(dataset))
    values: Any = dataset[()]
    return as_texts(values) if is_text(dataset.dtype) else np.asarray(values)


def read_rows(dataset: Dataset) -> np.ndarray:
    """Return a dataset of numbers some rows at a time: in memory, or if it is large on disk.

    Raises:
        DataError: as ``read``, or it holds no numbers.
    """
    refuse_elsewhere(dataset)
    if not is_numeric(dataset.dtype):
        raise DataError(f"{_called(dataset)} holds {dataset.dtype}; expected numbers")
    check_stored(dataset)
    values = room_for(dataset.shape, dataset.dtype, _called(dataset))
    for part in chunk_slices(len(values), prod(values.shape[1:]) * values.itemsize):
        values[part] = dataset[part]
        release(values)
    return values


def check_stored(dataset: Dataset) -> None:
    """Refuse a dataset whose shape is out of proportion to the bytes that are stored for it.

    Raises:
        DataError: it is.
    """
    n_bytes = prod(dataset.shape or ()) * dataset.dtype.itemsize
    check_declared(n_bytes, dataset.id.get_storage_size(), _called(dataset))


def refuse_elsewhere(dataset: Dataset) -> None:
    """Refuse a dataset whose values lie in another file.

    Raises:
        DataError: it is virtual, or stored externally.
    """
    if dataset.is_virtual or dataset.external:
        raise DataError(
            f"{_called(dataset)} only points to values in other files, which are not opened; copy "
            "them into one file (in Python: file.create_dataset(name, data=values))"
        )


def is_numeric(kind: np.dtype) -> bool:
    """Return whether values of this type are plain numbers."""
    return kind.kind in "biuf" and not kind.hasobject


def is_text(kind: np.dtype) -> bool:
    """Return whether values of this type are texts, of fixed or of any length."""
    import h5py

    return kind.kind == "S" or h5py.check_string_dtype(kind) is not None


def as_texts(values: Any) -> np.ndarray:
    """Return bytes or objects of HDF5 as an array of ``str``, in the shape they came in."""
    array = np.asarray(values)
    flat = [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for value in array.reshape(-1).tolist()
    ]
    return np.array(flat, dtype=str).reshape(array.shape)


def attribute(thing: Any, name: str) -> Any:
    """Return an attribute, texts as ``str``; ``None`` where there is none."""
    value = thing.attrs.get(name)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def unique_names(names: Sequence[str]) -> tuple[tuple[str, ...], int]:
    """Return the names with ``-1``, ``-2``, ... behind repeated ones, and how many were."""
    taken, seen, unique = set(names), set(), []
    counts: dict[str, int] = {}
    for name in names:
        new = name
        while new in seen or (new != name and new in taken):
            counts[name] = counts.get(name, 0) + 1
            new = f"{name}-{counts[name]}"
        seen.add(new)
        unique.append(new)
    return tuple(unique), sum(a != b for a, b in zip(names, unique, strict=True))


def _called(dataset: Dataset) -> str:
    return f"the array '{dataset.name.strip('/')}' in {dataset.file.filename}"
