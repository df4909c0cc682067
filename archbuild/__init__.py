"""archbuild: declare the encoder; the decoder, the loss, the training and the figures follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archbuild.version import __version__

if TYPE_CHECKING:
    from archbuild.estimator import DeepClustering

__all__ = ["DeepClustering", "__version__"]


def __getattr__(name: str) -> Any:
    """``DeepClustering``, when it is asked for: scikit-learn takes a second to import."""
    if name == "DeepClustering":
        from archbuild.estimator import DeepClustering

        return DeepClustering
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
