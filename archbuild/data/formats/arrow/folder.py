"""A folder of Parquet files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from archbuild.data.formats.parts import parts_below

PARQUET = (".parquet", ".pq")


def arrow_parts(folder: Path) -> Mapping[str, list[Path]]:
    """Return the Parquet files below a folder, as ``parts_below``."""
    return parts_below(folder, lambda path: path.suffix.lower() in PARQUET)
