"""The summary in sentences: the stages, the state of the clusters, their quality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archbuild.evaluation.collapse import Occupancy, collapse_in_words
from archbuild.evaluation.table import HEAD, K_MEANS

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Remark:
    """A paragraph of the summary; a warning stands out."""

    text: str
    is_warning: bool = False


def stage_in_words(stage: str, history: Sequence[Row], summary: Row | None) -> list[Remark]:
    """Describe how a stage went, and how its clusters are occupied.

    Args:
        stage: its name.
        history: one mapping for each epoch, with ``loss``.
        summary: ``Stage.summary``; ``None`` for a stage that is not finished.
    """
    if summary is None:
        return [Remark(f"Stage {stage} is not finished: it is at epoch {len(history):,}.", True)]
    how = "settled" if summary["converged"] else "ended"
    count = "1 epoch" if len(history) == 1 else f"{len(history):,} epochs"
    text = f"Stage {stage} {how} after {count}, in {summary['seconds']:,.0f} s.{_losses(history)}"
    if summary["occupancy"] is None:
        return [Remark(text)]
    spread = collapse_in_words(Occupancy(**summary["occupancy"]))
    clusters, _, doubt = spread.partition(" Warning: ")
    if not doubt:
        return [Remark(f"{text} {clusters} Nothing points to a collapse.")]
    return [Remark(f"{text} {clusters}"), Remark(f"The clusters of {stage}: {doubt}", True)]


def _losses(history: Sequence[Row]) -> str:
    losses = [row["loss"] for row in history if row.get("loss") is not None]
    if len(losses) < 2:
        return f" Its loss was {losses[0]:.4g}." if losses else ""
    return f" Its loss went from {losses[0]:.4g} to {losses[-1]:.4g}."


def quality_in_words(
    agreements: Mapping[str, Row] | None, metrics: Sequence[Row], n_heads: int
) -> list[Remark]:
    """Describe how good the clusters are, as far as it is known.

    Args:
        agreements: head -> its ``label_scores``; ``None`` where there are no labels.
        metrics: rows of ``metrics.json``; may be empty.
        n_heads: how many heads are finished.
    """
    if agreements is None:
        texts = _by_silhouette(metrics)
    else:
        texts = [_agreement(head, scores) for head, scores in agreements.items()]
        texts += _k_means(metrics, agreements)
    if not n_heads:
        texts.append("No head has clustered these latents yet: --cluster does.")
    if not metrics:
        texts.append("Nothing was measured yet: --metrics adds a table of scores.")
    return [Remark(text) for text in texts]


def _agreement(head: str, scores: Row) -> str:
    return (
        f"{scores['acc']:.1%} of the rows lie in a cluster of their class under {head} "
        f"(ACC {scores['acc']:.3f}, NMI {scores['nmi']:.3f}, ARI {scores['ari']:.3f})."
    )


def _k_means(metrics: Sequence[Row], heads: Mapping[str, Any]) -> list[str]:
    """Return a sentence on k-means without any head."""
    found = [
        f"{row['acc']:.1%} {_where(row['space'])}"
        for row in metrics
        if row["method"] == K_MEANS and row["space"] not in heads and "acc" in row
    ]
    return [f"K-means, for comparison: {', '.join(found)}."] if found else []


def _where(space: str) -> str:
    return "on the raw data" if space == "raw" else f"in the latents of {space}"


def _by_silhouette(metrics: Sequence[Row]) -> list[str]:
    texts = [
        f"The clusters of {row['space']} have a silhouette of {row['silhouette']:.2f} in its own "
        "latents (-1 to 1, higher is more compact and better separated)."
        for row in metrics
        if row["method"] == HEAD and row.get("silhouette") is not None
    ]
    return [*texts, "There are no labels: no score says whether a cluster means anything."]
