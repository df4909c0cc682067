"""The style of all pictures: colours, lettering, frame, and how a file is written.

A picture is a plain ``matplotlib.figure.Figure``: pyplot, its global list of figures and its choice
of a window system never come in, so drawing is safe on a server and in a worker process.
"""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archbuild.io.atomic import write_atomic
from archbuild.printable import one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

DPI = 100
WIDTH = 1200
"""Pixels from side to side: what a README shows without shrinking the lettering away."""

# Chosen by maximin distance in OKLab, over normal sight and simulated protanopia and deuteranopia
# (Machado et al. 2009) at once: the first ten keep 0.19 / 0.12 / 0.12, where tab10 keeps
# 0.11 / 0.01 / 0.02. Each further colour is the one furthest from all before it. No greys: grey
# means "no label". All are dark enough for white paper.
PALETTE = (
    *("#5566ff", "#cc9955", "#118888", "#dd2222", "#8800bb"),
    *("#33dddd", "#772211", "#cc88ff", "#aadd33", "#004466"),
    *("#ff11aa", "#0000ff", "#ffaaaa", "#447711", "#6688cc"),
    *("#441199", "#884488", "#ff77aa", "#006655", "#8855cc"),
    *("#aa6666", "#771155", "#77bbdd", "#22bb77", "#bbbb44"),
    *("#aa3355", "#aa8800", "#00aacc", "#444499", "#33ee77"),
    *("#9977aa", "#9977ff", "#774400", "#77cc88", "#4400dd"),
    *("#dd4488", "#ccaaff", "#bb33aa", "#cc7755", "#0055ee"),
)
MARKERS = ("o", "^", "s", "D")
"""The shape changes after every ten colours, so that colour is never the only sign."""
GREY = "#b4b4b4"
"""Points without a label, and whatever stands for the data as a whole."""
INK = "#333333"
"""Clusters beside classes: they go by their number, as cluster 0 need not be class 0."""

_SETTINGS: dict[str, Any] = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666666",
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": "white",
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "legend.frameon": False,
    "legend.fontsize": 11,
}
_TITLE_LINE = 27
_WIDER_FONTS = ("Noto Sans CJK JP", "Noto Sans", "Arial Unicode MS", "Segoe UI Symbol")


def colour(number: int) -> str:
    """Return the colour of class ``number``, equal in every picture; negative is grey."""
    return GREY if number < 0 else PALETTE[number % len(PALETTE)]


def matched_colours(matching: Mapping[int, int], n_clusters: int, n_classes: int) -> list[int]:
    """Return the number of the colour of each cluster: that of its class, where it has one.

    Others have colours that no class has.

    Args:
        matching: cluster -> class, as ``match_clusters`` returns it.
        n_clusters: number of clusters.
        n_classes: number of classes.
    """
    spare = iter(range(n_classes, n_classes + n_clusters))
    return [matching[k] if k in matching else next(spare) for k in range(n_clusters)]


def marker(number: int) -> str:
    """Return the point shape of class ``number``: it changes after every ten."""
    return MARKERS[max(number, 0) // 10 % len(MARKERS)]


def lettering_on(background: tuple[float, float, float] | str) -> str:
    """Return ``black`` or ``white``, whichever reads better on ``background``."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(background)
    return "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.55 else "black"


def plain(text: object, width: int | None = None) -> str:
    """Make ``text`` safe to draw: one line, literal dollar signs, at most ``width`` characters.

    The cut is in the middle: names of one family differ at the end as often as at the start.
    """
    line = one_line(" ".join(str(text).split()))  # bytes that are no UTF-8 have no letter
    if width is not None and len(line) > width:
        tail = width // 2
        line = f"{line[: width - 1 - tail].rstrip()}…{line[-tail:].lstrip()}"
    return line.replace("$", r"\$")


def percent(share: float) -> str:
    """Return a share from 0 to 1 in whole per cent; what would round to none is ``<1%``."""
    return f"{share:.0%}" if share >= 0.005 else "<1%"


def class_name(class_names: Sequence[str] | None, number: int, width: int = 24) -> str:
    """Return the name of class ``number`` ready to draw; its number if it has no name."""
    known = class_names is not None and 0 <= number < len(class_names)
    return plain(class_names[number] if known and class_names else number, width)


@contextmanager
def styled() -> Iterator[None]:
    """Draw and save inside: matplotlib's defaults and ours, whatever the user's own are."""
    from matplotlib import style
    from matplotlib.font_manager import fontManager

    installed = set(fontManager.get_font_names())
    fonts = ["DejaVu Sans", *(name for name in _WIDER_FONTS if name in installed)]
    settings = {**_SETTINGS, "font.family": fonts}
    with style.context(["default", settings]), warnings.catch_warnings():
        # A class name in a script that no installed font has shows boxes; that is no defect.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def new_figure(title: str, caption: str = "", *, width: int = WIDTH, height: int = 800) -> Figure:
    """Return an empty figure of ``width`` x ``height`` pixels with its title and caption."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    FigureCanvasAgg(figure)
    _lay_out(figure)
    left = 10 / width
    lines = _wrapped(title, width // 14)
    figure.suptitle(lines, x=left, ha="left", fontsize=15, fontweight="bold")
    if caption:
        lines = _wrapped(caption, width // 8)
        figure.supxlabel(lines, x=left, ha="left", fontsize=10, color="#555555")
    return figure


def _lay_out(figure: Figure, right: float = 1.0) -> None:
    """Reserve the left part of the figure, as far as ``right`` of 1, for the axes."""
    figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08, rect=(0, 0, right, 1))


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(plain(text), width, break_on_hyphens=False)


def legend_outside(figure: Figure, **settings: Any) -> Legend:
    """Add ``figure.legend`` at the right edge below the title; the axes make room for it.

    Matplotlib's own outside placement starts at the very top, where long titles are.
    """
    lines = 1 + figure.get_suptitle().count("\n")
    width, height = figure.get_size_inches() * DPI
    top = 1 - (10 + _TITLE_LINE * lines) / height
    legend = figure.legend(loc="upper right", bbox_to_anchor=(0, 0, 1, top), **settings)
    _lay_out(figure, 1 - (legend.get_window_extent().width + 12) / width)
    return legend


def save(figure: Figure, path: str | Path) -> Path:
    """Write ``figure`` as PNG to ``path`` and return the path.

    Folders are made as needed, and a reader sees the old picture or the new one, never half of one.
    Nothing that changes from run to run (dates, versions) goes into the file.

    Raises:
        RunError: the disk is full, the folder is read-only, or anything like it.
    """
    path = Path(path)
    write_atomic(path, partial(_write_png, figure))
    return path


def _write_png(figure: Figure, path: Path) -> None:
    _settle(figure)
    figure.savefig(path, format="png", dpi=DPI, metadata={"Software": None})


def _settle(figure: Figure) -> None:
    """Lay the figure out, once: left to ``savefig``, all is drawn one time more to lay it out."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")
