"""What a run with messages leaves as text, under Serket's file names (``messages/texts.py``).

Module 0 is the observation, 1 the network, and the head's own modules come above.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.errors import UsageError
from archbuild.heads.messages import MessagesHead
from archbuild.messages.module import Learned
from archbuild.messages.texts import module_folder, write_texts

if TYPE_CHECKING:
    from archbuild.data import Dataset
    from archbuild.job import Job
    from archbuild.model import Model

_NETWORK = "vae"


def write_learned(job: Job, head: MessagesHead, losses: np.ndarray, folder: Path) -> list[Path]:
    """Write the messages of the training rows as they were after the last round.

    Args:
        job: whose network the stage has just trained.
        head: of that stage.
        losses: of every epoch, ``(epochs,)``.
        folder: where the modules' folders go.
    """
    from archbuild.trained import Trained

    latents = head.latents.forward_message
    decoded = job.feed.scaler.undo(Trained(job.network, head, 0).decode(latents))
    texts = {"z": latents, "x_hat": decoded, "loss": losses}
    files = write_texts(module_folder(folder, 1, _NETWORK), texts, "learn")
    for number, module in enumerate(head.modules, start=2):
        place = module_folder(folder, number, module.name)
        texts = {**module.latest.texts, **module.parameters()}
        files += write_texts(place, texts, "learn", job.dataset.labels)
    return files


def write_recognised(model: Model, dataset: Dataset, folder: Path) -> list[Path]:
    """Write what a model makes of new rows, all of them in memory; nothing is learned.

    Labels of the rows, where there are some, go into ``acc_recog.txt`` alone.

    Raises:
        UsageError: the model's head exchanges no messages.
        DataError: as ``Model.feed``.
        RunError: the head has not begun.
    """
    head: Any = model.trained.refuse_without_clusters()
    if not isinstance(head, MessagesHead):
        raise UsageError(
            f"the {head.name} head exchanges no messages; leave --messages out, or choose a run of "
            "the messages head"
        )
    latents = np.concatenate([part.latents for part in model.predict(dataset)])
    texts = {"z": latents, "x_hat": model.decode(latents)}
    files = write_texts(module_folder(folder, 1, _NETWORK), texts, "recog")
    found = Learned(latents)
    for number, module in enumerate(head.modules, start=2):
        found = module.recognise(found.forward)
        place = module_folder(folder, number, module.name)
        files += write_texts(place, found.texts, "recog", dataset.labels)
    return files
