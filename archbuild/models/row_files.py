"""The further files that a model's head writes about new rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from archbuild.heads.records import NewRows

if TYPE_CHECKING:
    from archbuild.data import Dataset
    from archbuild.models.model import Model


def write_new_rows(model: Model, dataset: Dataset, folder: Path) -> Sequence[Path]:
    """Write the further files of a model's head about new rows, all in memory; nothing is trained.

    Labels of the rows, where there are some, are used for scores only.

    Raises:
        UsageError: the head writes no files.
        DataError: as ``Model.feed``.
        RunError: the model has no head, or one that is not initialised yet.
    """
    head = model.assigning_head
    latents = np.concatenate([part.latents for part in model.predict(dataset)])
    return head.write_new(NewRows(model.decode, latents, dataset.labels), folder)
