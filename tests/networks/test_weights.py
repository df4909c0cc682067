"""Weights files that come from an unknown source."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from archbuild.errors import RunError
from archbuild.networks import weights as module


class Network:
    """A network that must not be reached."""

    variables = ()

    def load_weights(self, path: Path) -> None:
        raise AssertionError(path)


@pytest.mark.parametrize("kind", ["external link", "soft link", "virtual", "external storage"])
def test_what_points_into_another_file_is_refused(tmp_path, kind):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = np.ones(3)
    path = tmp_path / "model.weights.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("layers/dense")
        if kind == "external link":
            group["vars"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "x")
        elif kind == "soft link":
            group["vars"] = h5py.SoftLink("/layers")
        elif kind == "virtual":
            layout = h5py.VirtualLayout((3,), "f8")
            layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "x", (3,))
            group.create_virtual_dataset("vars", layout)
        else:
            storage = [(str(tmp_path / "raw"), 0, h5py.h5f.UNLIMITED)]
            group.create_dataset("vars", (3,), "f8", external=storage)
    with pytest.raises(RunError, match="'/layers/dense/vars' points into another file"):
        module.load_weights(Network(), path)
