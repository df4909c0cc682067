"""Every layer passes its contract on the other backends too; skipped where one is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import keras
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_the_contract_of_every_layer(backend: str) -> None:
    if backend == keras.backend.backend():
        pytest.skip(f"the suite runs on {backend}")
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "tests/layers/test_contract.py"]
    environment = os.environ | {"KERAS_BACKEND": backend}
    environment.pop("PYTEST_XDIST_WORKER", None)
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-5000:]
