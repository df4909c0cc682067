"""Tables of features as pictures: values in standard deviations, and the columns' names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archbuild.figures.style import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

_NAMES_AT_MOST = 32


def standardised(values: NDArray[Any], reference: NDArray[Any]) -> NDArray[np.float64]:
    """Express (n, features) in standard deviations of ``reference`` (m, features) from its mean.

    A feature that does not vary there keeps its unit.
    """
    whole: NDArray[np.float64] = np.asarray(reference, np.float64)
    mean, spread = whole.mean(axis=0), whole.std(axis=0)
    scores: NDArray[np.float64] = np.asarray(values, np.float64) - mean
    return scores / np.where(spread > 0, spread, 1.0)


def draw_strip(axes: Axes, scores: NDArray[Any], **settings: Any) -> AxesImage:
    """Draw ``scores`` (rows, features), as from ``standardised``, as a heat map; returns it."""
    return axes.imshow(
        scores,
        aspect="auto",
        cmap="PuOr_r",
        vmin=-3,
        vmax=3,
        interpolation="nearest",
        **settings,
    )


def name_features(axes: Axes, count: int, names: Sequence[str] | None) -> None:
    """Write the columns' names under ``axes`` while there is room, and their numbers otherwise."""
    if names is None or count > _NAMES_AT_MOST:
        axes.set_xlabel("feature")
        axes.locator_params(axis="x", integer=True)
        return
    shown = [plain(name, 18) for name in names]
    turned = sum(map(len, shown)) > 90
    axes.set_xticks(
        range(count), shown, rotation=40 if turned else 0, ha="right" if turned else "center"
    )
