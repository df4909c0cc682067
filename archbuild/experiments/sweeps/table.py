"""The results of a sweep: a row for each setting, space and method, over the seeds."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from archbuild.evaluation.scores import SCORES
from archbuild.evaluation.seeds import over_seeds
from archbuild.evaluation.table import LABEL_KEYS
from archbuild.experiments.sweeps.plan import SweepPart, SweepPlan, SweepRun
from archbuild.io.atomic import write_json, write_text
from archbuild.io.containment import refuse_links
from archbuild.printable import cell
from archbuild.runs.names import stage_of


def document(plan: SweepPlan, done: Sequence[SweepPart]) -> dict[str, Any]:
    """Return the sweep as JSON, read from the runs' folders.

    Args:
        plan: the plan of the sweep.
        done: the parts that are done.

    Returns:
        ``dataset``, ``arch``, ``seeds``, ``heads`` and ``grid``; ``table``, as ``over_seeds`` has
        it, with the ``setting`` of each row; and ``runs``, with ``setting``, ``seed``, ``path``,
        ``missing`` (the heads that are not done), ``stages`` (epochs and seconds) and ``rows``.
    """
    kept = set(done)
    runs = [_run(run, [part for part in run.parts if part in kept]) for run in plan.runs]
    return {
        "dataset": plan.dataset,
        "arch": plan.arch,
        "seeds": list(plan.request.seeds),
        "heads": [part.head for part in plan.runs[0].parts],
        "grid": {key: list(values) for key, values in plan.request.grid.items()},
        "table": list(_table(runs)),
        "runs": runs,
    }


def write_table(path: Path, found: dict[str, Any]) -> list[Path]:
    """Write the document, and beside it the rows of every run as CSV; returns both paths.

    Raises:
        RunError: a file cannot be written.
    """
    refuse_links(path.parent, below=path.parents[1])
    write_json(path, found)
    rows = path.with_name(f"{path.name.removesuffix('.json')}.csv")
    write_text(rows, _csv(found))
    return [path, rows]


def _run(run: SweepRun, done: Sequence[SweepPart]) -> dict[str, Any]:
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for part in done:
        rows |= {(row["space"], row["method"]): row for row in part.rows()}
    return {
        "setting": dict(text.split("=", 1) for text in run.setting),
        "seed": run.seed,
        "path": str(run.folder.path),
        "missing": [part.head for part in run.parts if part not in done],
        "stages": {name: effort for part in done for name, effort in part.efforts().items()},
        "rows": list(rows.values()),
    }


def _table(runs: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    by_setting: dict[tuple[tuple[str, str], ...], dict[int, Any]] = {}
    for run in runs:
        by_setting.setdefault(tuple(run["setting"].items()), {})[run["seed"]] = run["rows"]
    for setting, rows in by_setting.items():
        yield from ({"setting": dict(setting), **row} for row in over_seeds(rows))


def _csv(found: dict[str, Any]) -> str:
    """Return a line for each run, space and method; what is not defined is empty."""
    text = io.StringIO()
    names = [*found["grid"], "seed", "space", "method", *LABEL_KEYS, *SCORES, "epochs", "seconds"]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(cell, names))
    for run in found["runs"]:
        for row in run["rows"]:
            effort = run["stages"].get(stage_of(row["space"]), {})
            known = {**run["setting"], "seed": run["seed"], "labels_used": 0, **row, **effort}
            writer.writerow([cell(known.get(name, "")) for name in names])
    return text.getvalue()
