"""The table of metrics: one row for each space and method, as JSON and as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from archbuild.clustering.kmeans import kmeans
from archbuild.data.spill import joined, parts_of
from archbuild.evaluation.scores import SCORES, Clustering, measure, sequence_scores
from archbuild.printable import one_line

MetricRow = dict[str, Any]
"""``space`` and ``method`` as text, then scores by name; ``None`` for one that is not defined."""

ROWS = "rows"
"""Key of rows of large spaces: how many points, drawn by the seed, stand for all."""
K_MEANS, HEAD = "k-means", "head"

_LEVELS = {"kl": ("KL by level", ".1f"), "active": ("active units", "d")}
"""Beginning of the names of a level's columns -> heading and format of the one column shown."""
_WIDTH = 100
_LONGEST_TEXT = 20
_GAP = "  "
LABEL_KEYS = ("supervision", "labels_used")
"""Keys of rows whose head read labels in training: the kind, and how many."""

_TEXTS = ("space", "method", *LABEL_KEYS)
_HEADINGS = {"labels_used": "labels"}
_WITHOUT = {"labels_used": 0, ROWS: "all"}
"""Columns that rows without them have a value in too, and which."""


def evaluate_space(
    space: str, values: np.ndarray, n_clusters: int, labels: np.ndarray | None, seed: int
) -> MetricRow:
    """Cluster a space by k-means (20 starts) and measure the clusters.

    Args:
        space: ``"raw"``, ``"pretrain"`` or a head's name.
        values: the space's points (n, ...), flattened.
        n_clusters: how many clusters.
        labels: true classes (n,), or ``None`` where there are none.
        seed: draws the starts, and the sample of the silhouette.

    Raises:
        DataError: a value is not finite, or the lengths differ.
    """
    clusters = kmeans(values, n_clusters, seed).clusters
    return _row(space, K_MEANS, Clustering(values, clusters, labels, seed=seed))


def evaluate_head(
    space: str,
    latents: np.ndarray,
    assignments: np.ndarray,
    labels: np.ndarray | None,
    seed: int,
    method: str = HEAD,
    are_classes: bool = False,
    chosen: np.ndarray | None = None,
) -> MetricRow:
    """Measure a head's own clusters in its latents (n, d), else as :func:`evaluate_space`.

    Args:
        space: the head's name.
        latents: the space of the clusters, (n, d); of the ``chosen`` rows alone where there are
            some.
        assignments: probabilities (n, K); a point is in its likeliest cluster. Of sequences of
            classes (n, T, K): only their errors are measured.
        labels: true classes (n,), of sequences (n, T), or ``None``.
        seed: draws the sample of the silhouette.
        method: what the row is called, for heads that assign in more ways than one.
        are_classes: whether the head's clusters are classes, numbered as ``labels`` are.
        chosen: the rows that stand for all where these are too many (``data.sample``); scores of
            clusters against labels still count all of them. ``None``: all are looked at.
    """
    clusters = likeliest(assignments)
    if clusters.ndim > 1:
        scores = {} if labels is None else sequence_scores(labels, clusters)
        return {"space": space, "method": method, **scores}
    if chosen is None:
        measured = Clustering(latents, clusters, labels, assignments, seed, are_classes)
        return _row(space, method, measured)
    known, likely = None if labels is None else labels[chosen], assignments[chosen]
    sampled = Clustering(latents, clusters[chosen], known, likely, seed, are_classes)
    row = _row(space, method, sampled) | {ROWS: len(chosen)}
    whole = Clustering(None, clusters, labels, seed=seed, are_classes=are_classes)
    return row | ({} if labels is None else measure(whole))


def likeliest(assignments: np.ndarray) -> np.ndarray:
    """Return the cluster of the highest probability, ``(n, ...)``, for ``(n, ..., K)``."""
    parts = (np.argmax(assignments[part], axis=-1) for part in parts_of(assignments))
    return joined(parts, len(assignments), f"the clusters of {len(assignments):,} rows")


def metrics_document(
    dataset: str, arch: str, seed: int, rows: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return what ``metrics.json`` holds: the run's three names and the rows."""
    return {"dataset": dataset, "arch": arch, "seed": seed, "rows": [dict(row) for row in rows]}


def format_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as aligned plain text of at most 100 columns, without a final line feed.

    Columns that no row has are left out, those with labels for instance, and so are the last ones
    where they do not fit; scores of other names come after the known. An undefined score is a
    dash. Rows that share no score with the others, as bounds do, make a table of their own below.
    No rows, no text.
    """
    return "\n\n".join(map(_text, tables_of(rows)))


def tables_of(rows: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Return the rows as those of one table, or of two where some share no column with others.

    The second has the bounds on a likelihood, which are no scores of a clustering.
    """
    rows = [_by_level(row) for row in rows]
    scores = {key for row in rows if SCORES.keys() & row.keys() for key in row} - {*_TEXTS}
    apart = [row for row in rows if scores and not scores & row.keys()]
    together = [row for row in rows if row not in apart]
    return [part for part in (together, apart) if part]


def _by_level(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the row with one column for all levels, bottom first, of what is said of each."""
    found = dict(row)
    for key, (heading, form) in _LEVELS.items():
        names = [name for name in row if name.startswith(f"{key}_")]
        if names:
            found[heading] = " ".join(format(found.pop(name), form) for name in names)
    return found


def _text(rows: Sequence[Mapping[str, Any]]) -> str:
    columns = [_column(key, rows) for key in _columns(rows)]
    kept, width = [], -len(_GAP)
    for column in columns:
        width += len(_GAP) + len(column[0])
        if width <= _WIDTH:
            kept.append(column)
    return "\n".join(_GAP.join(cells).rstrip() for cells in zip(*kept, strict=True))


def method_in_words(row: Mapping[str, Any]) -> str:
    """Return a row's method, and how many labels training read where it read some."""
    used = row.get("labels_used")
    return f"{row['method']}, {used:,} labels" if used else str(row["method"])


def table_cells(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Return the whole table as text: the headings, then the cells of each row.

    Columns are those of :func:`format_table`, without its limit. No rows, no lines.
    """
    return list(zip(*(_cells(key, rows) for key in _columns(rows)), strict=True))


def directions(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say which way the scores of ``rows`` are good; no scores among the columns, no text."""
    shown = [SCORES[key] for key in _columns(rows) if key in SCORES]
    lower = [score.heading for score in shown if not score.higher_is_better]
    if len(lower) == len(shown):
        return "Lower is better." if shown else ""
    return f"Higher is better; of {' and '.join(lower)} lower." if lower else "Higher is better."


def _row(space: str, method: str, clustering: Clustering) -> MetricRow:
    return {"space": space, "method": method, **measure(clustering)}


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    present = {key: None for row in rows for key in row}
    known = [key for key in (*_TEXTS, ROWS, *SCORES) if key in present]
    return known + [key for key in present if key not in known]


def _cells(key: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    score = SCORES.get(key)
    heading, form = (score.heading, score.form) if score else (_HEADINGS.get(key, key), ".4f")
    return [heading, *(_cell(row.get(key, _WITHOUT.get(key)), form) for row in rows)]


def _column(key: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    cells = _cells(key, rows)
    width = max(map(len, cells))
    is_text = key in _TEXTS
    return [cell.ljust(width) if is_text else cell.rjust(width) for cell in cells]


def _cell(value: Any, form: str) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return format(value, form)
    text = one_line(str(value))
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
