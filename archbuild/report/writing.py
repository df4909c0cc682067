"""The report of a run: one page, ``report.html``, to keep, to read offline and to pass on."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.errors import RunError
from archbuild.evaluation.accuracy import match_clusters
from archbuild.evaluation.scores import label_scores
from archbuild.figures.drawing import PICTURES, draw_into
from archbuild.figures.style import matched_colours
from archbuild.io.atomic import write_text
from archbuild.io.documents import json_text
from archbuild.models.measuring import recorded_rows
from archbuild.spec.rendering import shape_text

if TYPE_CHECKING:
    from archbuild.data import Dataset
    from archbuild.models.run import Run
    from archbuild.models.stage import Stage
    from archbuild.report import Categories, Measure, Remark, Report, Section

_SECTIONS = ("Clusters", "Reconstructions", "Training")
"""The headings over pictures, in this order; a plugin's own come after them."""


def write_report(run: Run) -> Path:
    """Write a run's HTML page to its plots folder; return the page's path.

    The page needs no network and stays below 15 MB: of many rows, the map shows a sample. Scores
    are those of ``metrics.json`` as far as they still hold; only how clusters agree with labels is
    counted here.

    Raises:
        RunError: there is no epoch of any stage yet, or what is there is of another network.
    """
    from archbuild.report import render_page

    if not run.stages:
        raise RunError(
            f"nothing to report: {run.path} holds no epoch of any stage yet; train one with: "
            f"{run.command} --pretrain"
        )
    with TemporaryDirectory(prefix="archbuild-") as folder:
        page = render_page(_report(run, Path(folder)))
    path = run.plots / "report.html"
    write_text(path, page)
    return path


def _report(run: Run, folder: Path) -> Report:
    from archbuild.report import Report

    metrics, agreements = recorded_rows(run), _agreements(run)
    return Report(
        title=run.dataset_name,
        subtitle=run.arch,
        facts=_facts(run, agreements or {}),
        summary=_summary(run, metrics, agreements),
        metrics=metrics,
        scatter=_scatter(run) if run.finished_stages else None,
        sections=list(_sections(run, folder)),
        plan=run.plan,
        spec=json_text(run.folder.read_spec(), indent=2),
        environment=_environment(run),
    )


def _agreements(run: Run) -> dict[str, dict[str, float]] | None:
    """Score each finished head against the labels; ``None`` without labels."""
    labels = run.dataset.row_labels
    if labels is None:
        return None if run.dataset.labels is None else {}
    return {stage.space: label_scores(labels, stage.clusters) for stage in run.finished_clusterings}


def _facts(run: Run, agreements: dict[str, dict[str, float]]) -> dict[str, str]:
    config = run.spec.head.config
    return {
        "rows": f"{len(run.dataset):,}",
        "one row": shape_text(run.spec.input_shape),
        "classes": _classes_in_words(run.dataset),
        **({"clusters": str(config["n_clusters"])} if "n_clusters" in config else {}),
        "latent": f"{run.plan.latent_size:,}",
        "parameters": f"{run.plan.parameters:,}",
        "seed": str(run.seed),
        **{f"ACC of {head}": f"{scores['acc']:.1%}" for head, scores in agreements.items()},
    }


def _classes_in_words(dataset: Dataset) -> str:
    if dataset.labels is None:
        return "no labels"
    missing = dataset.n_unlabelled
    return f"{dataset.n_classes:,}" + (f"; {missing:,} rows have no label" if missing else "")


def _summary(
    run: Run, metrics: Sequence[dict[str, Any]], agreements: dict[str, dict[str, float]] | None
) -> list[Remark]:
    from archbuild.models.suggestion import recalled
    from archbuild.report import Remark, quality_in_words, stage_in_words

    suggestion = recalled(run)
    remarks = []
    if suggestion is not None:
        words = f"How many clusters? {suggestion.in_words()}."
        remarks.append(Remark(words, is_warning=not suggestion.clear))
    remarks += [
        remark
        for stage in run.stages
        for remark in stage_in_words(stage.name, stage.history(), stage.summary)
    ]
    return remarks + quality_in_words(agreements, metrics, len(run.finished_heads))


