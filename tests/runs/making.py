"""Runs as archbuild leaves them, without a network."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from archbuild.io.atomic import write_json
from archbuild.runs import RunFolder

STAMP = 1_700_000_000


def make_run(
    out: Path,
    dataset: str = "DIGITS",
    arch: str = "tiny",
    seed: int = 0,
    *,
    stages: Mapping[str, str] = {"pretrain": "finished"},
    rows: Sequence[Mapping[str, Any]] = (),
    age: int = 0,
) -> RunFolder:
    """A run whose stages are ``finished`` after two of three epochs, ``running`` or ``begun``.

    ``age`` is how many seconds before a fixed moment it was written.
    """
    run = RunFolder.locate(out, dataset, arch, seed)
    run.write_spec({"name": arch})
    for name, state in stages.items():
        section = name.partition("-")[0]
        stage = run.stage(name)
        stage.begin({"spec": {section: {"epochs": 3}}, "seed": seed})
        history = [{"epoch": epoch} for epoch in (1, 2)]
        if state == "running":
            stage.save_checkpoint(2, {}, history, timing={"seconds": 1.5})
        elif state == "finished":
            writers = {"latents.npy": lambda path: path.write_bytes(b"x" * 1000)}
            stage.finish(writers, summary={}, history=history, timing={"seconds": 1.5})
    if rows:
        write_json(run.metrics_path, {"rows": list(rows)})
    for path in run.path.rglob("*"):
        os.utime(path, (STAMP - age, STAMP - age))
    return run
