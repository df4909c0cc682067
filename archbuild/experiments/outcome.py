"""The results of a stage that has ended: its files, its summary, and the summary as text."""

from __future__ import annotations

import platform
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.data.labels import labelled_rows
from archbuild.environment import FLOAT32, installed
from archbuild.evaluation.table import likeliest
from archbuild.spec.top import ALL_LABELS
from archbuild.training.progress import StageEnded, counted
from archbuild.version import __version__

if TYPE_CHECKING:
    from archbuild.data import Dataset
    from archbuild.data.origin import Origin
    from archbuild.heads.base import Head
    from archbuild.networks.network import Network
    from archbuild.spec import Spec, Vocabulary
    from archbuild.training.feed import Feed
    from archbuild.training.stage import StageOutcome


def writers(
    network: Network, codes: np.ndarray, head: Head | None, labels: np.ndarray | None = None
) -> dict[str, Any]:
    """Return a function that writes it, for each file of a finished stage.

    Args:
        network: the trained network.
        codes: ``(n, code)`` of the training rows.
        head: the trained head; ``None`` after pretraining.
        labels: those that training read, -1 where unknown; ``None`` without supervision.
    """
    from archbuild.io.atomic import save_npy, save_npz
    from archbuild.runs.rows import save_rows

    latents = codes[:, : network.plan.latent_size]
    found = {
        "model.weights.h5": network.save_weights,
        "latents.npy": lambda path: save_rows(path, latents),
    }
    if head is not None:
        found |= {"head.npz": lambda path: save_npz(path, head.arrays())}
    if head is not None and head.answers != "nothing":
        assignments = head.assignments(codes)
        clusters = likeliest(assignments)
        found |= {
            "assignments.npy": lambda path: save_rows(path, assignments),
            "labels.npy": lambda path: save_npy(path, clusters),
        }
    if labels is not None:
        found |= {"supervised.npy": lambda path: save_npy(path, labels)}
    return found


def in_float32(
    network: Network, outcome: StageOutcome, head: Head | None, feed: Feed, vocabulary: Vocabulary
) -> tuple[Network, StageOutcome]:
    """Return a network that computes in float32, and the outcome with its codes of all rows.

    Models are read in float32, from weights that always are: what training leaves of the rows must
    be what a model says of them.

    Args:
        network: the trained one; it is returned where it computes in float32 already.
        outcome: of its stage.
        head: the trained head; ``None`` after pretraining.
        feed: the rows.
        vocabulary: knows the layer types.
    """
    if network.precision == FLOAT32:
        return network, outcome
    from archbuild.networks.builder import build_network
    from archbuild.training.encoding import encode

    exact = build_network(network.plan, vocabulary, seed=0)
    exact.set_weights(network.get_weights())
    read = exact.predict_latents if head is None else exact.reader(head.code)
    return exact, replace(outcome, codes=encode(read, feed))


def summary(outcome: StageOutcome) -> dict[str, Any]:
    """Return the summary of a stage for its manifest."""
    occupancy = asdict(outcome.occupancy) if outcome.occupancy else None
    return {
        "epochs": len(outcome.history),
        "converged": outcome.converged,
        "occupancy": occupancy,
    }


def supervised_origin(
    origin: Origin, spec: Spec, dataset: Dataset, answers: str, labels: np.ndarray
) -> Origin:
    """Return the origin of a stage whose head reads labels, which it names.

    Args:
        origin: of the rows.
        spec: with a ``supervision`` section.
        dataset: the rows.
        answers: of the head.
        labels: those that it may read, -1 where unknown.
    """
    names = dataset.class_names if answers == "classes" else None
    every = (spec.supervision or {})["labels"] == ALL_LABELS
    rows = () if every else labelled_rows(labels)
    return replace(origin, labelled=tuple(map(int, rows)), classes=tuple(names or ()))


def ending(stage: str, outcome: StageOutcome) -> StageEnded:
    """Return how a stage ended."""
    from archbuild.evaluation.collapse import collapse_in_words, collapse_warning

    how = "settled" if outcome.converged else "done"
    text = f"{how} after {counted(len(outcome.history), 'epoch')} in {outcome.seconds:.1f} s"
    if outcome.occupancy is None:
        return StageEnded(stage, text)
    clusters = collapse_in_words(outcome.occupancy)
    return StageEnded(stage, f"{text}; {clusters}", collapse_warning(outcome.occupancy))


def versions() -> dict[str, str]:
    """Return the versions of everything that the numbers may depend on."""
    import keras
    import sklearn

    backend = keras.backend.backend()
    number = installed(backend)  # None of a build that is packed under another name
    return {
        "archbuild": __version__,
        "python": platform.python_version(),
        "keras": keras.__version__,
        "backend": backend,
        **({backend: number} if number else {}),
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
    }
