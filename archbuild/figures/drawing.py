"""Every picture of a run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from archbuild.figures.components import ComponentsPicture
from archbuild.figures.confusion import ConfusionPicture
from archbuild.figures.curves import CurvesPicture
from archbuild.figures.exchange import ExchangePicture
from archbuild.figures.gallery import GalleryPicture
from archbuild.figures.generated import GeneratedPicture
from archbuild.figures.glimpses import GlimpsesPicture
from archbuild.figures.levels import LevelsPicture
from archbuild.figures.occupancy import OccupancyPicture
from archbuild.figures.picture import Picture
from archbuild.figures.reconstructions import ReconstructionsPicture
from archbuild.figures.scatter import ScatterPicture
from archbuild.figures.surface import SurfacePicture
from archbuild.models.run import Run
from archbuild.plugins import Registry, instance_of

_OURS = (
    CurvesPicture(),
    OccupancyPicture(),
    GeneratedPicture(),
    LevelsPicture(),
    ComponentsPicture(),
    ExchangePicture(),
    ReconstructionsPicture(),
    GlimpsesPicture(),
    SurfacePicture(),
    GalleryPicture(),
    ConfusionPicture(),
    ScatterPicture(),
)

PICTURES: Final = Registry("archbuild.figures", _OURS, instance_of(Picture))
"""Name -> picture, in the order in which they are drawn; those of plugins come last."""


def draw(run: Run) -> list[Path]:
    """Draw every picture of what is there, to PNG files in the run's plots folder.

    Of a stage that another process is training, its latest epoch is drawn.

    Returns:
        The files.

    Raises:
        DataError: the rows that the run was trained on cannot be read.
        RunError: a file of the run is missing or altered.
    """
    return draw_into(run, run.plots, PICTURES.values())


def draw_into(run: Run, folder: Path, pictures: Iterable[Picture]) -> list[Path]:
    """Draw some kinds of pictures of a run to a folder; return the files."""
    return [path for picture in pictures for path in picture.draw(run, folder)]
