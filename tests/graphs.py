"""TensorFlow's graphs, or none: of a training of a few steps, tracing them takes nine tenths."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


def trace_graphs(wanted: bool) -> bool:
    """Turn graphs on or off, and return whether they were on; other backends do as they do."""
    if wanted and "keras" not in sys.modules:
        return True  # nobody has turned them off
    import keras

    if keras.backend.backend() != "tensorflow":
        return True
    import tensorflow as tf

    before = not tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(not wanted)
    return before


@contextmanager
def graphs(wanted: bool) -> Iterator[None]:
    """Trace graphs inside the block, or none, whatever the test is marked with."""
    before = trace_graphs(wanted)
    try:
        yield
    finally:
        trace_graphs(before)
