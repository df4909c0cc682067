from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import dataset as dataset_module
from archbuild.data.arrays import dataset_from_arrays, folder_safe, scale_as_known
from archbuild.data.request import Known, ReadOptions
from archbuild.errors import DataError


def shape_of(values: np.ndarray, input_shape: tuple[int, ...] | None = None) -> tuple[int, ...]:
    return dataset_from_arrays("x", values, input_shape=input_shape).values.shape


def test_bytes_of_three_axes_are_grey_images_scaled_to_one():
    dataset = dataset_from_arrays("x", np.full((4, 3, 5), 255, np.uint8))
    assert dataset.shape == (1, 3, 5)
    assert dataset.rows([0]).max() == pytest.approx(1.0)


def test_booleans_of_three_axes_are_images_as_they_stand():
    dataset = dataset_from_arrays("x", np.ones((4, 3, 5), bool))
    assert dataset.shape == (1, 3, 5)
    assert dataset.rows([0]).max() == 1.0


def test_floats_of_three_axes_are_series_unless_input_is_that_image():
    values = np.zeros((4, 3, 5))
    assert shape_of(values) == (4, 3, 5)
    assert shape_of(values, (1, 3, 5)) == (4, 3, 5, 1)
    assert shape_of(values, (5, 3)) == (4, 3, 5)
    assert shape_of(values, (1, 9, 9)) == (4, 3, 5)


def test_bytes_are_a_series_when_input_is_one():
    assert shape_of(np.zeros((4, 3, 5), np.uint8), (5, 3)) == (4, 3, 5)


def test_channels_first_arrays_are_turned_when_input_says_so():
    values = np.arange(4 * 3 * 5).reshape(4, 3, 5)
    series = dataset_from_arrays("x", values, input_shape=(3, 5))
    np.testing.assert_array_equal(series.rows([2])[0], values[2].T)
    colour = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    images = dataset_from_arrays("x", colour - 0.5, input_shape=(3, 4, 5))
    assert images.shape == (3, 4, 5)
    np.testing.assert_array_equal(images.rows([1])[0, ..., 2], colour[1, 2] - 0.5)


@pytest.mark.parametrize(
    ("shape", "channels", "stored"),
    [
        ((2, 3, 32, 32), None, (2, 32, 32, 3)),
        ((2, 32, 32, 3), None, (2, 32, 32, 3)),
        ((2, 3, 32, 3), None, (2, 3, 32, 3)),
        ((2, 12, 32, 32), None, (2, 32, 32, 12)),
        ((2, 4, 4, 512), None, (2, 4, 4, 512)),
        ((2, 12, 20, 32), None, (2, 12, 20, 32)),
        ((2, 16, 16, 16), None, (2, 16, 16, 16, 1)),
        ((2, 16, 16, 16), "last", (2, 16, 16, 16)),
        ((2, 9, 12, 20), "none", (2, 9, 12, 20, 1)),
        ((2, 5, 8, 8, 8), None, (2, 8, 8, 8, 5)),
        ((2, 28, 28), None, (2, 28, 28, 1)),
        ((2, 28, 28), "last", (2, 28, 28)),
        ((2, 28, 20), "none", (2, 28, 20, 1)),
        ((2, 6, 6), None, (2, 6, 6)),
        ((2, 12, 32, 32), "first", (2, 32, 32, 12)),
        ((2, 3, 32, 32), "last", (2, 3, 32, 32)),
        ((2, 9, 128), "first", (2, 128, 9)),
        ((2, 9, 128), "last", (2, 9, 128)),
    ],
)
def test_the_channel_axis_is_found_or_as_the_user_says(shape, channels, stored):
    dataset = dataset_from_arrays("x", np.zeros(shape), options=ReadOptions(channels=channels))
    assert dataset.values.shape == stored
    assert bool(dataset.guesses) == (channels is None)


@pytest.mark.parametrize(("shape", "channels"), [((3, 4), "first"), ((3, 2, 2, 2, 2), "none")])
def test_channels_that_cannot_be_are_refused(shape, channels):
    with pytest.raises(DataError, match=rf"data\.channels: {channels} does not apply"):
        dataset_from_arrays("x", np.zeros(shape), options=ReadOptions(channels=channels))


def test_new_rows_may_be_flat_where_the_training_rows_had_channels():
    options = ReadOptions(channels="first")
    flat = dataset_from_arrays("x", np.zeros((3, 4)), options=options, known=Known(scale=1.0))
    assert flat.shape == (4,)


