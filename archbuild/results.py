"""What a finished job comes to: the table of metrics and the pictures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from archbuild.evaluation.accuracy import match_clusters
from archbuild.evaluation.table import evaluate_head, evaluate_space, metrics_document
from archbuild.heads.base import to_numpy
from archbuild.job import PRETRAIN, Job, stage_of
from archbuild.runs.atomic import write_json

_RECONSTRUCTED = 1000


def measure(job: Job) -> dict[str, Any]:
    """The metrics of every space that is there, written to ``metrics.json``.

    Rows whose latents are the ones that were measured before are kept, not measured again.

    Returns:
        ``{"dataset", "arch", "seed", "rows", "sources"}``; ``sources`` names the digest of what
        each space was measured on.
    """
    job.refuse_foreign_stages()
    spaces = dict(_spaces(job))
    known = _known_rows(job)
    rows = []
    for space, digest in spaces.items():
        rows += known.get((space, digest)) or _measure_space(job, space)
    document = metrics_document(job.dataset.name, job.spec.name, job.request.seed, rows)
    document["sources"] = spaces
    write_json(job.run.metrics_path, document)
    return document


def _spaces(job: Job) -> Iterator[tuple[str, str]]:
    """Every space with the digest of what it is made of: raw, pretrain, then the heads."""
    settings = _settings_digest(job)
    yield "raw", settings
    if job.finished(PRETRAIN):
        yield PRETRAIN, f"{job.run.stage(PRETRAIN).digest}/{settings}"
    for head in job.finished_heads():
        yield head, f"{job.run.stage(stage_of(head)).digest}/{settings}"


def _settings_digest(job: Job) -> str:
    """SHA-256 over what every row depends on: values, labels, scaling, number of clusters."""
    labels = b"" if job.dataset.labels is None else job.dataset.labels.tobytes()
    parts = [job.dataset.digest(), job.spec.scaling, str(job.spec.head.config["n_clusters"])]
    return hashlib.sha256("/".join(parts).encode() + labels).hexdigest()


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
    values = _values(job, space)
    rows = [evaluate_space(space, values, job.spec.head.config["n_clusters"], labels, seed)]
    if space not in ("raw", PRETRAIN):
        clusters = np.load(job.run.stage(stage_of(space)).file("labels.npy"))
        rows.append(evaluate_head(space, values, clusters, labels, seed))
    return rows


def _values(job: Job, space: str) -> np.ndarray:
    """The points of a space, ``(n, dimensions)``."""
    if space == "raw":
        return job.feed.clean(np.arange(len(job.dataset))).reshape(len(job.dataset), -1)
    return np.load(job.run.stage(stage_of(space)).file("latents.npy"), allow_pickle=False)


def draw(job: Job) -> list[Path]:
    """Every picture of what is there, as PNG files in the run's plots folder; returns them."""
    job.refuse_foreign_stages()
    pictures = _scatters(job)
    for stage in job.run.stages():
        if job.finished(stage):
            pictures += [_reconstructions(job, stage), _curves(job, stage)]
    for head in job.finished_heads():
        pictures += _clusters(job, head)
    return pictures


def _scatters(job: Job) -> list[Path]:
    """One scatter for each space, and all of them side by side in the same colours."""
    from archbuild.figures import draw_scatter, draw_scatter_panels, project

    spaces = {space: project(_values(job, space), job.request.seed) for space, _ in _spaces(job)}
    labels, names, heads = job.dataset.labels, job.dataset.class_names, job.finished_heads()
    clusters = job.assignments(heads[-1]).argmax(axis=1) if heads else None
    pictures = []
    for space, projection in spaces.items():
        chosen = projection.indices
        path = job.plots / f"scatter-{space}.png"
        own = job.assignments(space).argmax(axis=1) if space in heads else clusters
        pictures.append(
            draw_scatter(
                projection.points,
                None if labels is None else labels[chosen],
                names,
                _title(job, f"{space} ({projection.method})"),
                path,
                clusters=None if own is None else own[chosen],
            )
        )
    title, path = _title(job, "every space"), job.plots / "scatter.png"
    return [
        draw_scatter_panels(spaces, labels, names, title, path, clusters=clusters),
        *pictures,
    ]


def _reconstructions(job: Job, stage: str) -> Path:
    from archbuild.figures import draw_reconstructions, sample_indices

    job.load(stage)
    rows = job.feed.clean(sample_indices(len(job.dataset), job.request.seed, _RECONSTRUCTED))
    network = job.network
    encoding = network.encode(rows)
    outputs = network.expected(network.decode(encoding.mean, encoding.switches))
    title = _title(job, f"reconstructions after {stage}")
    path = job.plots / f"reconstructions-{stage}.png"
    return draw_reconstructions(rows, to_numpy(outputs), title, path, seed=job.request.seed)


def _curves(job: Job, stage: str) -> Path:
    from archbuild.figures import draw_curves

    path = job.plots / f"curves-{stage}.png"
    return draw_curves(job.run.stage(stage).history(), _title(job, f"training of {stage}"), path)


def _clusters(job: Job, head: str) -> list[Path]:
    from archbuild.figures import draw_confusion, draw_gallery

    assignments = job.assignments(head)
    rows = job.feed.clean(np.arange(len(job.dataset)))
    gallery = job.plots / f"clusters-{head}.png"
    draw_gallery(rows, assignments, _title(job, f"clusters of {head}"), gallery)
    if job.dataset.labels is None:
        return [gallery]
    confusion = job.plots / f"confusion-{head}.png"
    labels, clusters = job.dataset.labels, assignments.argmax(axis=1)
    title = _title(job, f"{head} against the classes")
    matching = match_clusters(labels, clusters)
    draw_confusion(labels, clusters, matching, job.dataset.class_names, title, confusion)
    return [gallery, confusion]


def _title(job: Job, what: str) -> str:
    return f"{job.dataset.name} · {job.spec.name} · {what}"
