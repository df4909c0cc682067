"""What a job comes to in pictures: PNG files in the run's plots folder."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.evaluation.accuracy import match_clusters
from archbuild.heads.base import to_numpy
from archbuild.job import PRETRAIN, Job, space_of
from archbuild.results import spaces_of, values_of

if TYPE_CHECKING:
    from archbuild.trained import Trained
    from archbuild.training.feed import Feed

_RECONSTRUCTED = 1000
_GENERATED = 10
_GENERATED_POINTS = 200
"""Rows of at most two features are drawn as points."""


class _Rows:
    """The rows as the network sees them, read when they are asked for: an array to index."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self.shape = feed.dataset.values.shape
        self.ndim = len(self.shape)

    def __len__(self) -> int:
        return len(self._feed)

    def __getitem__(self, indices: Any) -> np.ndarray:
        return self._feed.clean(indices)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[np.arange(len(self))].astype(dtype or np.float32, copy=False)


def draw(job: Job) -> list[Path]:
    """Every picture of what is there, as PNG files in the run's plots folder; returns them.

    Of a stage that another process is training, its latest epoch is drawn.
    """
    job.refuse_foreign_stages()
    pictures = draw_without_scatters(job, job.plots)
    if any(job.finished(stage) for stage in job.run.stages()):
        pictures += _scatters(job)
    return pictures


def draw_without_scatters(job: Job, folder: Path) -> list[Path]:
    """All the other pictures, as files in ``folder`` that are named ``<kind>-<stage or space>``.

    Kinds are curves, occupancy, generated, components, reconstructions, clusters and confusion.
    """
    stages = job.run.stages()
    pictures = [_curves(job, stage, folder) for stage in stages]
    for stage in stages:
        pictures += _head(job, stage, folder) if stage != PRETRAIN else []
    pictures += [_reconstructions(job, stage, folder) for stage in stages if job.finished(stage)]
    for head in job.finished_heads():
        pictures += _clusters(job, head, folder)
    return pictures


def _head(job: Job, stage: str, folder: Path) -> list[Path]:
    """What became of the clusters, and of a generative head its prior and what it generates."""
    from archbuild.figures import draw_generated, draw_occupancy
    from archbuild.heads.generative import GenerativeHead

    space, trained = space_of(stage), job.trained(stage)
    history, at = _history(job, stage)
    path = folder / f"occupancy-{space}.png"
    pictures = [draw_occupancy(history, _title(job, f"clusters of {space} over time{at}"), path)]
    if isinstance(trained.head, GenerativeHead) and trained.head.has_begun:
        path = folder / f"generated-{space}.png"
        count = _GENERATED_POINTS if prod(job.spec.input_shape) <= 2 else _GENERATED
        rows = job.feed.scaler.undo(trained.generate(count, job.request.seed))
        title = generated_title(job.dataset.name, job.spec.name, stage, trained)
        draw_generated(rows, title, path, feature_names=job.dataset.columns or None)
        pictures += [path, _components(job, space, trained, folder)]
    return pictures


def generated_title(dataset: str, arch: str, stage: str, trained: Trained) -> str:
    """What a picture of rows that a stage's head generates shows."""
    at = _at(trained.epoch, trained.finished)
    return f"{dataset} · {arch} · drawn from each cluster of {space_of(stage)}{at}"


def _components(job: Job, space: str, trained: Trained, folder: Path) -> Path:
    """A sample of the latents, with the prior's components over them."""
    from archbuild.figures import draw_components, project_components, sample_indices

    indices = sample_indices(len(job.dataset), job.request.seed)
    codes = trained.codes(job.feed, indices)
    assignments = trained.head.assignments(codes)
    clusters = assignments.argmax(axis=1)
    shares = np.bincount(clusters, minlength=trained.head.n_clusters) / len(clusters)
    means, variances = trained.generative_head.components()
    latents = codes[:, : job.plan.latent_size]
    projection, means, covariances = project_components(latents, means, variances, job.request.seed)
    chosen, labels = indices[projection.indices], job.dataset.labels
    at = _at(trained.epoch, trained.finished)
    return draw_components(
        projection.points,
        None if labels is None else labels[chosen],
        job.dataset.class_names,
        clusters[projection.indices],
        means,
        covariances,
        shares,
        _title(job, f"latents and prior of {space} ({projection.method}){at}"),
        folder / f"components-{space}.png",
    )


def _at(epoch: int, finished: bool) -> str:
    """Which epoch is shown, where it is not the last."""
    return "" if finished else f", epoch {epoch}, not finished"


def _scatters(job: Job) -> list[Path]:
    """One scatter for each space, and all of them side by side in the same colours."""
    from archbuild.figures import draw_scatter, draw_scatter_panels, project

    seed = job.request.seed
    spaces = {space: project(values_of(job, space), seed) for space in spaces_of(job)}
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


def _reconstructions(job: Job, stage: str, folder: Path) -> Path:
    from archbuild.figures import draw_reconstructions, sample_indices

    job.load(stage)
    rows = job.feed.clean(sample_indices(len(job.dataset), job.request.seed, _RECONSTRUCTED))
    network = job.network
    encoding = network.encode(rows)
    outputs = network.expected(network.decode(encoding.mean, encoding.switches))
    title = _title(job, f"reconstructions after {stage}")
    path = folder / f"reconstructions-{stage}.png"
    columns, seed = job.dataset.columns or None, job.request.seed
    return draw_reconstructions(
        rows, to_numpy(outputs), title, path, feature_names=columns, seed=seed
    )


def _curves(job: Job, stage: str, folder: Path) -> Path:
    from archbuild.figures import draw_curves

    history, at = _history(job, stage)
    path = folder / f"curves-{stage}.png"
    return draw_curves(history, _title(job, f"training of {stage}{at}"), path)


def _history(job: Job, stage: str) -> tuple[list[dict[str, Any]], str]:
    """A stage's rows, one for each epoch, and up to which epoch they go if not to the last."""
    finished = job.finished(stage)
    history = job.run.stage(stage).history()
    return history, _at(len(history), finished)


def _clusters(job: Job, head: str, folder: Path) -> list[Path]:
    from archbuild.figures import draw_confusion, draw_gallery

    assignments = job.assignments(head)
    gallery, title = folder / f"clusters-{head}.png", _title(job, f"clusters of {head}")
    columns = job.dataset.columns or None
    draw_gallery(_Rows(job.feed), assignments, title, gallery, feature_names=columns)
    if job.dataset.labels is None:
        return [gallery]
    confusion = folder / f"confusion-{head}.png"
    labels, clusters = job.dataset.labels, assignments.argmax(axis=1)
    title = _title(job, f"{head} against the classes")
    matching = match_clusters(labels, clusters)
    draw_confusion(labels, clusters, matching, job.dataset.class_names, title, confusion)
    return [gallery, confusion]


def _title(job: Job, what: str) -> str:
    return f"{job.dataset.name} · {job.spec.name} · {what}"
