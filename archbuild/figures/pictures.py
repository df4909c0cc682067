"""What a job comes to in pictures: PNG files in the run's plots folder."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.evaluation.accuracy import match_clusters
from archbuild.experiments.job import Job
from archbuild.models.results import spaces_of, values_of
from archbuild.networks.rows import to_numpy
from archbuild.runs.names import PRETRAIN, space_of

if TYPE_CHECKING:
    from archbuild.figures import Round
    from archbuild.heads.messages import MessagesHead
    from archbuild.models.trained import Trained
    from archbuild.runs import StageFolder
    from archbuild.training.feed import Feed

_RECONSTRUCTED = 1000
_GENERATED = 10
_GENERATED_POINTS = 200
"""Rows of at most two features are drawn as points."""
_TAKEN = {
    "sample": "The latents are those that the modules took: a draw of q(z | row) for each row.",
    "mean": "The latents are those that the modules took: the mean of q(z | row) for each row.",
}
"""By a head's ``message``."""


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

    Kinds are curves, occupancy, generated, components, exchange, reconstructions, clusters and
    confusion.
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
    """What became of the clusters, of a generative head's prior, and of what modules exchanged."""
    from archbuild.heads.generative import GenerativeHead
    from archbuild.heads.messages import MessagesHead

    space, trained = space_of(stage), job.trained(stage)
    pictures = [_occupancy(job, stage, folder)]
    if isinstance(trained.head, GenerativeHead) and trained.head.has_begun:
        pictures.append(_generated(job, stage, trained, folder))
        pictures.append(_components(job, space, trained, folder))
        if isinstance(trained.head, MessagesHead):
            pictures.append(_exchange(job, stage, trained, folder))
    return pictures


def _occupancy(job: Job, stage: str, folder: Path) -> Path:
    from archbuild.figures import draw_occupancy

    space, (history, at) = space_of(stage), _history(job, stage)
    title = _title(job, f"clusters of {space} over time{at}")
    return draw_occupancy(history, title, folder / f"occupancy-{space}.png")


def _generated(job: Job, stage: str, trained: Trained, folder: Path) -> Path:
    """Rows that the prior generates."""
    from archbuild.figures import draw_generated

    path = folder / f"generated-{space_of(stage)}.png"
    count = _GENERATED_POINTS if prod(job.spec.input_shape) <= 2 else _GENERATED
    rows = job.feed.scaler.undo(trained.generate(count, job.request.seed))
    title = generated_title(job.dataset.name, job.spec.name, stage, trained)
    names, shares = job.dataset.columns or None, shares_of(job.run.stage(stage))
    return draw_generated(rows, title, path, feature_names=names, shares=shares)


def generated_title(dataset: str, arch: str, stage: str, trained: Trained) -> str:
    """What a picture of rows that a stage's head generates shows."""
    at = _at(trained.epoch, trained.finished)
    return f"{dataset} · {arch} · drawn from each cluster of {space_of(stage)}{at}"


def shares_of(stage: StageFolder) -> list[float] | None:
    """Of the training rows, in each cluster, after the latest epoch that counted them."""
    counted = (row["shares"] for row in reversed(stage.history()) if "shares" in row)
    return next(counted, None)


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


def _exchange(job: Job, stage: str, trained: Trained, folder: Path) -> Path:
    """The latents that the modules took first, and those that they took last."""
    from archbuild.figures import draw_exchange

    head, space = trained.generative_head, space_of(stage)
    rounds = _rounds(head, from_scratch=space == stage)
    when = "before and after" if len(rounds) > 1 else "before"
    at = _at(trained.epoch, trained.finished)
    return draw_exchange(
        rounds,
        job.dataset.labels,
        job.dataset.class_names,
        _title(job, f"latents of {space} {when} the exchange{at}"),
        folder / f"exchange-{space}.png",
        _TAKEN[head.config["message"]],
        seed=job.request.seed,
    )


def _rounds(head: MessagesHead, from_scratch: bool) -> list[Round]:
    """When the modules first learned, and when they last did if that was later."""
    from archbuild.figures import Round

    # What pretraining is to a refined network, the first round is to one trained from scratch.
    name = "after round 1, the network alone" if from_scratch else "after pretraining"
    rounds, updates = [Round(name, head.first_message, head.classes[0])], len(head.classes)
    if updates > 1:
        name = f"after round {updates if from_scratch else updates - 1}"
        rounds.append(Round(name, head.latents.forward_message, head.classes[-1]))
    return rounds


def _round_ends(job: Job, stage: str) -> list[int]:
    """After which epochs, but for the last one, the modules of a stage learned."""
    made_for = job.run.stage(stage).manifest()["request"]["spec"]
    rounds = made_for.get("head", {}).get("rounds", 0)
    section = made_for.get("train") or made_for.get("cluster") or {}
    return [section["epochs"] * number for number in range(1, rounds)]


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
    title = _title(job, f"training of {stage}{at}")
    return draw_curves(history, title, path, rounds=_round_ends(job, stage))


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
    matching, names = match_clusters(labels, clusters), job.dataset.class_names
    count = assignments.shape[1]
    draw_confusion(labels, clusters, matching, names, title, confusion, n_clusters=count)
    return [gallery, confusion]


def _title(job: Job, what: str) -> str:
    return f"{job.dataset.name} · {job.spec.name} · {what}"
