"""Keras and its warnings while an estimator works."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from archbuild.evaluation.collapse import Occupancy, collapse_warning
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


def warn_of_collapse(occupancy: Mapping[str, Any] | None) -> None:
    """Issue a warning where clusters are empty, or nearly so, or hold nearly all rows."""
    found = collapse_warning(Occupancy(**occupancy)) if occupancy else None
    if found:
        warnings.warn(found, CollapseWarning, stacklevel=4)


class CollapseWarning(UserWarning):
    """The clusters of a fit are not what they should be."""


class _PythonWarnings(logging.Handler):
    """A handler that issues each record as a Python warning."""

    def emit(self, record: logging.LogRecord) -> None:
        warnings.warn(record.getMessage(), stacklevel=2)


def _is_of_interest(record: logging.LogRecord) -> bool:
    return "triggered tf.function retracing" not in record.getMessage()
