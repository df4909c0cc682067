"""The run folder: layout, manifest, atomic writes, checkpoints, locks."""

from __future__ import annotations

from archbuild.io.difference import Difference
from archbuild.runs.checkpoints import Checkpoint
from archbuild.runs.finding import find_run
from archbuild.runs.folder import RunFolder, slug, with_digest
from archbuild.runs.stage import StageFolder

__all__ = [
    "Checkpoint",
    "Difference",
    "RunFolder",
    "StageFolder",
    "find_run",
    "slug",
    "with_digest",
]
