from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from archbuild.data.batches import (
    count_batches,
    epoch_batches,
    labelled_batches,
    ordered_batches,
)


def epoch(n=10, size=4, seed=0, stage="pretrain", number=0) -> list[np.ndarray]:
    return list(epoch_batches(n, size, seed, stage, number))


def test_every_row_comes_once():
    batches = epoch()
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert sorted(np.concatenate(batches)) == list(range(10))


def test_a_single_last_row_joins_the_batch_before():
    assert [len(batch) for batch in epoch(n=9)] == [4, 5]
    assert [len(batch) for batch in epoch(n=1)] == [1]
    assert [len(batch) for batch in epoch(n=3, size=1)] == [1, 1, 1]


@pytest.mark.parametrize("n", [1, 8, 9, 10])
def test_count_batches_agrees(n):
    assert count_batches(n, 4) == len(epoch(n=n))


def test_the_order_depends_on_seed_stage_and_epoch_alone():
    first = np.concatenate(epoch(n=50))
    np.testing.assert_array_equal(first, np.concatenate(epoch(n=50)))
    np.testing.assert_array_equal(first, np.concatenate(epoch(n=50, size=7)))
    for change in ({"seed": 1}, {"stage": "cluster-kld"}, {"number": 1}):
        assert (first != np.concatenate(epoch(n=50, **change))).any()


def test_ordered_batches_keep_the_order_and_the_short_end():
    batches = list(ordered_batches(9, 4))
    assert [batch.tolist() for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]


def test_a_batch_size_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        epoch(size=0)


def labelled(count=7, size=3, steps=9, **changes) -> list[np.ndarray]:
    rows = 10 * np.arange(count)
    keys = {"seed": 0, "stage": "train-probe", "epoch": 0} | changes
    return list(islice(labelled_batches(rows, size, **keys), steps))


def test_batches_of_labelled_rows_never_end_and_have_no_row_twice():
    batches = labelled(steps=60)
    assert all(len(set(batch.tolist())) == 3 for batch in batches)
    counts = np.bincount(np.concatenate(batches) // 10)
    assert len(counts) == 7
    assert counts.min() > 15
    assert all(sorted(batch) == [0, 10, 20] for batch in labelled(count=3))


def test_batches_of_labelled_rows_depend_on_seed_stage_and_epoch_alone():
    first = np.concatenate(labelled())
    np.testing.assert_array_equal(first, np.concatenate(labelled()))
    for change in ({"seed": 1}, {"stage": "cluster-probe"}, {"epoch": 1}):
        assert (first != np.concatenate(labelled(**change))).any()


@pytest.mark.parametrize("size", [0, 8])
def test_a_batch_that_labelled_rows_cannot_fill_is_refused(size):
    with pytest.raises(ValueError, match="expected 1 to 7"):
        labelled(size=size)


def parts(n=10, size=4, most=2, epochs=3) -> list[list[np.ndarray]]:
    return [list(epoch_batches(n, size, 0, "pretrain", number, most)) for number in range(epochs)]


def test_bounded_epochs_go_on_where_the_one_before_ends():
    passes = [*epoch(number=0), *epoch(number=1)]
    found = [batch for one in parts() for batch in one]
    assert [len(one) for one in parts()] == [2, 2, 2]
    for one, other in zip(found, passes, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("most", [None, 3, 100])
def test_a_bound_beyond_a_pass_is_none(most):
    for one, other in zip(parts(most=most), [epoch(number=k) for k in range(3)], strict=True):
        np.testing.assert_array_equal(np.concatenate(one), np.concatenate(other))
    assert count_batches(10, 4, most) == 3


def test_count_batches_knows_the_bound():
    assert count_batches(10, 4, 2) == 2
