"""archbuild: declare the encoder; the decoder, the loss, the training and the figures follow."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from archbuild.version import __version__

if TYPE_CHECKING:
    from archbuild.builder import NetworkBuilder, load_spec
    from archbuild.estimator import DeepClustering

__all__ = ["DeepClustering", "NetworkBuilder", "__version__", "load_spec"]

_HOMES = {
    "DeepClustering": "archbuild.estimator",
    "NetworkBuilder": "archbuild.builder",
    "load_spec": "archbuild.builder",
}
"""Public name -> its module, imported when the name is asked for: some take a second to import."""


def __getattr__(name: str) -> Any:
    """Return a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