def _sections(run: Run, folder: Path) -> Iterator[Section]:
    """Draw the pictures that have a place in the report, heading by heading."""
    from archbuild.report import Section

    shown = [picture for picture in PICTURES.values() if picture.section]
    headings = dict.fromkeys([*_SECTIONS, *(str(picture.section) for picture in shown)])
    for heading in headings:
        chosen = [picture for picture in shown if picture.section == heading]
        paths = draw_into(run, folder, chosen)
        if paths:
            yield Section(heading, {path: _caption(path) for path in paths})


def _caption(path: Path) -> str:
    """Return ``curves of pretrain`` for ``curves-pretrain.png``."""
    return path.stem.replace("-", " of ", 1)


def _environment(run: Run) -> dict[str, str]:
    dataset = run.dataset
    return {
        "command": run.full_command if run.command else "",
        "data": f"{dataset.source}, SHA-256 {dataset.digest()}",
        **{f"data, {guess.subject}": guess.found for guess in dataset.guesses},
        "run folder": str(run.path),
        **{stage.name: _made_with(stage.manifest) for stage in run.stages},
        "this page": f"written {datetime.now():%Y-%m-%d %H:%M} on {platform.platform()}",
    }


def _made_with(manifest: Mapping[str, Any]) -> str:
    """Return when a stage began, and the software it ran under, before a resumption too."""
    versions = [*manifest.get("earlier_versions", []), manifest["versions"]]
    texts = [", ".join(f"{name} {number}" for name, number in each.items()) for each in versions]
    started = datetime.fromisoformat(manifest["timing"]["started"])
    return f"started {started:%Y-%m-%d %H:%M}; {'; then '.join(texts)}"


# -- the map -----------------------------------------------------------------------------------


def _scatter(run: Run) -> dict[str, Any]:
    from archbuild.figures import project, sample_indices
    from archbuild.report import LIMIT, Categories, map_document

    seed, dataset = run.seed, run.dataset
    chosen = sample_indices(len(dataset), seed, LIMIT)
    spaces = {space: project(run.values(space, chosen), seed, LIMIT) for space in run.spaces}
    colourings = list(_colourings(run, chosen))
    kinds = [place for place, each in enumerate(colourings) if isinstance(each, Categories)]
    return map_document(
        chosen,
        spaces,
        colourings,
        _hover(run, chosen),
        total=len(dataset),
        ids=None if dataset.ids is None else dataset.ids[chosen],
        colouring=kinds[-1] if kinds else 0,
    )


def _hover(run: Run, chosen: np.ndarray) -> dict[str, Any]:
    """Return the description of each point, in the units of the data."""
    from archbuild.figures.thumbnails import kind_of, pictured
    from archbuild.report import hover_images, hover_series, hover_table

    rows = run.dataset.rows(chosen)
    rows = pictured(np.nan_to_num(rows, nan=0.0) if run.dataset.gaps else rows)
    kind = kind_of(rows)
    if kind == "table":
        return hover_table(rows, run.dataset.columns)
    return hover_images(rows) if kind == "images" else hover_series(rows)


def _colourings(run: Run, chosen: np.ndarray) -> Iterator[Categories | Measure]:
    """Yield colourings: by class if known, then by cluster and by confidence of each head."""
    from archbuild.report import Categories, Measure

    labels, names = run.dataset.row_labels, run.dataset.class_names
    if labels is not None:
        yield Categories("class", labels[chosen], names, range(len(names)))
    for stage in run.finished_clusterings:
        yield _by_cluster(run, stage, chosen)
        confidence = stage.assignments[chosen].max(axis=1)
        yield Measure(f"confidence of {stage.space}", confidence)


def _by_cluster(run: Run, stage: Stage, chosen: np.ndarray) -> Categories:
    """Colour clusters as the classes that they are matched to, where there are labels.

    Going from one colouring to the other then shows where the two disagree.
    """
    from archbuild.report import Categories

    labels, clusters = run.dataset.row_labels, stage.clusters
    count = stage.assignments.shape[1]
    matching = {} if labels is None else match_clusters(labels, clusters)
    shades = matched_colours(matching, count, run.dataset.n_classes or 0)
    names = [_cluster_name(run, number, matching) for number in range(count)]
    return Categories(f"cluster of {stage.space}", clusters[chosen], names, shades)


def _cluster_name(run: Run, number: int, matching: dict[int, int]) -> str:
    if number not in matching:
        return str(number)
    return f"{number} (class {run.dataset.class_names[matching[number]]})"
