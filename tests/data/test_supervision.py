"""Which labels training may read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from archbuild.data import dataset_from_arrays
from archbuild.data.labels import UNKNOWN, labelled_rows
from archbuild.data.supervision import chosen_labels
from archbuild.errors import DataError, UsageError

LABELS = np.repeat([0, 1, 2], [50, 30, 4])


def dataset(labels=LABELS):
    return dataset_from_arrays("rows", np.zeros((84, 2), "float32"), labels)


@pytest.mark.parametrize(("wanted", "counts"), [(6, [2, 2, 2]), (15, [6, 5, 4]), (84, [50, 30, 4])])
def test_each_class_has_as_many_as_it_can(wanted, counts):
    found = chosen_labels(dataset(), {"labels": wanted, "per_class": True}, seed=3)
    known = found != UNKNOWN
    np.testing.assert_array_equal(found[known], LABELS[known])
    assert sorted(np.bincount(found[known]), reverse=True) == counts


def test_rows_depend_on_the_seed_alone():
    some = {"labels": 9, "per_class": False}
    first, again, other = (chosen_labels(dataset(), some, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)
    assert (first != UNKNOWN).sum() == 9


def test_all_is_all():
    found = chosen_labels(dataset(), {"labels": "all", "per_class": True}, seed=0)
    np.testing.assert_array_equal(found, LABELS)


def test_rows_without_a_label_are_never_chosen():
    some = replace(dataset(), labels=np.where(np.arange(84) % 2, LABELS, -1))
    found = chosen_labels(some, {"labels": "all", "per_class": True}, seed=0)
    np.testing.assert_array_equal(labelled_rows(found), np.arange(1, 84, 2))
    found = chosen_labels(some, {"labels": 12, "per_class": True}, seed=0)
    assert np.bincount(found[labelled_rows(found)]).tolist() == [5, 5, 2]
    assert np.all(labelled_rows(found) % 2)


def test_too_few_labels_and_none_are_refused():
    with pytest.raises(UsageError, match="has 84 labelled rows"):
        chosen_labels(dataset(), {"labels": 85, "per_class": True}, seed=0)
    with pytest.raises(
        UsageError, match=r"supervision\.batch_size is 85, and rows has 84 labelled"
    ):
        chosen_labels(dataset(), {"labels": "all", "per_class": True, "batch_size": 85}, seed=0)
    with pytest.raises(DataError, match="has no labels"):
        chosen_labels(dataset(None), {"labels": 5, "per_class": True}, seed=0)
