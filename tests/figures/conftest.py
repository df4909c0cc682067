"""How the tests of this room look at a picture: its pixels, and the words of a figure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image


@pytest.fixture
def pixels() -> Callable[[Path], np.ndarray]:
    """(height, width, 3) of a picture, which must be a PNG of a sane size."""

    def read(path: Path) -> np.ndarray:
        with Image.open(path) as image:
            assert image.format == "PNG"
            assert 1200 <= image.width <= 1600
            assert 150 <= image.height <= 5000
            return np.asarray(image.convert("RGB"))

    return read


@pytest.fixture
def words() -> Callable[[Figure], list[str]]:
    """Every text of a figure that is visible and not empty."""

    def collect(figure: Figure) -> list[str]:
        figure.draw_without_rendering()
        texts = (text for text in figure.findobj(Text) if text.get_visible())
        return [text.get_text() for text in texts if text.get_text()]

    return collect
