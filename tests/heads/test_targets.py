"""Targets of arrays in files, against those of arrays in memory."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import spill
from archbuild.heads.targets import changed, looked_up, one_hot, sharpened


@pytest.fixture
def assignments(rng):
    return rng.dirichlet(np.ones(4), 50).astype("float32")


def in_a_file(values, monkeypatch):
    monkeypatch.setattr(spill, "IN_MEMORY", 10)
    monkeypatch.setattr(spill, "PART_BYTES", 7 * values[:1].nbytes)
    return spill.joined([values], len(values), "values")


def test_sharpened_is_the_target_distribution(assignments, monkeypatch):
    weight = assignments**2 / assignments.sum(axis=0)
    expected = weight / weight.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(sharpened(assignments), expected, rtol=1e-5)
    target = sharpened(in_a_file(assignments, monkeypatch))
    assert spill.is_mapped(target)
    np.testing.assert_allclose(target, expected, rtol=1e-5)


def test_one_hot_and_rows_of_a_table_are_looked_up_in_parts(monkeypatch):
    clusters, table = np.array([2, 0, 1, 2]), np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(one_hot(clusters, 3), np.eye(3)[clusters])
    monkeypatch.setattr(spill, "IN_MEMORY", 10)
    found = looked_up(table, clusters)
    assert spill.is_mapped(found)
    np.testing.assert_array_equal(found, table[clusters])


def test_a_function_of_rows_is_applied_part_by_part(assignments, monkeypatch):
    sizes = []

    def largest(rows):
        sizes.append(len(rows))
        return rows.max(axis=1)

    there = in_a_file(assignments, monkeypatch)
    np.testing.assert_array_equal(changed(there, largest), assignments.max(axis=1))
    assert max(sizes) == 7
    np.testing.assert_array_equal(changed(assignments, largest), assignments.max(axis=1))
    assert sizes[-1] == 50
