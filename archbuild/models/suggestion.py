"""The number of clusters that a run's pretrained latents suggest, kept with the run."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from archbuild.errors import RunError
from archbuild.evaluation.n_clusters import Suggestion, grid, suggest
from archbuild.evaluation.table import format_table
from archbuild.heads import HEADS
from archbuild.heads.base import AUTO
from archbuild.io.atomic import write_json
from archbuild.io.reading import guarded
from archbuild.training.progress import LOGGER
from archbuild.version import __version__

if TYPE_CHECKING:
    from archbuild.models.run import Run
    from archbuild.models.stage import Stage

LEAST, MOST = 2, 20
"""The range that is tried by default."""
_LATENTS = "latents.npy"


def suggest_for(run: Run, least: int = LEAST, most: int = MOST) -> Suggestion:
    """Suggest a number of clusters from a run's pretrained latents, whatever its head is.

    It is written to ``n_clusters.json`` in the run folder. A suggestion from the same latents, seed
    and candidates is read, not computed again.

    Args:
        run: its ``pretrain`` stage is finished.
        least: the fewest clusters to try, from 2.
        most: the most to try.

    Raises:
        RunError: there is no finished ``pretrain`` stage, or it is damaged.
        DataError: as ``evaluation.n_clusters.suggest``.
    """
    stage = _pretrained(run)
    source = _source(run, stage, least, most)
    suggestion = _known(run, source)
    if suggestion is None:
        suggestion = suggest(stage.latents, grid(least, most), run.seed)
        write_json(run.folder.n_clusters_path, {"source": source, **suggestion.to_json()})
    return suggestion


def n_clusters_of(run: Run) -> int | None:
    """Return the spec's number of clusters; for ``auto``, the one that the latents suggest.

    For a head without clusters it is the dataset's number of classes; ``None`` without labels, and
    for a head that answers sequences of classes, which are no clusters of rows.

    Raises:
        RunError: it is ``auto``, and there are no pretrained latents.
    """
    head = run.spec.head
    if HEADS[head.type].labels_per_row(head.config) > 1:
        return None
    wanted = head.config.get("n_clusters", run.dataset.n_classes)
    return suggest_for(run).n_clusters if wanted == AUTO else wanted


def recalled(run: Run) -> Suggestion | None:
    """Return the suggestion for the present latents; ``None`` if none can be read."""
    stage = run.pretrained
    latents = stage.manifest["files"].get(_LATENTS) if stage else None
    return _kept(run, lambda source: source["latents"] == latents)


def in_text(suggestion: Suggestion, indent: int = 0) -> str:
    """Return the table of the candidates, and the suggestion in words below it, indented."""
    text = f"{format_table(suggestion.table())}\n\n{suggestion.in_words()}"
    return textwrap.indent(text, " " * indent)


def _pretrained(run: Run) -> Stage:
    stage = run.pretrained
    if stage is None:
        command = run.command or "archbuild -d DATASET -a ARCH"
        raise RunError(
            "the number of clusters is suggested from pretrained latents, and "
            f"{run.path / 'pretrain'} holds none that are finished; make them with: "
            f"{command} --pretrain {run.spec.pretrain['epochs']}"
        )
    stage.folder.verify()
    return stage


def _source(run: Run, stage: Stage, least: int, most: int) -> dict[str, Any]:
    """Return what the suggestion depends on."""
    return {
        "archbuild": __version__,
        "latents": stage.manifest["files"][_LATENTS],
        "seed": run.seed,
        "least": least,
        "most": most,
    }


def _known(run: Run, source: dict[str, Any]) -> Suggestion | None:
    """Return an earlier suggestion from the same source; ``None`` if none can be read."""
    return _kept(run, lambda kept: kept == source)


def _kept(run: Run, fits: Callable[[Mapping[str, Any]], bool]) -> Suggestion | None:
    """Return the suggestion that was written, if its source fits; warn of one that is damaged."""
    path = run.folder.n_clusters_path
    if not path.exists():
        return None
    try:
        with guarded(path):
            document = run.folder.read_n_clusters()
            return Suggestion.from_json(document) if fits(document["source"]) else None
    except RunError as error:
        LOGGER.warning("an earlier suggestion is not used: %s", error)
        return None
