"""NumPy in, NumPy out: values and gradients of tensor functions on whichever backend runs."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops


def evaluate(function, *arguments):
    """The function's value where every argument is a float32 tensor."""
    return ops.convert_to_numpy(function(*map(tensor, arguments)))


def tensor(argument):
    return ops.convert_to_tensor(np.asarray(argument, "float32"))


def gradients(function, *arguments):
    """Of the function's ``weighted_sum``, one array per argument; 0 where it does not depend."""

    def scalar(*tensors):
        value = function(*tensors)
        return ops.sum(value * tensor(cotangent(tuple(value.shape))))

    differentiate = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
    found = differentiate[keras.backend.backend()](scalar, list(map(tensor, arguments)))
    return [ops.convert_to_numpy(gradient) for gradient in found]


def cotangent(shape):
    """Fixed weights, none alike, so that no error cancels in the sum that is differentiated."""
    return np.cos(np.arange(np.prod(shape, dtype=int))).reshape(shape)


def weighted_sum(values):
    return np.sum(values * cotangent(values.shape))


def _tensorflow(scalar, tensors):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(tensors)
        value = scalar(*tensors)
    return tape.gradient(value, tensors, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def _jax(scalar, tensors):
    import jax

    return jax.grad(scalar, argnums=tuple(range(len(tensors))))(*tensors)


def _torch(scalar, tensors):
    import torch

    tensors = [argument.detach().requires_grad_() for argument in tensors]
    value = scalar(*tensors)
    return torch.autograd.grad(value, tensors, allow_unused=True, materialize_grads=True)
