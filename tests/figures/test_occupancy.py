from __future__ import annotations

import numpy as np
import pytest

from archbuild.figures.occupancy import draw_occupancy, occupancy_figure, shares_of
from archbuild.figures.style import styled


def _history(shares) -> list[dict]:
    return [
        {"epoch": epoch, "loss": 1.0} | ({} if row is None else {"shares": list(row)})
        for epoch, row in enumerate(shares, 1)
    ]


SHRINKING = [[0.5, 0.3, 0.2], [0.6, 0.3, 0.1], [0.7, 0.3, 0.0]]


def _figure(shares, caption=""):
    with styled():
        return occupancy_figure(_history(shares), "DIGITS · vade", caption)


def _note(figure) -> str:
    return figure._supxlabel.get_text() if figure._supxlabel else ""


def test_epochs_that_do_not_tell_are_blank():
    shares = shares_of([{"epoch": 1}, {"epoch": 2, "shares": None}, {"shares": [0.25, 0.75]}])
    np.testing.assert_array_equal(shares, [[np.nan] * 2, [np.nan] * 2, [0.25, 0.75]])


def test_bands_are_stacked_from_the_top():
    bands = [patch.get_data() for patch in _figure([None, *SHRINKING]).axes[0].patches]
    assert len(bands) == 3
    np.testing.assert_allclose(bands[0].values, [np.nan, 1, 1, 1])
    np.testing.assert_allclose(bands[2].baseline, [np.nan, 0, 0, 0], atol=1e-12)
    for band, shares in zip(bands, np.transpose(SHRINKING), strict=True):
        np.testing.assert_allclose((band.values - band.baseline)[1:], shares, atol=1e-12)
        np.testing.assert_allclose(band.edges, [0.5, 1.5, 2.5, 3.5, 4.5])


def test_a_band_is_numbered_at_its_end_or_where_it_was_widest():
    texts = {text.get_text(): text for text in _figure(SHRINKING).axes[0].texts}
    assert list(texts) == ["0", "1", "2"]
    assert texts["0"].xy == (1, pytest.approx(0.65))
    assert texts["2"].get_position() == (1, pytest.approx(0.1))


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        (SHRINKING, "1 of 3 clusters is empty in the last epoch: 2."),
        ([[1.0, 0.0, 0.0]], "2 of 3 clusters are empty in the last epoch: 1, 2."),
        (SHRINKING[:2], "All 3 clusters hold points in the last epoch."),
        ([*SHRINKING, None], "The last epoch has no shares."),
        ([np.eye(40)[0]], "39 of 40 clusters are empty in the last epoch."),
        ([None, None], ""),
    ],
)
def test_the_caption_says_what_is_left(shares, words):
    assert _note(_figure(shares, "And more.")) == f"{words} And more.".strip()


def test_many_clusters_become_rows_of_a_map(rng):
    shares = rng.dirichlet(np.ones(30), 5)
    shares[-1, 3] = 0
    axes = _figure([None, *shares]).axes[0]
    (image,) = axes.images
    drawn = np.ma.filled(image.get_array(), np.nan)
    np.testing.assert_allclose(drawn[:, 1:], shares.T)
    assert np.isnan(drawn[:, 0]).all()
    empty, least = image.cmap(image.norm([0.0, 1e-6]))
    assert not np.allclose(empty, least, atol=0.05)


def test_epochs_are_whole_numbers():
    figure = _figure(SHRINKING[:1])
    figure.draw_without_rendering()
    low, high = figure.axes[0].get_xlim()
    assert [tick for tick in figure.axes[0].get_xticks() if low <= tick <= high] == [1]


@pytest.mark.parametrize("history", [[], [{"epoch": 1, "loss": 2.0}]])
def test_no_clusters_are_said_to_be_none(history, words):
    with styled():
        assert "no clusters yet" in words(occupancy_figure(history, "DIGITS"))


@pytest.mark.parametrize("clusters", [2, 40])
def test_same_input_same_bytes_other_input_other_picture(tmp_path, rng, clusters, pixels):
    shares = rng.dirichlet(np.ones(clusters), 30)
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    for path, rows in zip(paths, (shares, shares, shares[::-1]), strict=True):
        assert draw_occupancy(_history(rows), "DIGITS", path, "a $caption") == path
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert not np.array_equal(pixels(paths[0]), pixels(paths[2]))
