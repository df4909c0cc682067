"""Steps on all devices of JAX in this process; ``make backends`` gives it two."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from archbuild.errors import UsageError
from archbuild.networks.rows import to_numpy
from archbuild.training import devices
from archbuild.training.steps import Steps
from tests.training.test_steps import built, some_steps

pytestmark = [
    pytest.mark.backends,
    pytest.mark.skipif(keras.backend.backend() != "jax", reason="spread on JAX: make backends"),
]


@pytest.fixture
def all_devices():
    """The devices of this process, in use."""
    found = devices.Devices()
    devices.use(found)
    yield found
    devices.use(None)


def test_spread_steps_are_those_of_one_device(settings, all_devices):
    uneven = 8 * all_devices.count + 1  # as an epoch's last batch: each device has it whole
    sizes = [8 * all_devices.count] * 3 + [uneven]
    steps = list(some_steps(sizes, [1e-2, 1e-3, 1e-4, 1e-3]))
    model, scheduled = built(settings, False, noise=False)
    take = Steps(model, scheduled)
    losses = [take(steps[:3], sizes[0]), take(steps[3:], uneven)]
    devices.use(None)
    other, scheduled = built(settings, False, noise=False)
    take = Steps(other, scheduled)
    for found, group in zip(losses, (steps[:3], steps[3:]), strict=True):
        for name, expected in take(group, len(group[0].inputs)).items():
            np.testing.assert_allclose(found[name], expected, rtol=1e-5)
    for ours, theirs in zip(model.variables, other.variables, strict=True):
        np.testing.assert_allclose(to_numpy(ours), to_numpy(theirs), rtol=1e-4, atol=1e-6)


def test_a_batch_that_devices_cannot_share_is_refused(all_devices):
    devices.refuse_uneven(4 * all_devices.count)
    if all_devices.count > 1:
        with pytest.raises(UsageError, match=r"cannot share it evenly.*batch_size=2 or 4"):
            devices.refuse_uneven(3)


def test_more_devices_than_there_are_is_refused():
    with pytest.raises(UsageError, match="--devices 99: JAX finds"):
        devices.Devices(99)


def test_one_process_reads_whole_batches_and_agrees_with_itself(all_devices):
    assert all_devices.part(4 * all_devices.count) == slice(0, 4 * all_devices.count)
    rows = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(all_devices.gathered(rows), rows[np.newaxis])
    assert all_devices.agreed({"loss": 0.1}) == {"loss": 0.1}
