"""Small estimators of every head, fitted once."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_blobs

from archbuild import DeepClustering
from archbuild.heads import HEADS

SHORT = {
    "pretrain_epochs": 2,
    "cluster_epochs": 1,
    "overrides": ("batch_size=64",),
    "random_state": 0,
}
QUICKEST = {
    "pretrain_epochs": 0,
    "cluster_epochs": 1,
    "overrides": ("batch_size=64", "pretrain.optimizer=sgd", "cluster.optimizer=sgd"),
}

IMAGES = {
    "spec_version": 1,
    "name": "small-images",
    "layers": [
        {"type": "Input", "output_shape": [1, 8, 8]},
        {"type": "Conv2D", "num_filters": 4, "filter_size": 3, "stride": 2},
        {"type": "Flatten"},
        {"type": "Dense", "num_units": 3, "non_linearity": "linear"},
    ],
    "head": {"type": "kmeans", "n_clusters": 4},
}


@pytest.fixture(scope="session")
def blobs():
    """Rows of four groups that lie apart, and the groups."""
    return make_blobs(64, n_features=6, centers=4, cluster_std=0.5, random_state=1)


@pytest.fixture(scope="session")
def images():
    """``(90, 8, 8, 1)`` uint8."""
    return (load_digits().images[:90, ..., np.newaxis] * 15).astype(np.uint8)


@pytest.fixture(
    scope="session",
    params=[
        name
        for name, head in HEADS.own.items()
        if head.answers != "nothing" and head.labels_used == "never"
    ],
)
def fitted(request, blobs):
    """One of every head that finds clusters; ``tests/heads`` has those that read labels."""
    model = DeepClustering(head=request.param, n_clusters=4, **SHORT)
    if request.param == "messages":
        one_epoch = [*model.overrides, "cluster.epochs=1"]  # of its one round
        model.set_params(overrides=one_epoch)
    return model.fit(blobs[0])


@pytest.fixture(scope="session")
def of_images(images):
    """A convolutional network of bytes."""
    return DeepClustering(IMAGES, **SHORT).fit(images)
