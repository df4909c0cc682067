from __future__ import annotations

import numpy as np
import pytest

from archbuild.figures.curves import curves_figure, draw_curves, loss_terms
from archbuild.figures.style import styled


def _history(epochs: int = 12) -> list[dict[str, float | None]]:
    return [
        {
            "epoch": epoch,
            "reconstruction": 1 / epoch,
            "clustering": 0.001 * epoch,
            "loss": 1 / epoch + 0.001 * epoch,
            "learning_rate": 0.01 / epoch,
            "occupied": 9,
            "n_clusters": 10,
            "label_change": None if epoch == 1 else 0.5 / epoch,
            "entropy": 2.1,
            "smallest_share": 0.0,
            "largest_share": 0.4,
        }
        for epoch in range(1, epochs + 1)
    ]


def _lines(axes) -> dict[str, np.ndarray]:
    return {line.get_label(): np.asarray(line.get_ydata()) for line in axes.lines}


def _titles(figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes]


def test_loss_terms_are_found_by_name_with_the_sum_first():
    rows = [*_history(2), {"epoch": 3, "late": 1, "note": "text", "flag": True, "seconds": 2.0}]
    assert loss_terms(rows) == ["loss", "reconstruction", "clustering", "late"]


def test_shares_of_all_clusters_are_no_term():
    rows = [{**row, "shares": [0.4, 0.6]} for row in _history(2)]
    assert loss_terms(rows) == ["loss", "reconstruction", "clustering"]


def test_every_term_is_drawn_with_its_values():
    with styled():
        lines = _lines(curves_figure(_history(), "DIGITS").axes[0])
    assert list(lines) == ["loss", "reconstruction", "clustering"]
    assert np.allclose(lines["reconstruction"], 1 / np.arange(1, 13))


def test_panels_for_what_became_of_the_clusters():
    with styled():
        figure = curves_figure(_history(), "DIGITS · cluster-kld")
    headings = " ".join(_titles(figure))
    for word in ("occupied", "changed cluster", "share of rows", "entropy", "learning rate"):
        assert word in headings
    change = next(axes for axes in figure.axes if "changed" in axes.get_title(loc="left"))
    values = change.lines[0].get_ydata()
    assert np.isnan(values[0])
    assert np.allclose(values[1:], 50 / np.arange(2, 13))


def test_a_dotted_line_in_every_panel_ends_each_round():
    with styled():
        figure = curves_figure(_history(), "SERKET3000 · messages", "a note", rounds=[4, 8])
        plain = curves_figure(_history(), "DIGITS · kld", "a note")
    for axes in figure.axes:
        ends = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == ":"]
        assert ends == [4.5, 8.5]
    assert figure._supxlabel.get_text().startswith("Dotted: a round ends")
    assert plain._supxlabel.get_text() == "a note"
    assert not any(line.get_linestyle() == ":" for axes in plain.axes for line in axes.lines)


def test_rounds_that_are_still_to_come_do_not_widen_the_picture():
    with styled():
        figure = curves_figure(_history(5), "SERKET3000 · messages", rounds=[4, 8])
        figure.draw_without_rendering()
    assert all(axes.get_xlim()[1] < 6 for axes in figure.axes)


def test_pretraining_has_no_cluster_panels():
    with styled():
        figure = curves_figure([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.4}], "DIGITS")
    assert len(figure.axes) == 1


@pytest.mark.parametrize(
    ("losses", "scale"),
    [([1.0, 0.9], "linear"), ([1.0, 0.001], "log"), ([1.0, 0.001, 0.0], "log"), ([0, 0], "linear")],
)
def test_logarithmic_when_sensible(losses, scale):
    history = [{"epoch": i, "loss": value} for i, value in enumerate(losses, 1)]
    with styled():
        assert curves_figure(history, "DIGITS").axes[0].get_yscale() == scale


def test_beside_a_large_negative_term_small_ones_get_their_own_axis():
    history = [{"epoch": i, "loss": -200.0 - i, "elbo": -201.0 - i, "kl": 0.1} for i in (1, 2)]
    with styled():
        upper, lower = curves_figure(history, "DIGITS").axes
    assert set(_lines(upper)) == {"loss", "elbo"}
    assert set(_lines(lower)) == {"kl"}
    assert upper.get_yscale() == "linear"


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_term_that_stopped_being_finite_is_named(broken):
    history = _history()
    history[4]["clustering"] = broken
    with styled():
        lines = _lines(curves_figure(history, "DIGITS").axes[0])
    assert "clustering (not finite in epoch 5)" in lines
    assert np.isnan(lines["clustering (not finite in epoch 5)"][4])


def test_a_term_that_starts_late_is_not_called_broken():
    history = [{"epoch": 1, "loss": 1.0}, {"epoch": 2, "loss": 0.9, "late": 0.5}]
    with styled():
        assert list(_lines(curves_figure(history, "DIGITS").axes[0])) == ["loss", "late"]


def test_no_epochs_are_said_to_be_none(words):
    with styled():
        assert "no epochs yet" in words(curves_figure([], "DIGITS"))


def test_epochs_are_whole_numbers(words):
    with styled():
        figure = curves_figure([{"epoch": 1, "loss": 0.5}], "one epoch")
        figure.draw_without_rendering()
        axes = figure.axes[0]
        low, high = axes.get_xlim()
        assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [1]


def test_names_and_titles_with_dollar_signs(tmp_path, pixels):
    history = [{"epoch": 1, "loss": 1.0, r"$\frac{": 0.5}]
    pixels(draw_curves(history, "a $title", tmp_path / "a.png", "a $caption"))


@pytest.mark.parametrize("epochs", [1, 300])
def test_same_input_same_bytes_other_input_other_picture(tmp_path, epochs, pixels):
    other = _history(epochs)
    other[-1]["reconstruction"] = 0.3
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    for path, rows in zip(paths, (_history(epochs), _history(epochs), other), strict=True):
        assert draw_curves(rows, "DIGITS", path) == path
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert not np.array_equal(pixels(paths[0]), pixels(paths[2]))


def test_separations_are_no_terms_of_the_loss(words):
    history = [
        {"epoch": epoch, "loss": 1.0, "smallest_separation": 0.2, "largest_separation": 0.1}
        for epoch in (1, 2)
    ]
    assert loss_terms(history) == ["loss"]
    with styled():
        assert "separation" in words(curves_figure(history, "DIGITS"))


def test_confident_rows_are_a_share_and_no_term_of_the_loss():
    history = [{"epoch": epoch, "loss": 1.0, "confident": epoch / 3} for epoch in range(1, 4)]
    assert loss_terms(history) == ["loss"]
    with styled():
        figure = curves_figure(history, "DIGITS")
    axes = next(axes for axes in figure.axes if "confident" in axes.get_title(loc="left"))
    assert np.allclose(axes.lines[0].get_ydata(), [100 / 3, 200 / 3, 100])
