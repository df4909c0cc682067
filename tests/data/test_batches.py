from __future__ import annotations

import numpy as np
import pytest

from archbuild.data.batches import count_batches, epoch_batches, ordered_batches


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
