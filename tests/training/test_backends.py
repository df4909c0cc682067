"""What TensorFlow has trained means the same on JAX and PyTorch; skipped where they are missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from archbuild.training.encoding import encode_rows
from archbuild.training.model import StageModel, optimizer
from archbuild.training.pretraining import Reconstruct
from tests.training.conftest import SPEC

ELSEWHERE = """
import json, sys
import numpy as np
from archbuild.training.encoding import encode_rows
from archbuild.training.model import StageModel, optimizer
from archbuild.training.pretraining import Reconstruct
from tests.training.conftest import make_network

folder, settings = sys.argv[1], json.loads(sys.argv[2])
network = make_network(augment=None)
network.load_weights(f"{folder}/model.weights.h5")
rows = np.load(f"{folder}/rows.npy")
np.save(f"{folder}/elsewhere.npy", encode_rows(network.predict_latents, rows))
model = StageModel(network, Reconstruct("squared_error"), 0.01)
model.compile(optimizer=optimizer(settings))
print(json.dumps(model.test_on_batch(rows, {"original": rows}, return_dict=True), default=float))
model.train_on_batch(rows, {"original": rows})
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_weights_latents_and_losses_carry_over(backend, network, feed, settings, tmp_path):
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    rows = feed.clean(np.arange(64))
    network.save_weights(tmp_path / "model.weights.h5")
    np.save(tmp_path / "rows.npy", rows)
    model = StageModel(network, Reconstruct("squared_error"), 0.01)
    model.compile(optimizer=optimizer(settings))
    here = model.test_on_batch(rows, {"original": rows}, return_dict=True)
    there = run_elsewhere(backend, tmp_path, settings)
    latents = np.load(tmp_path / "elsewhere.npy")
    np.testing.assert_allclose(
        latents, encode_rows(network.predict_latents, rows), rtol=1e-4, atol=1e-5
    )
    assert there == pytest.approx({name: float(value) for name, value in here.items()}, rel=1e-4)
    assert SPEC["layers"][1]["type"] == "Dropout"  # a layer with a state of its own is among them


def run_elsewhere(backend, folder, settings):
    environment = os.environ | {"KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", ELSEWHERE, str(folder), json.dumps(settings)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
