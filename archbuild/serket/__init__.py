"""Modules that learn by exchanging messages: a small Serket, in Python and for a spec's head.

Importing this package does not import Keras; the first use of a ``VAE`` does.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "GMM": "serket.gmm",
    "Learned": "modules.module",
    "Markov": "modules.markov",
    "Module": "modules.module",
    "Multinomial": "modules.multinomial",
    "Observation": "modules.observation",
    "VAE": "serket.vae",
    "exchange": "modules.graph",
    "load_learned": "serket.saved",
    "recognise": "modules.graph",
    "save_learned": "serket.saved",
    "save_texts": "modules.texts",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import the file of a name at its first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"archbuild.{_HOMES[name]}"), name)
