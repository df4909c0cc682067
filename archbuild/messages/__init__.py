"""Modules that learn by exchanging messages: a small Serket, in Python and for a spec's head.

Importing this package does not import Keras; the first use of a ``VAE`` does.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "GMM": "gmm",
    "Learned": "module",
    "Markov": "markov",
    "Module": "module",
    "Multinomial": "multinomial",
    "Observation": "module",
    "VAE": "vae",
    "exchange": "module",
    "load_learned": "saved",
    "recognise": "module",
    "save_learned": "saved",
    "save_texts": "texts",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import the name's file when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
