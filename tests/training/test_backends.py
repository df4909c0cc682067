"""What TensorFlow has trained means the same on JAX and PyTorch; skipped where they are missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from tests.training.conftest import ROWS, SPEC
from tests.training.elsewhere import PRIORS, measure, prepare


@pytest.fixture(scope="module", params=["jax", "torch"], autouse=True)
def backend(request):
    """One of the others; it comes first, so that nothing is measured for one that is missing."""
    if find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return request.param


@pytest.fixture(scope="module")
def here(tmp_path_factory, digits):
    """A folder with weights, and what this process measures with them."""
    folder = tmp_path_factory.mktemp("backends")
    prepare(folder, digits.rows(np.arange(ROWS)))
    return folder, measure(folder)


@pytest.fixture(scope="module")
def there(backend, here):
    """The backend, and what a process of its own measures."""
    environment = os.environ | {"KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.training.elsewhere", str(here[0])]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return backend, json.loads(done.stdout.splitlines()[-1])


def test_weights_latents_and_losses_carry_over(here, there):
    folder, losses = here
    backend, found = there
    ours, theirs = np.load(folder / "tensorflow.npy"), np.load(folder / f"{backend}.npy")
    np.testing.assert_allclose(theirs, ours, rtol=1e-4, atol=1e-5)
    assert found["reconstruct"] == pytest.approx(losses["reconstruct"], rel=1e-4)
    assert SPEC["layers"][1]["type"] == "Dropout"  # a layer with a state of its own is among them


@pytest.mark.parametrize("prior", PRIORS)
def test_a_step_with_a_prior_is_the_same(prior, here, there):
    (_, ours), (_, theirs) = here, there
    first, second = ours[f"{prior}, first"], ours[f"{prior}, second"]
    assert theirs[f"{prior}, first"] == pytest.approx(first, rel=1e-4)
    assert theirs[f"{prior}, second"] == pytest.approx(second, rel=1e-3)
    assert second["loss"] < first["loss"]


@pytest.mark.parametrize("prior", PRIORS)
def test_clusters_are_shared_out_alike(prior, here, there):
    expected = here[1][f"{prior}, shares"]
    assert there[1][f"{prior}, shares"] == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_rows_are_augmented_alike(here, there):
    (_, ours), (_, theirs) = here, there
    assert theirs["augmented"] == pytest.approx(ours["augmented"], rel=1e-4)
    assert ours["augmented"]["moved"] == 1


def test_every_backend_draws_noise_of_its_own(here, there):
    fixed = here[1]["gmvae, first"]
    for _, losses in (here, there):
        assert losses["own noise"] == pytest.approx({**fixed, "moved": 1}, rel=0.2, abs=0.1)
        assert losses["own noise"]["loss"] != fixed["loss"]
