"""Files that travel with the package: specs, trained models."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parent


def packaged_folder(name: str, package: Path = _PACKAGE) -> Path:
    """Return a folder of files that travel with the package.

    A wheel carries it inside the package; in a checkout it lies beside it.

    Args:
        name: of the folder.
        package: the folder of the package's code.
    """
    inside = package / name
    return inside if inside.is_dir() else package.parent / name
