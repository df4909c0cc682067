"""Mean and spread of one setting's metrics over several seeds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from archbuild.evaluation.scores import SCORES
from archbuild.evaluation.table import LABEL_KEYS, MetricRow


def over_seeds(rows: Mapping[int, Sequence[MetricRow]]) -> list[dict[str, Any]]:
    """Summarise the metrics of one setting: one row for each space and method, in their order.

    Args:
        rows: for each seed, the rows of its ``metrics.json``.

    Returns:
        ``space``, ``method``, ``seeds`` and ``scores``, and ``supervision`` and ``labels_used`` of
        rows that have them. A score has ``mean``, ``std`` (of a
        sample, with n - 1; ``None`` of a single seed), ``median``, ``best`` and ``worst``, the
        last two with their ``seed``; seeds for which it is not defined do not count.
    """
    grouped: dict[tuple[str, str], dict[int, MetricRow]] = {}
    for seed in sorted(rows):
        for row in rows[seed]:
            grouped.setdefault((row["space"], row["method"]), {})[seed] = row
    return [
        {
            "space": space,
            "method": method,
            **_labels(found),
            "seeds": list(found),
            "scores": _scores(found),
        }
        for (space, method), found in grouped.items()
    ]


def _labels(rows: Mapping[int, MetricRow]) -> MetricRow:
    """Return the kind and the number of labels that training read, which no seed changes."""
    row = next(iter(rows.values()))
    return {key: row[key] for key in LABEL_KEYS if key in row}


def _scores(rows: Mapping[int, MetricRow]) -> dict[str, dict[str, Any]]:
    values = {
        score: {seed: row[score] for seed, row in rows.items() if row.get(score) is not None}
        for score in SCORES
    }
    return {score: _spread(score, found) for score, found in values.items() if found}


def _spread(score: str, by_seed: Mapping[int, float]) -> dict[str, Any]:
    values = list(by_seed.values())
    sign = 1 if SCORES[score].higher_is_better else -1
    best = max(by_seed, key=lambda seed: sign * by_seed[seed])
    worst = min(by_seed, key=lambda seed: sign * by_seed[seed])
    return {
        "mean": statistics.fmean(values),
        "std": statistics.stdev(values) if len(values) > 1 else None,
        "median": statistics.median(values),
        "best": {"seed": best, "value": by_seed[best]},
        "worst": {"seed": worst, "value": by_seed[worst]},
    }
