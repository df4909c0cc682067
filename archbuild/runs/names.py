"""The names of stages, and of the spaces of their latents.

``pretrain``; ``cluster-<head>``, a pretrained network that a head refined; ``train-<head>``,
network and head from scratch.
"""

from __future__ import annotations

import re
from typing import Final

PRETRAIN: Final = "pretrain"
_CLUSTER, _TRAIN = "cluster-", "train-"

_STAGE: Final = re.compile(r"pretrain|(cluster|train)-[A-Za-z0-9._-]{0,80}[A-Za-z0-9_]")

PATTERNS: Final = (PRETRAIN, f"{_CLUSTER}*", f"{_TRAIN}*")
"""Of the folders of stages, as ``Path.glob`` takes them."""


def is_stage(name: str) -> bool:
    """Return whether a folder of that name can be a stage's; ``cluster-`` alone cannot."""
    return _STAGE.fullmatch(name) is not None


def refining(head: str) -> str:
    """Return the stage in which a head of this type refines a pretrained network."""
    return f"{_CLUSTER}{head}"


def from_scratch(head: str) -> str:
    """Return the stage that trains network and head as one."""
    return f"{_TRAIN}{head}"


def is_refining(stage: str) -> bool:
    """Return whether the stage goes on from pretrained weights."""
    return stage.startswith(_CLUSTER)


def is_from_scratch(stage: str) -> bool:
    """Return whether the stage trains from scratch, with a head and without pretrained weights."""
    return stage.startswith(_TRAIN)


def section_of(stage: str) -> str:
    """Return the spec's section that says how the stage is trained, which is also its option."""
    return stage.partition("-")[0]


def stage_of(space: str) -> str:
    """Return the stage whose latents a space is: ``cluster-gmm`` of ``gmm``, for instance.

    A space trained from scratch has the name of its stage, so that it differs from a refined one.
    """
    return space if space == PRETRAIN or is_from_scratch(space) else refining(space)


def space_of(stage: str) -> str:
    """Return the space that a stage makes, the inverse of ``stage_of``."""
    return stage.removeprefix(_CLUSTER)