@pytest.mark.parametrize(
    ("values", "divisor"),
    [
        (np.array([[[0, 1], [1, 1]]] * 2, np.uint8), 1),
        (np.array([[[0, 255], [9, 1]]] * 2, np.uint8), 255),
        (np.array([[[0, 16], [9, 1]]] * 2, np.uint8), 31),
        (np.array([[[[0], [255]]]] * 2, np.int64), 255),
        (np.array([[[[0], [4000]]]] * 2, np.uint16), 4095),
        (np.array([[[[-5], [255]]]] * 2, np.int16), 1),
        (np.array([[[[0.0], [255.0]]]] * 2), 1),
        (np.array([[0, 255]] * 2, np.int64), 1),
        (np.array([[[[False], [True]]]] * 2), 1),
    ],
)
def test_the_range_decides_the_divisor(values, divisor):
    dataset = dataset_from_arrays("x", values)
    assert dataset.scale == 1 / divisor
    assert dataset_from_arrays("x", values, options=ReadOptions(divide_by=7)).scale == 1 / 7


def test_channels_last_wins_where_both_readings_fit():
    values = np.arange(2 * 3 * 3 * 3).reshape(2, 3, 3, 3)
    dataset = dataset_from_arrays("x", values, input_shape=(3, 3, 3))
    np.testing.assert_array_equal(dataset.values, values)


@pytest.mark.parametrize(
    ("shape", "input_shape", "stored"),
    [
        ((5, 4, 6, 7), (1, 4, 6, 7), (5, 4, 6, 7, 1)),
        ((5, 8, 6, 7, 2), None, (5, 8, 6, 7, 2)),
        ((5, 1, 4, 6, 7), None, (5, 4, 6, 7, 1)),
        ((5, 2, 4, 6, 7), (2, 4, 6, 7), (5, 4, 6, 7, 2)),
    ],
)
def test_volumes_end_with_their_channels(shape, input_shape, stored):
    assert shape_of(np.zeros(shape), input_shape) == stored


@pytest.mark.parametrize(
    ("values", "part"),
    [
        (np.zeros(5), "reshape it to (n, 1)"),
        (np.zeros((2, 2, 2, 2, 2, 2)), "(2, 2, 2, 2, 2, 2)"),
        (np.zeros((1, 5)), "at least 2 rows"),
        (np.zeros((0, 5)), "at least 2 rows"),
        (np.zeros((5, 0)), "nothing in its rows"),
        (np.array([["a"], ["b"]]), "plain numbers"),
        ([[10**20, 1], [2, 3]], "whole numbers beyond 64 bits"),
        ([[10**400, 1], [2, 3]], "whole numbers beyond 64 bits"),
        ([[10**20, None], [2, 3]], "values of type object"),
        (np.array([[1j], [2]]), "complex128"),
        (np.array([[None], [2]]), "object"),
        (np.array([[1], [2]], object), "values of type object"),
    ],
)
def test_arrays_that_cannot_be_clustered_are_refused(values, part):
    with pytest.raises(DataError) as caught:
        dataset_from_arrays("x", values, source="here.npy")
    assert part in str(caught.value)
    assert "here.npy" in str(caught.value)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_what_is_not_finite_is_refused_with_first_row_and_count(bad, monkeypatch):
    monkeypatch.setattr(dataset_module, "_CHUNK_BYTES", 64)  # four rows at a time
    values = np.zeros((20, 2))
    values[[9, 9, 13], [0, 1, 1]] = bad
    with pytest.raises(DataError, match=r"2 of 20 rows, the first of them row 9 "):
        dataset_from_arrays("x", values)


def test_labels_are_encoded():
    dataset = dataset_from_arrays("x", np.zeros((3, 2)), ["b", "a", "b"])
    assert dataset.labels.tolist() == [1, 0, 1]
    assert dataset.class_names == ("a", "b")


@pytest.mark.parametrize(
    ("name", "safe"), [("a b/c", "a-b-c"), ("..", "data"), ("iris-2.v1", "iris-2.v1")]
)
def test_names_are_safe_for_folders(name, safe):
    assert folder_safe(name) == safe


@pytest.mark.parametrize(
    ("values", "scale", "expected"),
    [
        (np.array([[0.1, 1.0]] * 2), 1 / 255, 1.0),
        (np.array([[0.1, 200.0]] * 2), 1 / 255, 1 / 255),
        (np.array([[0, 9]] * 2, np.uint8), 1 / 255, 1 / 255),
        (np.array([[0, 9]] * 2, np.uint8), 1.0, 1.0),
        (np.array([[0, 9]] * 2, np.uint8), None, 1 / 255),
        (np.array([[0, 9]] * 2), None, 1.0),
    ],
)
def test_new_rows_are_scaled_as_the_training_rows_were(values, scale, expected):
    assert dataset_from_arrays("x", values, known=Known(scale=scale)).scale == expected


