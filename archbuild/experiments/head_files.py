"""The further files of a head that writes some, from the stage that trained it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from archbuild.io.containment import refuse_links
from archbuild.runs import RunFolder
from archbuild.runs.texts import clear_texts, messages_of

if TYPE_CHECKING:
    from archbuild.heads.base import Head
    from archbuild.networks.network import Network
    from archbuild.runs.stage import StageFolder
    from archbuild.training.feed import Feed
    from archbuild.training.stage import StageOutcome


def write_head_files(
    run: RunFolder,
    stage: StageFolder,
    network: Network,
    head: Head,
    feed: Feed,
    outcome: StageOutcome,
) -> Path:
    """Write the files of a trained head, and return their folder.

    Raises:
        RunError: the folder leads out of the run's.
    """
    from archbuild.heads.records import TrainedRows

    place = refuse_links(messages_of(run) / stage.name, run.out)
    clear_texts(stage)  # a killed process may have left some
    rows = TrainedRows(
        lambda latents: feed.scaler.undo(network.decode_rows(latents)),
        np.array([row["loss"] for row in outcome.history]),
        feed.dataset.labels,
    )
    head.write_trained(rows, place)
    return place
