"""archbuild's own vocabulary: every layer and head type that it ships."""

from __future__ import annotations

from archbuild.heads import HEADS
from archbuild.layers import LAYERS
from archbuild.spec.vocabulary import Vocabulary


def default_vocabulary() -> Vocabulary:
    """The vocabulary that the command line and the estimator use."""
    return Vocabulary(layers=LAYERS, heads=HEADS)
