"""Plans for heads to work on, and batches, noise and slopes for those with a prior."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from archbuild.heads.batch import Batch, Forward
from archbuild.networks.network import Encoding, Reconstruction
from archbuild.networks.rows import to_numpy
from archbuild.registry import default_vocabulary
from archbuild.spec import Plan, make_plan, spec_from_tree
from archbuild.spec.resolve import filled
from tests.objectives.tensors import gradients, tensor


def plan_of(latent_size: int = 2, *, gaussian: bool = False, **keys: object) -> Plan:
    """The plan of a small dense network on six features."""
    bottleneck = {"type": "Gaussian"} if gaussian else {"type": "Dense", "non_linearity": "linear"}
    layers = [
        {"type": "Input", "output_shape": [6]},
        {"type": "Dense", "num_units": 5},
        {**bottleneck, "num_units": latent_size},
    ]
    tree = {"spec_version": 1, "name": "small", "output_non_linearity": "linear", **keys}
    return make_plan(
        spec_from_tree({**tree, "layers": layers}, default_vocabulary()), default_vocabulary()
    )


PRIOR_PLAN = plan_of(2, gaussian=True, reconstruction="bernoulli")


def head_of(kind, plan=PRIOR_PLAN, seed=0, **config):
    """A head of three clusters, otherwise as a spec's defaults; its weights as a step sets them."""
    head = kind(filled({"n_clusters": 3, **config}, kind.fields), plan, seed)
    for name, variable in head.scheduled.items():
        variable.assign(head.config[name])
    return head


def encoding_of(rng, rows=6, features=5, latent=2):
    mean, log_variance = rng.normal(size=(2, rows, latent)).astype("float32")
    return Encoding(mean, log_variance, rng.normal(size=(rows, features)).astype("float32"), ())


def batch_for(head, encoding, rng):
    """Six inputs from 0 to 1 for each row, the head's draws, and logits of the decoder."""
    latent = to_numpy(head.draw(encoding))
    inputs = rng.random((len(encoding.mean), 6)).astype("float32")
    logits = rng.normal(size=(len(latent), 6)).astype("float32")
    return Batch(inputs, Forward(encoding, latent, Reconstruction(logits, None)), {})


def bernoulli(inputs, logits):
    """``-log p(x | logits)`` of each row, from probabilities."""
    p = 1 / (1 + np.exp(-logits.astype(float)))
    return -np.sum(inputs * np.log(p) + (1 - inputs) * np.log(1 - p), axis=1)


@pytest.fixture
def noise(monkeypatch):
    """The same standard normal numbers at every call for a shape, in place of Keras's."""

    def draw(shape):
        return np.random.default_rng(shape).normal(size=shape).astype("float32")

    monkeypatch.setattr(keras.random, "normal", lambda *shape, seed: tensor(draw(*shape)))
    return draw


def trained_variables(head):
    return [variable for variable in head.variables if variable.trainable]


def slopes(head, function, *arguments):
    """Gradients of the scalar ``function(*arguments)``.

    By each trained variable of the head, in their order, and after them by each argument.
    """
    variables = trained_variables(head)

    def scalar(*tensors):
        with keras.StatelessScope(list(zip(variables, tensors, strict=False))):
            return function(*tensors[len(variables) :])

    return gradients(scalar, *map(to_numpy, variables), *arguments)
