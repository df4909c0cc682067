"""The fields of ``augment``: random changes to rows while training, and which rows each is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from archbuild.spec import fields
from archbuild.spec.field import Field

_LARGEST_CUT: Final = 0.9
"""The largest share of a row that a change may take away, or of its size that it may add."""

AUGMENT_FIELDS: Final[tuple[Field, ...]] = (
    fields.number("rotate", "Largest rotation either way, in degrees.", maximum=180.0, default=0.0),
    fields.number(
        "shift",
        "Largest shift either way, as a fraction of the image's side.",
        maximum=0.5,
        default=0.0,
    ),
    *map(
        fields.implicit,
        (
            fields.number(
                "scale",
                "Largest change of size either way, as a fraction: 0.1 draws a factor from 0.9 to "
                "1.1.",
                maximum=_LARGEST_CUT,
                default=0.0,
            ),
            fields.number(
                "shear",
                "Largest shear either way: the shift to the side of each line, as a fraction of "
                "its distance from the middle.",
                maximum=1.0,
                default=0.0,
            ),
            fields.boolean("flip", "Left and right exchanged in half of the rows.", default=False),
            fields.number(
                "crop",
                "Largest fraction of the side that is cut away: a window of random size and place "
                "inside the image is enlarged to its size.",
                maximum=_LARGEST_CUT,
                default=0.0,
            ),
            fields.number(
                "noise",
                "Standard deviation of Gaussian noise that is added to each value of an image, in "
                "the units of the network's input.",
                default=0.0,
            ),
            fields.number(
                "jitter",
                "Standard deviation of Gaussian noise that is added to each value of a series or a "
                "table, in the units of the network's input.",
                default=0.0,
            ),
            fields.number(
                "magnitude",
                "Standard deviation s of the factor, 1 + N(0, s) and not below 0, of each channel "
                "of a series and each feature of a table.",
                maximum=1.0,
                default=0.0,
            ),
            fields.number(
                "time_warp",
                "Standard deviation of the logarithm of the speed at which the time of a series "
                "passes, which varies smoothly; the ends stay.",
                maximum=2.0,
                default=0.0,
            ),
            fields.number(
                "mask",
                "Fraction that is set to 0: of the features of a table, each with this "
                "probability; of the length of a series, one span at a random place.",
                maximum=_LARGEST_CUT,
                default=0.0,
            ),
        ),
    ),
)

IMAGE_CHANGES: Final = ("rotate", "shift", "scale", "shear", "flip", "crop")
"""Fields of ``augment`` that say where the pixels of an image go."""
ROWS_BY_AXES: Final = {1: "tables", 2: "series", 3: "images", 4: "volumes"}
"""What rows are called that have so many axes."""
CHANGES_BY_AXES: Final[Mapping[int, tuple[str, ...]]] = {
    1: ("jitter", "magnitude", "mask"),
    2: ("jitter", "magnitude", "time_warp", "mask"),
    3: (*IMAGE_CHANGES, "noise"),
    4: ("noise",),
}
"""The fields of ``augment`` that an Input with so many axes takes."""
