"""What a job comes to in numbers: the rows of ``metrics.json``."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.data import Dataset
from archbuild.evaluation.table import SCORES, evaluate_head, evaluate_space, metrics_document
from archbuild.experiments.job import Job
from archbuild.io.atomic import write_json
from archbuild.runs.names import PRETRAIN, stage_of
from archbuild.version import __version__

if TYPE_CHECKING:
    from archbuild.models.trained import Trained
    from archbuild.training.feed import Feed


def measure(job: Job) -> dict[str, Any]:
    """The metrics of every space that is there, written to ``metrics.json``.

    Rows whose latents are the ones that were measured before are kept, not measured again.

    Returns:
        ``{"dataset", "arch", "seed", "rows", "sources"}``; ``sources`` names the digest of what
        each space was measured on.
    """
    job.refuse_foreign_stages()
    job.settle_clusters()
    sources = {space: _source(job, space) for space in spaces_of(job)}
    known = _known_rows(job)
    rows = []
    for space, digest in sources.items():
        rows += known.get((space, digest)) or _measure_space(job, space)
    document = metrics_document(job.dataset.name, job.spec.name, job.request.seed, rows)
    document["sources"] = sources
    write_json(job.run.metrics_path, document)
    return document


def measured(job: Job) -> list[dict[str, Any]]:
    """The rows of an earlier ``metrics.json`` that still hold; nothing is measured anew."""
    known = _known_rows(job)
    return [row for space in spaces_of(job) for row in known.get((space, _source(job, space)), [])]


def measures_held_out(job: Job) -> bool:
    """Whether there are heads and rows that they have not seen: these have no latents yet."""
    return bool(job.finished_heads()) and job.held_out is not None


def spaces_of(job: Job) -> tuple[str, ...]:
    """Every space that is there: raw, pretrain, then the heads."""
    return ("raw", *([PRETRAIN] if job.finished(PRETRAIN) else []), *job.finished_heads())


def _source(job: Job, space: str) -> str:
    """The digest of what a space's rows are measured on."""
    parts = [_settings_digest(job)]
    if space != "raw":
        parts.append(job.run.stage(stage_of(space)).digest)
    if _is_head(space) and job.held_out is not None:
        parts.append(_data_digest(job.held_out.dataset))
    return "/".join(parts)


def _is_head(space: str) -> bool:
    return space not in ("raw", PRETRAIN)


def _settings_digest(job: Job) -> str:
    """SHA-256 over what every row depends on: the measures, values, labels, scaling, clusters."""
    parts = [__version__, *SCORES, _data_digest(job.dataset), job.spec.scaling]
    parts.append(str(job.spec.head.config["n_clusters"]))
    return hashlib.sha256("/".join(parts).encode()).hexdigest()


def _data_digest(dataset: Dataset) -> str:
    """SHA-256 over values and labels."""
    labels = b"" if dataset.labels is None else dataset.labels.tobytes()
    return hashlib.sha256(dataset.digest().encode() + labels).hexdigest()


def _known_rows(job: Job) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Rows of an earlier ``metrics.json`` by space and source; none where it cannot be read."""
    try:
        document = json.loads(job.run.metrics_path.read_bytes())
        sources = document["sources"]
        by_space: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in document["rows"]:
            by_space.setdefault((row["space"], sources[row["space"]]), []).append(row)
    except (OSError, ValueError, LookupError, TypeError):
        return {}
    return by_space


def _measure_space(job: Job, space: str) -> list[dict[str, Any]]:
    labels, seed = job.dataset.labels, job.request.seed
    values = values_of(job, space)
    rows = [evaluate_space(space, values, job.spec.head.config["n_clusters"], labels, seed)]
    if _is_head(space):
        rows.append(evaluate_head(space, values, job.assignments(space), labels, seed))
        if job.held_out is not None:
            trained = job.trained(stage_of(space))
            rows.append(measure_held_out(space, trained, job.held_out, seed))
    return rows


def measure_held_out(space: str, trained: Trained, feed: Feed, seed: int) -> dict[str, Any]:
    """The row of a head on rows that it has not seen.

    Args:
        space: the one that its stage makes.
        trained: network and head.
        feed: the rows, as ``Job.held_out``.
        seed: of the run.
    """
    codes = trained.codes(feed)
    head, latents = trained.head, codes[:, : trained.network.plan.latent_size]
    labels = feed.dataset.labels
    return evaluate_head(
        space, latents, head.assignments(codes), labels, seed, method="head, held out"
    )


def values_of(job: Job, space: str, chosen: np.ndarray | None = None) -> np.ndarray:
    """The points of a space, ``(n, dimensions)``: of all rows, or of those ``chosen`` by index."""
    rows = np.arange(len(job.dataset)) if chosen is None else chosen
    if space == "raw":
        return job.feed.clean(rows).reshape(len(rows), -1)
    latents = np.load(job.run.stage(stage_of(space)).file("latents.npy"), allow_pickle=False)
    return latents[rows]
