"""What a reader of a user's own data is asked for, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from archbuild.data.dataset import Shape


@dataclass(frozen=True)
class ReadRequest:
    """One file or folder to read.

    Attributes:
        path: where it is; it exists.
        column: the label column of a table, where the user named one.
        input_shape: the spec's Input, for what the data leave open.
    """

    path: Path
    column: str | None = None
    input_shape: Shape | None = None


class Arrays(NamedTuple):
    """``values`` with the rows first, and one raw label for each row, or ``None``."""

    values: np.ndarray
    labels: Any = None
