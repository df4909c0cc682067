"""What a model remembers of its training data."""

from __future__ import annotations

import json

import numpy as np
import pytest

from archbuild.data import dataset_from_arrays
from archbuild.data.origin import Origin
from archbuild.data.scaling import Scaler
from archbuild.errors import DataError


def table(rng, columns=("a", "b", "c"), kind="standardise"):
    values = rng.normal((0.0, 50.0, -3.0), (1.0, 9.0, 0.1), (200, 3)).astype("float32")
    dataset = dataset_from_arrays("mine", values, columns=columns)
    return dataset, Origin.of(dataset, Scaler.fit(dataset, kind))


@pytest.mark.parametrize("kind", ["none", "minmax", "standardise"])
def test_json_gives_back_the_same_numbers(rng, kind):
    dataset, origin = table(rng, kind=kind)
    again = Origin.from_json(json.loads(json.dumps(origin.to_json())))
    rows = dataset.rows(slice(None))
    np.testing.assert_array_equal(again.scaler.apply(rows), origin.scaler.apply(rows))
    assert (again.name, again.columns) == ("mine", ("a", "b", "c"))
    assert (again.low, again.high) == (origin.low, origin.high)


def test_the_range_is_that_of_the_scaled_rows(rng):
    dataset, origin = table(rng)
    scaled = origin.scaler.apply(dataset.rows(slice(None)))
    assert (origin.low, origin.high) == (scaled.min(), scaled.max())


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (("a", "b", "d"), "lacks 'c' and has 'd' besides"),
        (("b", "a", "c"), "has them in another order"),
    ],
)
def test_other_columns_are_refused(rng, columns, said):
    _, origin = table(rng)
    other, _ = table(rng, columns)
    with pytest.raises(DataError, match=rf"{said}.*NewRows\(PATH\)\.load\(model\)"):
        origin.refuse_other_columns(other)


@pytest.mark.parametrize("columns", [(), ("a", "b", "c")])
def test_the_same_columns_or_none_will_do(rng, columns):
    table(rng)[1].refuse_other_columns(table(rng, columns)[0])


def test_rows_in_other_units_are_noticed(rng):
    dataset, origin = table(rng)
    rows = origin.scaler.apply(dataset.rows(slice(None)))
    assert origin.range_warning(rows) is None
    assert origin.range_warning(rows[:0]) is None
    assert "in the same units?" in origin.range_warning(rows * 100)


def test_the_columns_that_are_far_outside_are_named(rng):
    dataset, origin = table(rng)
    rows = origin.scaler.apply(dataset.rows(slice(None)))
    rows[:7, 1] *= 1e6
    rows[:150, 2] += 1e6
    warning = origin.range_warning(rows)
    assert ". Far outside: 'c' in 150, 'b' in 7 of 200 rows: are they in" in warning
    assert "'a'" not in warning
    unnamed = table(rng, columns=())[1]
    assert "Far" not in unnamed.range_warning(rows)


@pytest.mark.parametrize(("divisor", "warned"), [(4_095, False), (65_535, True)])
def test_a_single_image_that_is_too_dark_is_noticed(divisor, warned):
    images = dataset_from_arrays("mine", np.linspace(0, 1, 32).reshape(2, 4, 4, 1))
    origin = Origin.of(images, Scaler.fit(images, "none"))
    assert bool(origin.range_warning(images.values[1:] * 4_000 / divisor)) == warned
