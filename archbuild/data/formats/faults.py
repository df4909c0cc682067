"""Messages about cells that cannot be read as what their column holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

LARGEST = 3.4e38
"""Float32's largest number; cells beyond it are refused."""

_SHOWN = 5


def fault_message(
    path: Path, words: Mapping[str, str], missing: Sequence[str], otherwise: str = ""
) -> str:
    """Return the message for a table that cannot be read as numbers.

    Args:
        path: of the table.
        words: column -> an example, for each that is not numeric.
        missing: the places of cells that are blank, NaN or beyond float32.
        otherwise: what to say where there is neither.
    """
    parts = []
    if words:
        named = ", ".join(f"'{name}' (for instance '{cell}')" for name, cell in words.items())
        parts.append(
            f"these columns are not numeric: {named}; drop them, or turn them into numbers"
        )
    if missing:
        shown = ", ".join(missing[:_SHOWN])
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        parts.append(
            f"blank, NaN, beyond float32, or not of the column's kind: {shown}{more}; fill these "
            "cells in or drop the rows"
        )
    return f"{path}: " + ("; ".join(parts) or otherwise or "it cannot be read as numbers")
