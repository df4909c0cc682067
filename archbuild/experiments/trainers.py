"""The trainer of a stage, from its name and what an experiment has read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from archbuild.runs.names import is_from_scratch, section_of
from archbuild.spec import Spec

if TYPE_CHECKING:
    from archbuild.heads.base import Head
    from archbuild.networks.network import Network
    from archbuild.runs import StageFolder
    from archbuild.training.feed import Feed
    from archbuild.training.progress import EventHandler
    from archbuild.training.stage import StageTrainer


def make_trainer(
    name: str,
    spec: Spec,
    network: Network,
    head: Head | None,
    feed: Feed,
    labels: np.ndarray | None,
    folder: StageFolder | None,
    seed: int,
    emit: EventHandler,
) -> StageTrainer:
    """Return the trainer of a stage, which keeps nothing without a folder.

    Args:
        name: of the stage.
        spec: has its settings.
        network: what is trained.
        head: what is trained with it; without one, the network learns to reconstruct.
        feed: the rows.
        labels: those that the head may read, -1 where unknown; ``None`` without supervision.
        folder: takes the checkpoints.
        seed: of the run.
        emit: receives the events.
    """
    from archbuild.training.head_stage import HeadTrainer
    from archbuild.training.pretraining import Reconstruct
    from archbuild.training.stage import StageTrainer

    settings = spec.settings(section_of(name))
    if head is None:
        objective = Reconstruct(spec.reconstruction)
        return StageTrainer(name, settings, network, objective, feed, folder, seed, emit)
    return HeadTrainer(
        name,
        settings,
        network,
        head,
        feed,
        folder,
        seed,
        emit,
        from_scratch=is_from_scratch(name),
        labels=labels,
        labelled_batch=(spec.supervision or {}).get("batch_size"),
    )
