"""A folder of plain files as bytes, to send to another process of the same program."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path


def packed(folder: Path) -> bytes:
    """Return the files of a folder and of those in it, without links; empty if there is none."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file() and not path.is_symlink():
                archive.add(path, str(path.relative_to(folder)))
    return written.getvalue()


def unpacked(payload: bytes, folder: Path) -> None:
    """Write the files of ``packed`` into a folder, which is made where it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(payload)) as archive:
        archive.extractall(folder, filter="data")
