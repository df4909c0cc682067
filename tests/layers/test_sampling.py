"""Sampling under affine maps against NumPy, its gradients against differences."""

from __future__ import annotations

from collections.abc import Callable
from math import floor

import keras
import numpy as np
import pytest

from archbuild.layers.affine import IDENTITY
from archbuild.layers.sampling import inverse, sample
from tests.objectives.tensors import evaluate, gradients, weighted_sum

Array = np.ndarray


def _axis(length: int) -> Array:
    return np.linspace(-1, 1, length) if length > 1 else np.zeros(1)


def _value(image: Array, x: float, y: float, outside: str) -> Array:
    """Equation 5 at one place, given in pixels: a sum over all pixels near it."""
    height, width, channels = image.shape
    if outside == "border":
        x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
    total = np.zeros(channels)
    for row in (floor(y), floor(y) + 1):
        for column in (floor(x), floor(x) + 1):
            weight = max(0, 1 - abs(x - column)) * max(0, 1 - abs(y - row))
            if 0 <= row < height and 0 <= column < width:
                total += weight * image[row, column]
    return total


def _sampled(images: Array, theta: Array, size: tuple[int, int], outside: str = "zeros") -> Array:
    height, width = images.shape[1:3]
    glimpses = np.zeros((len(images), *size, images.shape[-1]))
    for image, (a, b, c, d, e, f), glimpse in zip(images, theta, glimpses, strict=True):
        for row, y in enumerate(_axis(size[0])):
            for column, x in enumerate(_axis(size[1])):
                across = (a * x + b * y + c + 1) / 2 * (width - 1)
                down = (d * x + e * y + f + 1) / 2 * (height - 1)
                glimpse[row, column] = _value(image, across, down, outside)
    return glimpses


def _maps(rng: np.random.Generator, n: int, spread: float = 0.5) -> Array:
    return np.array(IDENTITY) + spread * rng.normal(size=(n, 6))


def _taking(size: tuple[int, int], outside: str = "zeros") -> Callable[..., Array]:
    return lambda images, theta: sample(images, theta, size, outside)


@pytest.mark.parametrize("outside", ["zeros", "border"])
@pytest.mark.parametrize("size", [(5, 7), (3, 2), (1, 9), (8, 11)])
def test_glimpses_are_those_of_the_equation(
    rng: np.random.Generator, size: tuple[int, int], outside: str
) -> None:
    images, theta = rng.normal(size=(4, 5, 7, 2)), _maps(rng, 4)
    found = evaluate(_taking(size, outside), images, theta)
    np.testing.assert_allclose(found, _sampled(images, theta, size, outside), atol=1e-4)


def test_the_identity_gives_back_the_image(rng: np.random.Generator) -> None:
    images = rng.normal(size=(3, 6, 5, 2)).astype("float32")
    found = evaluate(_taking((6, 5)), images, [IDENTITY] * 3)
    np.testing.assert_allclose(found, images, atol=1e-6)


def test_glimpses_of_the_whole_size_are_those_of_the_backends_own_transform(
    rng: np.random.Generator,
) -> None:
    """Which takes eight numbers, in pixels from the upper left corner."""
    images, theta = rng.normal(size=(4, 7, 7, 2)), _maps(rng, 4, 0.2)
    a, b, c, d, e, f = theta.T
    zero = np.zeros(4)
    numbers = [a, b, 3 * (1 + c - a - b), d, e, 3 * (1 + f - d - e), zero, zero]
    found = evaluate(_taking((7, 7)), images, theta)
    own = evaluate(keras.ops.image.affine_transform, images, np.stack(numbers, axis=1))
    np.testing.assert_allclose(found, own, atol=1e-4)


def test_several_glimpses_of_an_image_are_those_taken_one_by_one(rng: np.random.Generator) -> None:
    images, theta = rng.normal(size=(2, 5, 4, 3)), _maps(rng, 6).reshape(2, 3, 6)
    together = evaluate(_taking((3, 3)), images, theta)
    for step in range(3):
        alone = evaluate(_taking((3, 3)), images, theta[:, step])
        np.testing.assert_array_equal(together[:, step], alone)


def test_far_outside_there_are_zeros_or_the_border() -> None:
    image = np.arange(1, 7).reshape(1, 2, 3, 1)
    away = [[1, 0, 1e30, 0, 1, -1e30]]
    assert not evaluate(_taking((2, 2)), image, away).any()
    assert (evaluate(_taking((2, 2), "border"), image, away) == 3).all()  # the upper right corner


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_map_that_is_not_finite_reads_no_other_memory(broken: float) -> None:
    theta = np.full((1, 6), broken)
    found = evaluate(_taking((2, 2)), np.ones((1, 3, 3, 1)), theta)
    assert found.shape == (1, 2, 2, 1)


@pytest.mark.parametrize("outside", ["zeros", "border"])
def test_gradients_are_those_of_differences(rng: np.random.Generator, outside: str) -> None:
    """The reference is differentiated in double precision, by central differences."""
    images, theta = rng.normal(size=(2, 4, 5, 2)), _maps(rng, 2, 0.2)
    found = gradients(_taking((3, 4), outside), images, theta)
    for which, given in enumerate((images, theta)):
        expected = np.zeros_like(given)
        for place in np.ndindex(given.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = given.copy()
                moved[place] += step
                both = (moved, theta) if which == 0 else (images, moved)
                ends.append(weighted_sum(_sampled(*both, (3, 4), outside)))
            expected[place] = (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose(found[which], expected, atol=2e-3)


def test_a_map_and_its_inverse_cancel(rng: np.random.Generator) -> None:
    theta = _maps(rng, 20, 0.3)
    square = np.zeros((20, 3, 3))
    square[:, :2], square[:, 2, 2] = theta.reshape(20, 2, 3), 1
    expected = np.linalg.inv(square)[:, :2].reshape(20, 6)
    np.testing.assert_allclose(evaluate(inverse, theta), expected, rtol=1e-3, atol=1e-4)


def test_a_flat_map_has_a_finite_inverse() -> None:
    flat = [[0, 0, 0.5, 0, 0, 0.5], [1, 1, 0, 1, 1, 0], [-1e-9, 0, 0, 0, 1, 0]]
    assert np.isfinite(evaluate(inverse, flat)).all()
    for gradient in gradients(inverse, flat):
        assert np.isfinite(gradient).all()
