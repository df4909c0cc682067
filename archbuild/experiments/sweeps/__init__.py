"""One job over seeds, heads and a grid of values: what is to be run, what is done, the table.

A *setting* is a point of the grid; a *run* is a setting with a seed, in a folder of its own, where
the heads follow one another on one pretrained network; a *part* of it is one head, and a process.
Folders, manifests and locks are those of single jobs, so that what was done before, by a sweep or
by hand, is not done again.
"""

from __future__ import annotations

from archbuild.experiments.sweeps.plan import Part, Plan, Run, SweepRequest, make_plan, read_grid
from archbuild.experiments.sweeps.running import Listener, State, Sweep
from archbuild.experiments.sweeps.table import document, write_table

__all__ = [
    "Listener",
    "Part",
    "Plan",
    "Run",
    "State",
    "Sweep",
    "SweepRequest",
    "document",
    "make_plan",
    "read_grid",
    "write_table",
]
