"""archbuild: declare the encoder; the decoder, the loss, the training and the figures follow."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from archbuild.version import __version__

if TYPE_CHECKING:
    from archbuild.builder import NetworkBuilder, load_spec
    from archbuild.estimator import DeepClustering
    from archbuild.models.run import open_run as open

__all__ = ["DeepClustering", "NetworkBuilder", "__version__", "load_spec", "open"]

_HOMES = {
    "DeepClustering": ("archbuild.estimator", "DeepClustering"),
    "NetworkBuilder": ("archbuild.builder", "NetworkBuilder"),
    "load_spec": ("archbuild.builder", "load_spec"),
    "open": ("archbuild.models.run", "open_run"),
}
"""Public name -> module and name there, imported when it is asked for: some take a second."""


def __getattr__(name: str) -> Any:
    """Return a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, own = _HOMES[name]
    return getattr(import_module(module), own)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
