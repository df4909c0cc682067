from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import load_dataset
from archbuild.data.request import ReadOptions
from archbuild.data.summary import summarise
from archbuild.errors import DataError
from tests.data.writers import write_image

RNG = np.random.default_rng(0)


def scaling_of(folder, values) -> str:
    np.save(folder / "x.npy", values)
    return summarise(str(folder / "x.npy")).scaling


def test_a_table_and_its_labels(tmp_path):
    lines = [f"{value},{1000 * value * value},{'ab'[value % 2]}" for value in range(10)]
    (tmp_path / "x.csv").write_text("\n".join(["a,b,label", *lines]) + "\n")
    summary = summarise(str(tmp_path / "x.csv"))
    assert (summary.n_rows, summary.shape, summary.n_classes) == (10, (2,), 2)
    assert summary.scaling == "standardise"
    assert summary.reason == "ranges go from 9 to 8.1e+04 in width"


@pytest.mark.parametrize(
    ("values", "scaling"),
    [
        (RNG.normal(size=(50, 4)) * [1, 10, 100, 1000], "standardise"),
        (RNG.integers(0, 256, (50, 4), np.uint8), "none"),
        (RNG.integers(0, 17, (500, 4)).astype(np.float32), "minmax"),
        (np.repeat(np.eye(2), 20, 0), "none"),
        (np.repeat(np.eye(2), 20, 0) * [1, 0.01], "standardise"),
        (RNG.normal(size=(20, 30, 1)), "standardise"),
        (RNG.random((20, 8, 8, 1)), "none"),
        (RNG.integers(0, 256, (20, 8, 8, 3)).astype(np.float32), "minmax"),
    ],
)
def test_the_scaling_follows_the_ranges(tmp_path, values, scaling):
    assert scaling_of(tmp_path, values) == scaling


def test_constant_columns_do_not_hide_a_common_range(tmp_path):
    values = np.zeros((50, 10), np.float32)
    values[:, :4] = RNG.integers(0, 17, (50, 4))
    values[:2, :4] = [[0] * 4, [16] * 4]
    assert scaling_of(tmp_path, values) == "minmax"


def test_photographs_are_brought_to_a_sensible_size(tmp_path):
    for number in range(3):
        write_image(tmp_path / f"{number}.png", np.full((300, 400, 3), number, np.uint8))
    write_image(tmp_path / "other.png", np.zeros((9, 9), np.uint8))
    summary = summarise(str(tmp_path))
    assert (summary.n_rows, summary.shape, summary.n_classes) == (4, (3, 48, 64), None)
    assert summary.size_reason == "the most common size, 300 x 400, brought down"


def test_photographs_of_many_sizes_are_brought_to_the_median(tmp_path):
    for number in range(5):
        image = np.full((20 + 2 * number, 40 - number), number, np.uint8)
        write_image(tmp_path / f"{number}.png", image)
    summary = summarise(str(tmp_path))
    assert summary.shape == (1, 24, 38)
    assert summary.size_reason == "the median size, 24 x 38"


def test_images_of_one_colour_are_refused(tmp_path):
    for name in ("1.png", "2.png"):
        write_image(tmp_path / name, np.full((4, 4), 9, np.uint8))
    with pytest.raises(DataError, match=r"all 2 images in .* have one colour"):
        summarise(str(tmp_path))


def test_small_images_keep_their_size(tmp_path):
    for name in ("a/1.png", "b/2.png"):
        write_image(tmp_path / name, np.eye(28, 20, dtype=np.uint8))
    summary = summarise(str(tmp_path))
    assert (summary.shape, summary.n_classes) == ((1, 28, 20), 2)
    assert summary.size_reason == "the most common size, 28 x 20"


def test_rows_that_may_be_images_are_said_to_be(tmp_path):
    np.save(tmp_path / "x.npy", np.eye(9, 784))
    np.save(tmp_path / "y.npy", np.eye(9, 16))
    assert summarise(str(tmp_path / "x.npy")).size_reason.startswith("or [1, 28, 28]")
    assert summarise(str(tmp_path / "y.npy")).size_reason == ""


def test_bytes_that_may_be_images_are_taken_for_images(tmp_path):
    np.save(tmp_path / "x.npy", np.eye(9, 784, dtype=np.uint8))
    summary = summarise(str(tmp_path / "x.npy"))
    assert summary.shape == (1, 28, 28)
    assert summary.size_reason.startswith("[784], and no augment")
    assert "rows of 784 bytes are taken for square ones, 28 x 28; write output_shape: [784]" in (
        str(summary.guesses[-1])
    )


def test_folders_of_classes_are_not_labels_if_none_are_wanted(tmp_path):
    for name in ("a/1.png", "b/2.png"):
        write_image(tmp_path / name, np.eye(9, dtype=np.uint8))
    assert "labels" in [guess.subject for guess in summarise(str(tmp_path)).guesses]
    summary = summarise(str(tmp_path), ReadOptions(labels="none"))
    assert "labels" not in [guess.subject for guess in summary.guesses]


def test_one_coloured_image_among_grey_ones_is_named(tmp_path):
    for number in range(3):
        write_image(tmp_path / f"{number}.png", np.eye(9, dtype=np.uint8))
    write_image(tmp_path / "red.png", np.full((9, 9, 3), [200, 0, 0], np.uint8))
    summary = summarise(str(tmp_path))
    assert summary.shape == (3, 9, 9)
    line = "channels: 3, as 1 images have colours ('red.png'); 3 are grey"
    assert line in " / ".join(map(str, summary.guesses))
    assert line in " / ".join(map(str, load_dataset(str(tmp_path)).guesses))


def test_rows_that_training_refuses_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((9, 4)))
    with pytest.raises(DataError, match=r"all 9 rows of .* are equal"):
        summarise(str(tmp_path / "x.npy"))


def test_a_dataset_can_be_named():
    summary = summarise("digits")
    assert (summary.n_rows, summary.shape, summary.n_classes) == (1797, (1, 8, 8), 10)


def test_what_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(DataError, match="no file or folder"):
        summarise(str(tmp_path / "none.csv"))


def test_counts_are_log_normalised_and_pixels_are_not(tmp_path):
    counts = RNG.poisson(RNG.gamma(0.1, 3, size=(1, 150)) * RNG.uniform(1, 9, (80, 1)))
    np.save(tmp_path / "counts.npy", counts)
    summary = summarise(str(tmp_path / "counts.npy"))
    assert summary.counts == "log_normalise"
    assert summary.scaling == "none"
    assert any("counts=none" in str(guess) for guess in summary.guesses)
    assert summarise(str(tmp_path / "counts.npy"), ReadOptions(counts="none")).counts == "none"
    pixels = RNG.integers(0, 256, (80, 150)) * (RNG.random((80, 150)) < 0.2)
    for number, values in enumerate((pixels, counts > 0, counts / 2, RNG.normal(size=(80, 150)))):
        np.save(tmp_path / f"{number}.npy", values)
        assert summarise(str(tmp_path / f"{number}.npy")).counts is None


def test_a_counter_of_rows_is_written_as_what_it_is(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,row_nr\n" + "".join(f"{row / 2},{row + 1}\n" for row in range(12)))
    assert summarise(str(path)).columns == {"row_nr": "identifier"}
    path.write_text("id,a\n" + "".join(f"{row},{row / 2}\n" for row in range(12)))
    assert summarise(str(path)).columns == {}  # its place says it
