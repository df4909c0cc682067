"""Keras and its warnings while an estimator works."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from archbuild.training.progress import LOGGER


@contextmanager
def started_keras() -> Iterator[None]:
    """Start Keras, and keep TensorFlow's advice on retracing from the log while the block lasts.

    TensorFlow takes the networks of several fits for one that is traced again and again.
    """
    from archbuild.environment import start_keras

    start_keras()
    logger = logging.getLogger("tensorflow")
    logger.addFilter(_is_of_interest)
    try:
        yield
    finally:
        logger.removeFilter(_is_of_interest)


@contextmanager
def logged_warnings_raised() -> Iterator[None]:
    """Issue warnings of archbuild's log as Python warnings while the block lasts."""
    handler = _PythonWarnings(logging.WARNING)
    LOGGER.addHandler(handler)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)


class _PythonWarnings(logging.Handler):
    """A handler that issues each record as a Python warning."""

    def emit(self, record: logging.LogRecord) -> None:
        warnings.warn(record.getMessage(), stacklevel=2)


def _is_of_interest(record: logging.LogRecord) -> bool:
    return "triggered tf.function retracing" not in record.getMessage()
