"""The scores of a run: the rows of ``metrics.json``."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.data import Dataset
from archbuild.data.sample import bounded_rows
from archbuild.data.spill import read_part
from archbuild.errors import RunError
from archbuild.evaluation.scores import SCORES
from archbuild.evaluation.table import ROWS, evaluate_head, evaluate_space, metrics_document
from archbuild.heads import HEADS
from archbuild.io.atomic import write_json
from archbuild.io.reading import guarded
from archbuild.models.run import RAW
from archbuild.models.suggestion import n_clusters_of
from archbuild.training.progress import LOGGER
from archbuild.version import __version__

if TYPE_CHECKING:
    from archbuild.models.model import Model
    from archbuild.models.run import Run
    from archbuild.models.stage import Stage
    from archbuild.training.feed import Feed


def measure(run: Run) -> dict[str, Any]:
    """Measure every space of a run, and write ``metrics.json``.

    Of a space of more than 200,000 rows, or of 256 MiB, a sample drawn by the run's seed is
    measured, and its rows have ``rows``, the size of it; a head's clusters are compared with labels
    on all rows.

    Rows whose latents are the ones that were measured before are kept, not measured again.

    Returns:
        ``{"dataset", "arch", "seed", "rows", "sources"}``; ``sources`` names the digest of what
        each space was measured on.

    Raises:
        DataError: the rows that the run was trained on cannot be read.
        RunError: a file of the run is missing or altered.
    """
    n_clusters = n_clusters_of(run)
    sources = _sources(run, n_clusters)
    known = _known_rows(run)
    rows = []
    for space, digest in sources.items():
        rows += known.get((space, digest)) or _measure_space(run, space, n_clusters)
    document = metrics_document(run.dataset_name, run.arch, run.seed, rows)
    document["sources"] = sources
    write_json(run.folder.metrics_path, document)
    return document


def recorded_rows(run: Run) -> list[dict[str, Any]]:
    """Return the rows of an earlier ``metrics.json`` that still hold; measure nothing.

    Raises:
        DataError: the rows that the run was trained on cannot be read.
        RunError: a file of the run is missing or altered.
    """
    known, sources = _known_rows(run), _sources(run, n_clusters_of(run))
    return [row for source in sources.items() for row in known.get(source, [])]


def measures_held_out(run: Run) -> bool:
    """Return whether heads are measured on held-out rows, which needs the network."""
    return bool(run.finished_heads) and run.held_out is not None


def measures_bounds(run: Run) -> bool:
    """Return whether a head bounds the likelihood of rows, which needs the network."""
    return any(bound_samples(run, stage) for stage in run.finished_heads)


def bound_samples(run: Run, stage: Stage) -> int:
    """Return how many draws of a row bound its likelihood under a stage's head; 0: none.

    Training does not depend on it, so what the run's spec says now counts, where it has that head.
    """
    trained = stage.settings["head"]["type"]
    if run.spec.head.type == trained:
        return int(run.spec.head.config.get("bound_samples", 0))
    defaults = {field.name: field.default for field in HEADS[trained].fields}
    return int(defaults.get("bound_samples", 0))


def measure_held_out(space: str, model: Model, feed: Feed, seed: int) -> dict[str, Any]:
    """Return the row of a head on rows that it has not seen.

    Args:
        space: the one that its stage makes.
        model: network and head.
        feed: the rows, as ``Run.held_out``.
        seed: of the run.
    """
    codes = model.codes(feed)
    latents, head = codes[:, : model.plan.latent_size], model.assigning_head
    labels = comparable_labels(feed.dataset, head.labels_per_row(head.config))
    assignments, are_classes = head.assignments(codes), head.answers == "classes"
    chosen = bounded_rows(len(latents), latents[:1].nbytes, seed)
    shown = latents if chosen is None else read_part(latents, chosen)
    return evaluate_head(
        space, shown, assignments, labels, seed, "head, held out", are_classes, chosen
    )


def _measure_space(run: Run, space: str, n_clusters: int | None) -> list[dict[str, Any]]:
    chosen, stage = run.bounded_rows(space), _head_stage(run, space)
    values, rows = run.values(space, chosen), []
    if n_clusters is not None:
        labels = run.dataset.row_labels
        known = labels if labels is None or chosen is None else labels[chosen]
        row = evaluate_space(space, values, n_clusters, known, run.seed)
        rows.append(row if chosen is None else row | {ROWS: len(chosen)})
    if stage is not None and stage.assigns:
        labels = comparable_labels(run.dataset, stage.labels_per_row)
        rows.append(
            evaluate_head(
                space,
                values,
                stage.assignments,
                labels,
                run.seed,
                are_classes=stage.finds_classes,
                chosen=chosen,
            )
        )
        if run.held_out is not None:
            rows.append(measure_held_out(space, stage.model, run.held_out, run.seed))
    if stage is not None:
        rows += _bounds(run, stage)
    return [_with_supervision(row, stage) for row in rows]


def comparable_labels(dataset: Dataset, labels_per_row: int) -> np.ndarray | None:
    """Return the labels that as many answers a row can be compared with, or ``None``."""
    return dataset.labels if dataset.labels_per_row == labels_per_row else None


def _bounds(run: Run, stage: Stage) -> list[dict[str, Any]]:
    """Return the row of the bound on the likelihood of the held-out rows, else of all, if any."""
    samples = bound_samples(run, stage)
    if not samples:
        return []
    from archbuild.training.bounds import bound_of

    held_out, model = run.held_out, stage.model
    feed = run.feed if held_out is None else held_out
    bound = bound_of(model.network, model.begun_head, feed, samples, run.seed)
    method = "bound" if held_out is None else "bound, held out"
    return [{"space": stage.space, "method": method, **bound.scores()}]


def _with_supervision(row: dict[str, Any], stage: Stage | None) -> dict[str, Any]:
    """Return the row, with its kind and number of labels where training read some."""
    if stage is None or stage.supervision is None:
        return row
    texts = {"space": row["space"], "method": row["method"], "supervision": stage.supervision}
    return texts | {"labels_used": stage.labels_used} | row


def _head_stage(run: Run, space: str) -> Stage | None:
    """Return the stage that trained the head of a space; ``None`` for the other spaces."""
    return next((stage for stage in run.finished_heads if stage.space == space), None)


# -- what was measured before ------------------------------------------------------------------


def _sources(run: Run, n_clusters: int | None) -> dict[str, str]:
    """Return the digests of what the rows of each space are measured on, by space.

    Raises:
        RunError: a file of a finished stage is missing or altered: its manifest alone would let
            rows be kept that cannot be measured again.
    """
    for stage in run.finished_stages:
        stage.verify()
    settings = _settings_digest(run, n_clusters)
    sources = {RAW: settings}
    sources |= {stage.space: f"{settings}/{stage.digest}" for stage in run.finished_stages}
    heads = run.finished_heads
    if heads and run.held_out is not None:
        held_out = _data_digest(run.held_out.dataset)
        sources |= {stage.space: f"{sources[stage.space]}/{held_out}" for stage in heads}
    for stage in heads:
        if samples := bound_samples(run, stage):
            sources[stage.space] += f"/{samples} draws"
    return sources


def _settings_digest(run: Run, n_clusters: int | None) -> str:
    """Return SHA-256 over all that every row depends on, the labels included."""
    spec, data = run.spec, _data_digest(run.dataset)
    parts = [__version__, *SCORES, data, spec.scaling, spec.binarise, str(n_clusters)]
    return hashlib.sha256("/".join(parts).encode()).hexdigest()


def _data_digest(dataset: Dataset) -> str:
    """Return SHA-256 over values and labels."""
    labels = b"" if dataset.labels is None else dataset.labels.tobytes()
    return hashlib.sha256(dataset.digest().encode() + labels).hexdigest()


def _known_rows(run: Run) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Return rows of an earlier ``metrics.json`` by space and source; none if it is unreadable."""
    path = run.folder.metrics_path
    if not path.exists():
        return {}
    by_space: dict[tuple[str, str], list[dict[str, Any]]] = {}
    try:
        with guarded(path):
            document = run.folder.read_metrics()
            sources = document.get("sources", {})  # early versions kept none
            for row in document["rows"]:
                if row["space"] in sources:
                    by_space.setdefault((row["space"], sources[row["space"]]), []).append(row)
    except RunError as error:
        LOGGER.warning("all is measured again: %s", error)
        return {}
    return by_space
