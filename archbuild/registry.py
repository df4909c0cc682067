"""The vocabulary of specs: every layer and head type, archbuild's own and those of plugins."""

from __future__ import annotations

from archbuild.heads import HEADS
from archbuild.layers import LAYERS
from archbuild.spec.vocabulary import Vocabulary


def default_vocabulary() -> Vocabulary:
    """Return the vocabulary that is installed: archbuild's own, and what plugins bring."""
    return Vocabulary(layers=LAYERS, heads=HEADS)


def own_vocabulary() -> Vocabulary:
    """Return archbuild's own vocabulary, which ``spec/schema.json`` and ``docs/spec.md`` hold."""
    return Vocabulary(layers=LAYERS.own, heads=HEADS.own)