def test_nan_may_be_masked_and_infinity_may_not():
    values = np.array([[1.0, np.nan], [3.0, 4.0]])
    with pytest.raises(DataError, match=r"data\.gaps: mask"):
        dataset_from_arrays("x", values)
    masked = dataset_from_arrays("x", values, options=ReadOptions(gaps="mask"))
    assert masked.gaps
    assert [str(guess) for guess in masked.guesses] == [
        "missing: 1 of 4 values, 0 after scaling; the loss leaves them out"
    ]
    assert dataset_from_arrays("x", values, known=Known(scale=1.0, gaps=True)).gaps
    with pytest.raises(DataError, match="infinity or numbers beyond float32 in 1 of 2"):
        dataset_from_arrays("x", [[1.0, np.inf], [np.nan, 4.0]], options=ReadOptions(gaps="mask"))


def test_the_factor_of_new_rows_does_not_look_at_gaps():
    bytes_with_gaps = np.array([[255.0, np.nan], [0.0, 4.0]])
    assert scale_as_known(bytes_with_gaps, Known(scale=1 / 255)) == (1 / 255, [])


@pytest.mark.parametrize(
    ("known", "divisor"),
    [
        (Known(scale=1.0, divisors={"bytes": 255, "deep": 4_095}), 255),
        (Known(scale=1 / 4_095, divisors={"deep": 4_095}), 255),
        (Known(scale=1.0, divisors={"bytes": 1}), 1),
        (Known(scale=1 / 4_095), 255),
        (Known(scale=1 / 31), 31),
    ],
)
def test_new_bytes_are_divided_as_bytes(known, divisor):
    values = np.full((2, 3, 3, 1), 200, np.uint8)
    assert dataset_from_arrays("x", values, known=known).scale == 1 / divisor


@pytest.mark.parametrize("shape", [(40, 3), (40, 5, 3), (40, 6, 4, 3)])
@pytest.mark.parametrize("dtype", [np.int64, np.uint64, np.longdouble])
def test_numbers_that_float64_would_blur_are_refused(monkeypatch, shape, dtype):
    if dtype == np.longdouble and np.finfo(dtype).eps == np.finfo(np.float64).eps:
        pytest.skip("the longest floats here are float64")
    monkeypatch.setattr(dataset_module, "_CHUNK_BYTES", 500)
    values = np.random.default_rng(0).integers(0, 20, shape).astype(dtype)
    values[..., 1] += dtype(2**62)
    place = "column" if len(shape) == 2 else "channel"
    message = rf"X: the {place} 1 \(counted from 0\) goes from {2**62}.* a range of 19.*; float64"
    with pytest.raises(DataError, match=message):
        dataset_from_arrays("x", values, source="X")
    with pytest.raises(DataError, match=f"X: the {place} 'b' goes"):
        dataset_from_arrays("x", values, source="X", columns=["a", "b", "c"])
    known = Known(scale=1.0)
    assert len(dataset_from_arrays("x", values, source="X", known=known)) == 40
    wide = values.copy()
    wide[0, ..., 1] //= 2  # a rounding of 2e-16 of the range hides nothing
    assert len(dataset_from_arrays("x", wide, source="X")) == 40
    equal = np.full(shape, 2**62 + 1, dtype)
    assert len(dataset_from_arrays("x", equal, source="X")) == 40


def test_what_has_no_value_at_all_is_refused_or_said(monkeypatch):
    monkeypatch.setattr(dataset_module, "_CHUNK_BYTES", 50)
    options, values = ReadOptions(gaps="mask"), np.arange(60.0).reshape(20, 3)
    values[7], values[9, 1] = np.nan, np.nan
    said = dataset_from_arrays("x", values, options=options).guesses
    assert "missing: 4 of 60 values" in str(said[0])
    assert "1 of 20 rows have no value at all" in str(said[0])
    values[:, 1] = np.nan
    with pytest.raises(
        DataError, match=r"X: the column '1' \(counted from 0\) has no value at all"
    ):
        dataset_from_arrays("x", values, source="X", options=options)
    values[:, 2] = np.nan
    with pytest.raises(DataError, match="X: the columns 'b', 'c' have no value at all"):
        dataset_from_arrays("x", values, source="X", options=options, columns=["a", "b", "c"])
    series = values.reshape(5, 4, 3)
    with pytest.raises(DataError, match="X: the channels '1', '2' "):
        dataset_from_arrays("x", series, source="X", gaps=True)
    known = Known(scale=1.0, gaps=True)
    assert dataset_from_arrays("x", values, known=known).gaps
    for each in (options, ReadOptions()):
        with pytest.raises(DataError, match="X: all 60 values are missing"):
            dataset_from_arrays("x", values * np.nan, source="X", options=each, known=known)
