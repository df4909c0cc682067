"""What TensorFlow trains, trains alike on the backend of this process; compared with a second one.

Without ``KERAS_BACKEND`` that is TensorFlow, and there is nothing to compare: ``make backends``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.training.conftest import ROWS, SPEC
from tests.training.elsewhere import LEARNED, PRIORS, measure

BACKEND = keras.backend.backend()
pytestmark = [
    pytest.mark.backends,
    pytest.mark.timeout(1200),  # the first of them waits until all is measured, twice
    pytest.mark.skipif(BACKEND == "tensorflow", reason="compares others with it: make backends"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, digits):
    """A folder for what both processes start from."""
    folder = tmp_path_factory.mktemp("backends")
    np.save(folder / "rows.npy", digits.rows(np.arange(ROWS)))
    return folder


@pytest.fixture(scope="module")
def there(folder):
    """What TensorFlow measures, in a process of its own that also makes the weights."""
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.training.elsewhere", str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def here(folder, there):
    """What this process measures, from the weights of the other."""
    return measure(folder)


def test_weights_latents_and_losses_carry_over(folder, here, there):
    ours, theirs = np.load(folder / f"{BACKEND}.npy"), np.load(folder / "tensorflow.npy")
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    assert here["reconstruct"] == pytest.approx(there["reconstruct"], rel=1e-4)
    assert SPEC["layers"][1]["type"] == "Dropout"  # a layer with a state of its own is among them


@pytest.mark.parametrize("head", LEARNED)
def test_the_losses_of_the_first_epochs_agree(head, here, there):
    first, second = here[f"{head}, epoch 1"], here[f"{head}, epoch 2"]
    assert first == pytest.approx(there[f"{head}, epoch 1"], rel=1e-4, abs=1e-6)
    assert second == pytest.approx(there[f"{head}, epoch 2"], rel=1e-3, abs=1e-5)
    assert second["loss"] != first["loss"]


@pytest.mark.parametrize("prior", PRIORS)
def test_a_step_with_a_prior_is_the_same(prior, here, there):
    first, second = there[f"{prior}, first"], there[f"{prior}, second"]
    assert here[f"{prior}, first"] == pytest.approx(first, rel=1e-4)
    assert here[f"{prior}, second"] == pytest.approx(second, rel=1e-3)
    assert second["loss"] < first["loss"]


@pytest.mark.parametrize("prior", PRIORS)
def test_clusters_are_shared_out_alike(prior, here, there):
    expected = there[f"{prior}, shares"]
    assert here[f"{prior}, shares"] == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_rows_are_augmented_alike(here, there):
    assert here["augmented"] == pytest.approx(there["augmented"], rel=1e-4)
    assert here["augmented"]["moved"] == 1


def test_every_backend_draws_noise_of_its_own(here, there):
    fixed = there["gmvae, first"]
    for losses in (here, there):
        assert losses["own noise"] == pytest.approx({**fixed, "moved": 1}, rel=0.2, abs=0.1)
        assert losses["own noise"]["loss"] != fixed["loss"]
