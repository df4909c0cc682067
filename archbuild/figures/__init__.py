"""Pictures from arrays: each function takes arrays, writes one PNG and returns its path.

Nothing here trains, loads a run or keeps state. The same arrays give the same bytes, and class
``i`` has the same colour in every picture. Clusters go by their number, and take colours only in
pictures that show no classes.
"""

from __future__ import annotations

from archbuild.figures.components import draw_components, project_components
from archbuild.figures.confusion import draw_confusion
from archbuild.figures.curves import draw_curves
from archbuild.figures.exchange import Round, draw_exchange
from archbuild.figures.gallery import draw_gallery
from archbuild.figures.generated import draw_generated
from archbuild.figures.occupancy import draw_occupancy
from archbuild.figures.projection import Projection, project, sample_indices
from archbuild.figures.reconstructions import draw_reconstructions
from archbuild.figures.scatter import draw_scatter, draw_scatter_panels
from archbuild.figures.style import PALETTE, colour
from archbuild.figures.surface import draw_surface

__all__ = [
    "PALETTE",
    "Projection",
    "Round",
    "colour",
    "draw_components",
    "draw_confusion",
    "draw_curves",
    "draw_exchange",
    "draw_gallery",
    "draw_generated",
    "draw_occupancy",
    "draw_reconstructions",
    "draw_scatter",
    "draw_scatter_panels",
    "draw_surface",
    "project",
    "project_components",
    "sample_indices",
]
