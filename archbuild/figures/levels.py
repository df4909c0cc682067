"""Samples that differ in one level of latents alone: a row for each level, the top one first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from archbuild.figures.generated import answered_classes, draw_generated, number_drawn
from archbuild.figures.picture import HeadPicture

if TYPE_CHECKING:
    from archbuild.models.run import Run
    from archbuild.models.stage import Stage

_NOTE = (
    "One level of latents at a time is drawn from its prior. Levels above it are at the means of "
    "their priors, levels below it at their means given it."
)


class LevelsPicture(HeadPicture):
    """Rows that each head with several levels of latents draws, one level varied at a time."""

    name = "levels"
    section = "Clusters"

    def draw_stage(self, run: Run, stage: Stage, path: Path) -> Path:
        """Draw some rows of each level, and of each cluster or class where there are any."""
        names, model = stage.model.begun_head.latent_names, stage.model
        downwards = range(len(names), 0, -1)
        drawn = [model.generate(number_drawn(run), run.seed, level) for level in downwards]
        sets = _set_names(stage, len(drawn[0]))
        return draw_generated(
            np.concatenate(drawn),
            run.title(f"latents of {stage.space}, one level varied at a time{stage.progress}"),
            path,
            _NOTE,
            feature_names=run.dataset.columns or None,
            row_names=[names[level - 1] + of for level in downwards for of in sets],
        )


def _set_names(stage: Stage, count: int) -> list[str]:
    """Return what follows a level's name in each of its rows: the cluster or the class."""
    if not stage.finds_clusters:
        return [""] * count
    names = answered_classes(stage) or [f"cluster {number}" for number in range(count)]
    return [f" · {name}" for name in names]
