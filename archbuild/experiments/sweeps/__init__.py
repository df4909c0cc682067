"""Runs over seeds, heads and a grid of values: the plan, the processes, the table.

A *setting* is a point of the grid. A *run* is a setting with a seed, in a folder of its own, in
which the heads are trained one after the other on one pretrained network. A *part* of a run is one
of its heads, trained by a process. Folders, manifests and locks are those of single commands, so
that nothing is trained twice, whether a sweep or a single command did it.
"""

from __future__ import annotations

from archbuild.experiments.sweeps.plan import (
    SweepPart,
    SweepPlan,
    SweepRequest,
    SweepRun,
    plan_sweep,
    read_grid,
)
from archbuild.experiments.sweeps.running import Sweep
from archbuild.experiments.sweeps.table import document, write_table

__all__ = [
    "Sweep",
    "SweepPart",
    "SweepPlan",
    "SweepRequest",
    "SweepRun",
    "document",
    "plan_sweep",
    "read_grid",
    "write_table",
]
