"""What a job comes to on one page: ``report.html``, to keep, to read offline and to pass on."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.errors import RunError
from archbuild.evaluation.accuracy import label_scores, match_clusters
from archbuild.experiments.job import Job
from archbuild.figures.pictures import draw_without_scatters
from archbuild.io.atomic import json_text, write_text
from archbuild.models.results import measured, spaces_of, values_of
from archbuild.spec.rendering import shape_text

if TYPE_CHECKING:
    from archbuild.report import Categories, Measure, Remark, Report, Section

_SECTIONS = {
    "Clusters": ("clusters", "confusion", "components", "exchange", "generated"),
    "Reconstructions": ("reconstructions",),
    "Training": ("curves", "occupancy"),
}
"""Which pictures stand under which heading, by the kind that their names begin with."""


def write_report(job: Job) -> Path:
    """Everything about a run on one HTML page in its plots folder; returns the page's path.

    The page needs no network and stays below 15 MB: of many rows, the map shows a sample. Scores
    are those of ``metrics.json`` as far as they still hold; only how clusters agree with labels is
    counted here.

    Raises:
        RunError: there is no epoch of any stage yet, or what is there is of another network.
    """
    from archbuild.report import render_page

    job.refuse_foreign_stages()
    if not job.run.stages():
        raise RunError(
            f"nothing to report: {job.run.path} holds no epoch of any stage yet; train one with: "
            f"{job.request.command()} --pretrain"
        )
    with TemporaryDirectory(prefix="archbuild-") as folder:
        page = render_page(_report(job, Path(folder)))
    path = job.plots / "report.html"
    write_text(path, page)
    return path


def _report(job: Job, folder: Path) -> Report:
    from archbuild.report import Report

    metrics, agreements = measured(job), _agreements(job)
    return Report(
        title=job.dataset.name,
        subtitle=job.spec.name,
        facts=_facts(job, agreements or {}),
        summary=_summary(job, metrics, agreements),
        metrics=metrics,
        scatter=_scatter(job) if job.summaries() else None,
        sections=list(_sections(draw_without_scatters(job, folder))),
        plan=job.plan,
        spec=json_text(job.run.read_spec(), indent=2),
        environment=_environment(job),
    )


def _agreements(job: Job) -> dict[str, dict[str, float]] | None:
    """How each finished head agrees with the labels; ``None`` without labels."""
    labels = job.dataset.labels
    if labels is None:
        return None
    return {head: label_scores(labels, _clusters(job, head)) for head in job.finished_heads()}


def _clusters(job: Job, head: str) -> np.ndarray:
    return job.assignments(head).argmax(axis=1)


def _facts(job: Job, agreements: dict[str, dict[str, float]]) -> dict[str, str]:
    return {
        "rows": f"{len(job.dataset):,}",
        "one row": shape_text(job.spec.input_shape),
        "classes": "no labels" if job.dataset.labels is None else f"{job.dataset.n_classes:,}",
        "clusters": str(job.spec.head.config["n_clusters"]),
        "latent": f"{job.plan.latent_size:,}",
        "parameters": f"{job.plan.parameters:,}",
        "seed": str(job.request.seed),
        **{f"ACC of {head}": f"{scores['acc']:.1%}" for head, scores in agreements.items()},
    }


def _summary(
    job: Job, metrics: Sequence[dict[str, Any]], agreements: dict[str, dict[str, float]] | None
) -> list[Remark]:
    from archbuild.models.suggestion import recalled
    from archbuild.report import Remark, quality_in_words, stage_in_words

    summaries, suggestion = job.summaries(), recalled(job)
    remarks = []
    if suggestion is not None:
        words = f"How many clusters? {suggestion.in_words()}."
        remarks.append(Remark(words, is_warning=not suggestion.clear))
    remarks += [
        remark
        for stage in job.run.stages()
        for remark in stage_in_words(stage, job.run.stage(stage).history(), summaries.get(stage))
    ]
    return remarks + quality_in_words(agreements, metrics, len(job.finished_heads()))


def _sections(pictures: Sequence[Path]) -> Iterator[Section]:
    from archbuild.report import Section

    named = {path: path.stem.split("-", 1) for path in pictures}
    for heading, kinds in _SECTIONS.items():
        chosen = {path: f"{kind} of {of}" for path, (kind, of) in named.items() if kind in kinds}
        if chosen:
            yield Section(heading, chosen)


def _environment(job: Job) -> dict[str, str]:
    stages = {name: job.run.stage(name).manifest() for name in job.run.stages()}
    return {
        "asked for with": job.request.command(),
        "data": f"{job.dataset.source}, SHA-256 {job.dataset.digest()}",
        "run folder": str(job.run.path),
        **{name: _made_with(manifest) for name, manifest in stages.items()},
        "this page": f"written {datetime.now():%Y-%m-%d %H:%M} on {platform.platform()}",
    }


def _made_with(manifest: dict[str, Any]) -> str:
    """When a stage began, and the software under which it ran, before a resumption too."""
    versions = [*manifest.get("earlier_versions", []), manifest["versions"]]
    texts = [", ".join(f"{name} {number}" for name, number in each.items()) for each in versions]
    started = datetime.fromisoformat(manifest["timing"]["started"])
    return f"started {started:%Y-%m-%d %H:%M}; {'; then '.join(texts)}"


# -- the map -----------------------------------------------------------------------------------


def _scatter(job: Job) -> dict[str, Any]:
    from archbuild.figures import project, sample_indices
    from archbuild.report import LIMIT, Categories, map_document

    seed, dataset = job.request.seed, job.dataset
    chosen = sample_indices(len(dataset), seed, LIMIT)
    spaces = {
        space: project(values_of(job, space, chosen), seed, LIMIT) for space in spaces_of(job)
    }
    colourings = list(_colourings(job, chosen))
    kinds = [place for place, each in enumerate(colourings) if isinstance(each, Categories)]
    return map_document(
        chosen,
        spaces,
        colourings,
        _hover(job, chosen),
        total=len(dataset),
        ids=None if dataset.ids is None else dataset.ids[chosen],
        colouring=kinds[-1] if kinds else 0,
    )


def _hover(job: Job, chosen: np.ndarray) -> dict[str, Any]:
    """What each point is, in the units of the data."""
    from archbuild.figures.thumbnails import kind_of
    from archbuild.report import hover_images, hover_series, hover_table

    rows = job.dataset.rows(chosen)
    kind = kind_of(rows)
    if kind == "table":
        return hover_table(rows, job.dataset.columns)
    return hover_images(rows) if kind == "images" else hover_series(rows)


def _colourings(job: Job, chosen: np.ndarray) -> Iterator[Categories | Measure]:
    """By class where there are labels, then by cluster and by confidence of every head."""
    from archbuild.report import Categories, Measure

    labels, names = job.dataset.labels, job.dataset.class_names
    if labels is not None:
        yield Categories("class", labels[chosen], names, range(len(names)))
    for head in job.finished_heads():
        yield _by_cluster(job, head, chosen)
        yield Measure(f"confidence of {head}", job.assignments(head)[chosen].max(axis=1))


def _by_cluster(job: Job, head: str, chosen: np.ndarray) -> Categories:
    """Clusters in the colours of the classes that they are matched to, where there are labels.

    Going from one colouring to the other then shows where the two disagree.
    """
    from archbuild.report import Categories

    labels, clusters = job.dataset.labels, _clusters(job, head)
    count = job.assignments(head).shape[1]
    matching = {} if labels is None else match_clusters(labels, clusters)
    spare = iter(range(job.dataset.n_classes or 0, count + (job.dataset.n_classes or 0)))
    shades = [matching[number] if number in matching else next(spare) for number in range(count)]
    names = [_cluster_name(job, number, matching) for number in range(count)]
    return Categories(f"cluster of {head}", clusters[chosen], names, shades)


def _cluster_name(job: Job, number: int, matching: dict[int, int]) -> str:
    if number not in matching:
        return str(number)
    return f"{number} (class {job.dataset.class_names[matching[number]]})"
