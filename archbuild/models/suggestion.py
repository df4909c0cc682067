"""How many clusters a run's pretrained latents fall into: computed once, and kept with the run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from archbuild.errors import RunError
from archbuild.evaluation.n_clusters import Suggestion, grid, suggest
from archbuild.evaluation.table import format_table
from archbuild.experiments.job import Job
from archbuild.heads.base import AUTO
from archbuild.io.atomic import write_json
from archbuild.runs.names import PRETRAIN
from archbuild.version import __version__

LEAST, MOST = 2, 20
"""The range that is tried unless another is asked for."""
_LATENTS = "latents.npy"


def suggest_for(job: Job, least: int = LEAST, most: int = MOST) -> Suggestion:
    """The suggestion for a job's pretrained latents; nothing in it depends on ``head``.

    Written to ``n_clusters.json`` in the run folder and drawn to ``candidates.png`` among its
    plots. What was found on the same latents, seed and candidates is read again, not measured.

    Args:
        job: whose ``pretrain`` stage is finished.
        least: the fewest clusters to try, from 2.
        most: the most to try.

    Raises:
        RunError: there is no finished ``pretrain`` stage, or it is of another network or damaged.
        DataError: as ``evaluation.n_clusters.suggest``.
    """
    from archbuild.figures.candidates import draw_candidates

    source = _source(job, least, most)
    suggestion = _known(job, source)
    if suggestion is None:
        latents = np.load(job.run.stage(PRETRAIN).file(_LATENTS), allow_pickle=False)
        suggestion = suggest(latents, grid(least, most), job.request.seed)
        write_json(job.run.n_clusters_path, {"source": source, **suggestion.to_json()})
    title = f"{job.dataset.name} · {job.spec.name} · how many clusters?"
    draw_candidates(suggestion, title, job.plots / "candidates.png")
    return suggestion


def recalled(job: Job) -> Suggestion | None:
    """What was suggested for the pretrained latents that are there now; ``None`` if nothing was."""
    try:
        document = json.loads(job.run.n_clusters_path.read_bytes())
        latents = job.run.stage(PRETRAIN).manifest()["files"][_LATENTS]
        return Suggestion.from_json(document) if document["source"]["latents"] == latents else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def in_text(suggestion: Suggestion) -> str:
    """The table of the candidates, and the suggestion in words below it."""
    return f"{format_table(suggestion.table())}\n\n{suggestion.in_words()}"


def command(job: Job, n_clusters: int | str) -> str:
    """The command line of the job, without its stages, for another number of clusters."""
    key = "head.n_clusters="
    others = [text for text in job.request.overrides if not text.startswith(key)]
    return replace(job.request, overrides=(*others, f"{key}{n_clusters}")).command()


def _source(job: Job, least: int, most: int) -> dict[str, Any]:
    """What the answer depends on, once it is known that there is something to answer from."""
    folder = job.run.stage(PRETRAIN)
    if folder.status() != "finished":
        raise RunError(
            "the number of clusters is suggested from pretrained latents, and "
            f"{folder.path} holds none that are finished; make them with: "
            f"{command(job, AUTO)} --pretrain {job.spec.pretrain['epochs']}"
        )
    job.refuse_foreign_stages()
    folder.verify()
    manifest = folder.manifest()
    return {
        "archbuild": __version__,
        "latents": manifest["files"][_LATENTS],
        "seed": job.request.seed,
        "least": least,
        "most": most,
    }


def _known(job: Job, source: dict[str, Any]) -> Suggestion | None:
    """An earlier answer to the same question; ``None`` where there is none that can be read."""
    try:
        document = json.loads(job.run.n_clusters_path.read_bytes())
        return Suggestion.from_json(document) if document["source"] == source else None
    except (OSError, ValueError, LookupError, TypeError):
        return None
