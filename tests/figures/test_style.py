from __future__ import annotations

import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from archbuild.errors import RunError
from archbuild.figures import style


def _oklab(hexes: tuple[str, ...], sight: np.ndarray) -> np.ndarray:
    """OKLab of colours as seen by eyes whose linear-RGB response is ``sight`` (3, 3)."""
    rgb = np.array([to_rgb(text) for text in hexes])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ sight.T, 0, 1)
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return np.cbrt(linear @ cones.T) @ lab.T


PROTANOPIA = np.array(
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]
)
DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)


@pytest.mark.parametrize(
    ("sight", "first_ten", "all_forty"),
    [(np.eye(3), 0.18, 0.07), (PROTANOPIA, 0.11, 0.04), (DEUTERANOPIA, 0.11, 0.04)],
    ids=["normal", "protanopia", "deuteranopia"],
)
def test_colours_stay_apart_for_all_eyes(sight, first_ten, all_forty):
    lab = _oklab(style.PALETTE, sight)
    distance = np.linalg.norm(lab[:, None] - lab[None], axis=-1) + 9 * np.eye(len(lab))
    assert distance[:10, :10].min() > first_ten
    assert distance.min() > all_forty


def test_a_number_has_one_colour_and_unlabelled_is_grey():
    assert style.colour(3) == style.PALETTE[3]
    assert style.colour(len(style.PALETTE) + 3) == style.colour(3)
    assert style.colour(-1) == style.GREY
    assert style.GREY not in style.PALETTE


def test_colour_and_marker_together_tell_forty_classes_apart():
    assert len({(style.colour(i), style.marker(i)) for i in range(40)}) == 40
    assert style.marker(9) != style.marker(10)


@pytest.mark.parametrize(
    ("text", "drawn"),
    [("cost $5", r"cost \$5"), ("two\nlines", "two lines"), ("a" * 30, "aaaa…aaaaa"), (7, "7")],
)
def test_plain_is_safe_to_draw(text, drawn):
    assert style.plain(text, 10) == drawn


def test_bytes_that_are_no_utf8_are_drawn_escaped():
    assert style.plain("b\udcff") == r"b\udcff"


def test_class_name_falls_back_to_the_number():
    assert style.class_name(["cat", "dog"], 1) == "dog"
    assert style.class_name(["cat", "dog"], 2) == "2"
    assert style.class_name(None, 0) == "0"


def test_lettering_is_dark_on_light_and_light_on_dark():
    assert style.lettering_on("#ffffcc") == "black"
    assert style.lettering_on("#0000ff") == "white"


def test_mathematics_in_a_title_is_drawn_as_it_was_typed(tmp_path, pixels):
    # An unfinished formula would raise in matplotlib's parser.
    with style.styled():
        path = style.save(style.new_figure(r"$\frac{1$ and $x_2", height=200), tmp_path / "a.png")
    assert pixels(path).shape == (200, 1200, 3)


def test_save_makes_folders_and_leaves_nothing_beside_the_picture(tmp_path):
    path = tmp_path / "deep" / "er" / "a.png"
    with style.styled():
        assert style.save(style.new_figure("first", height=200), path) == path
        first = path.read_bytes()
        style.save(style.new_figure("second", height=200), path)
    assert path.read_bytes() != first
    assert [file.name for file in path.parent.iterdir()] == ["a.png"]


def test_a_picture_that_cannot_be_drawn_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    with style.styled():
        figure = style.new_figure("new", height=200)
        monkeypatch.setattr(figure, "savefig", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            style.save(figure, path)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"old"]


def test_a_place_that_cannot_be_written_is_a_run_error(tmp_path):
    (tmp_path / "file").write_text("")
    with style.styled(), pytest.raises(RunError, match="file"):
        style.save(style.new_figure("x", height=200), tmp_path / "file" / "a.png")


def test_the_users_own_settings_change_nothing_and_come_back(tmp_path):
    def draw(name: str) -> bytes:
        with style.styled():
            path = style.save(style.new_figure("x", "y", height=200), tmp_path / name)
        return path.read_bytes()

    plain = draw("a.png")
    with matplotlib.rc_context({"font.size": 30, "text.color": "red", "savefig.dpi": 17}):
        assert draw("b.png") == plain
        assert matplotlib.rcParams["font.size"] == 30


def test_long_titles_and_captions_stay_inside(words):
    with style.styled():
        figure = style.new_figure("long words " * 20, "more of them " * 30)
        renderer = figure.canvas.get_renderer()
        for text in figure.texts:
            extent = text.get_window_extent(renderer)
            assert extent.x0 >= 0
            assert extent.x1 <= 1200
            assert "\n" in text.get_text()


def test_importing_the_room_loads_neither_matplotlib_nor_scikit_learn():
    import subprocess

    code = (
        "import sys, archbuild.figures; "
        "sys.exit(bool({'matplotlib', 'sklearn', 'keras'} & set(sys.modules)))"
    )
    root = Path(style.__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 0
