from __future__ import annotations

import numpy as np
import pytest

from archbuild.evaluation.n_clusters import CLEAR, Candidate, Suggestion
from archbuild.figures.candidates import candidates_figure, draw_candidates
from archbuild.figures.style import styled


def _suggestion(clear=True, nearly=(5,)):
    candidates = [
        Candidate(k, 0.7 - 0.1 * abs(k - 4), 0.9 - 0.02 * k, -100.0 - k, 0.3) for k in range(2, 8)
    ]
    chosen = 4 if clear else 2
    return Suggestion(chosen, clear, nearly if clear else (), -50.0, 300, tuple(candidates))


def _axes(suggestion):
    with styled():
        return candidates_figure(suggestion, "DIGITS · how many?").axes


def test_the_measures_are_drawn_against_the_number_of_clusters():
    left, right = _axes(_suggestion())
    separation, stability, bound = left.lines[:3]
    np.testing.assert_allclose(separation.get_xdata(), range(2, 8))
    np.testing.assert_allclose(separation.get_ydata(), [0.5, 0.6, 0.7, 0.6, 0.5, 0.4])
    np.testing.assert_allclose(stability.get_ydata()[0], 0.86)
    assert bound.get_ydata() == [CLEAR, CLEAR]
    np.testing.assert_allclose(right.lines[0].get_xdata(), range(1, 8))
    np.testing.assert_allclose(right.lines[0].get_ydata()[:3], [-50, -102, -103])


def test_the_suggestion_is_a_line_and_what_is_nearly_as_good_a_band():
    for axes in _axes(_suggestion()):
        assert list(axes.lines[-1].get_xdata()) == [4, 4]
        bands = sorted((patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches)
        assert bands == [(3.5, 4.5), (4.5, 5.5)]
        assert [text.get_text() for text in axes.texts] == ["4"]


def test_without_clear_clusters_nothing_is_marked(words):
    suggestion = _suggestion(clear=False)
    for axes, drawn in zip(_axes(suggestion), (3, 1), strict=True):
        assert len(axes.lines) == drawn
        assert not axes.patches
    with styled():
        assert any("no clear clusters" in text for text in words(candidates_figure(suggestion, "")))


@pytest.mark.parametrize("clear", [True, False])
def test_same_input_same_bytes_other_input_other_picture(tmp_path, clear, pixels):
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    suggestions = [_suggestion(clear)] * 2 + [_suggestion(not clear)]
    for path, suggestion in zip(paths, suggestions, strict=True):
        assert draw_candidates(suggestion, "DIGITS", path) == path
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert not np.array_equal(pixels(paths[0]), pixels(paths[2]))
