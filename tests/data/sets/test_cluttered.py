"""CLUTTERED: what its images are made of, and that they are made once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from archbuild.data.registry import DATASETS, held_out, load_dataset
from archbuild.data.sets import cluttered
from archbuild.data.sets.cluttered import LARGE, SMALL, Digits, made

FEW = {"train": 300, "valid": 40, "test": 50}


@pytest.fixture
def few(monkeypatch):
    """Fewer images of both sizes."""
    for name in ("LARGE", "SMALL"):
        recipe = replace(getattr(cluttered, name), counts=FEW)
        monkeypatch.setattr(cluttered, name, recipe)


def solid(recipe, values):
    """Digits that are squares of one grey each, which is also their label."""
    images = np.full((len(values), recipe.digit, recipe.digit), 0, np.uint8)
    images += np.array(values, np.uint8)[:, None, None]
    return Digits(images, np.array(values))


@pytest.mark.parametrize("recipe", [LARGE, SMALL], ids=["large", "small"])
def test_three_digits_stand_on_a_slope_from_left_to_right(recipe, monkeypatch):
    monkeypatch.setattr(cluttered, "N_PATCHES", 0)
    recipe = replace(recipe, counts={"train": 200})
    images, labels = made(recipe, "train", solid(recipe, [10, 20, 30]))
    tops, lefts = np.zeros((2, 200, 3), int)
    for number, (image, digits) in enumerate(zip(images[..., 0], labels, strict=True)):
        columns = np.flatnonzero(image.any(axis=0))
        assert len(columns) == 3 * recipe.digit  # side by side, without a gap
        for place, label in enumerate(digits):
            part = image[:, columns[place * recipe.digit : (place + 1) * recipe.digit]]
            rows = np.flatnonzero(part[:, 0])
            assert (part[rows] == label).all()
            assert len(rows) == recipe.digit
            lefts[number, place], tops[number, place] = columns[0], rows[0]
    assert (lefts.min(), lefts.max()) == (recipe.start[0], recipe.start[1] - 1)
    last = recipe.side - recipe.digit
    assert (tops.min(), tops.max()) == (0, last)
    inside = (tops[:, 1:] % last > 0).all(axis=1) & (tops[:, 0] < last)
    down = np.diff(tops[inside])
    assert (down[:, 0] == down[:, 1]).all()
    assert (down.min(), down.max()) == (recipe.slope[0], recipe.slope[1] - 1)


def test_patches_are_added_up_to_white():
    recipe = replace(SMALL, counts={"train": 300})
    images, _ = made(recipe, "train", solid(recipe, [100]))
    assert set(np.unique(images)) == {0, 100, 200, 255}
    beyond = (images > 0).sum(axis=(1, 2, 3)) - 3 * recipe.digit**2
    assert beyond.min() > 0
    assert beyond.max() <= cluttered.N_PATCHES * recipe.patch**2


def test_images_are_always_the_same_and_differ_from_part_to_part(few):
    source = solid(SMALL, range(1, 11))
    recipe = replace(SMALL, counts=FEW)
    one, again, other = (made(recipe, part, source) for part in ("valid", "valid", "test"))
    np.testing.assert_array_equal(one[0], again[0])
    np.testing.assert_array_equal(one[1], again[1])
    assert (one[0][:40] != other[0][:40]).any()


def test_parts_are_made_of_disjoint_digits(tmp_path):
    found = {part: cluttered._digits_of(SMALL, part, tmp_path) for part in FEW}
    assert sum(len(digits.images) for digits in found.values()) == 1797
    assert found["train"].images.max() == 255
    enlarged = cluttered._digits_of(LARGE, "test", tmp_path).images
    assert enlarged.shape == (297, 28, 28)


def test_images_are_made_once_and_then_read(few, tmp_path, monkeypatch, caplog):
    first = load_dataset("cluttered-small", tmp_path)
    assert first.shape == (1, 40, 40)
    assert (first.labels_per_row, first.n_classes, first.n_unlabelled) == (3, 10, 0)
    assert first.row_labels is None
    assert "making its images" in caplog.text
    monkeypatch.setattr(cluttered, "made", None)  # it would fail
    again = load_dataset("CLUTTERED-SMALL", tmp_path)
    assert again.digest() == first.digest()
    np.testing.assert_array_equal(again.labels, first.labels)
    assert DATASETS["CLUTTERED-SMALL"].find(tmp_path) == (True, first.source)


def test_the_large_ones_are_made_of_digits_where_there_is_no_mnist(few, tmp_path):
    assert DATASETS["CLUTTERED-TEST"].find(tmp_path)[1].startswith("made of DIGITS")
    found = load_dataset("CLUTTERED-TEST", tmp_path)
    assert found.source.endswith("test-digits.npz")
    assert found.values.shape == (50, 100, 100, 1)


def test_a_folder_that_cannot_be_written_costs_time_alone(few, tmp_path):
    (tmp_path / "CLUTTERED-SMALL").write_text("a file in the way")
    assert len(load_dataset("CLUTTERED-SMALL", tmp_path)) == FEW["train"]


def test_the_test_part_is_held_out(few, tmp_path):
    assert len(held_out("CLUTTERED-SMALL", tmp_path)) == FEW["test"]
