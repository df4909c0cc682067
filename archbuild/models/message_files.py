"""What a run with messages leaves as text, under Serket's file names (``messages/texts.py``).

Module 0 is the observation, 1 the network, and the head's own modules come above.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.errors import UsageError
from archbuild.heads.messages import MessagesHead
from archbuild.modules.texts import VAE_NAME, Mode, module_folder, write_texts

if TYPE_CHECKING:
    from archbuild.data import Dataset
    from archbuild.data.scaling import Scaler
    from archbuild.models.model import Model
    from archbuild.networks.network import Network


def write_learned(
    head: MessagesHead,
    network: Network,
    scaler: Scaler,
    labels: np.ndarray | None,
    losses: np.ndarray,
    folder: Path,
) -> list[Path]:
    """Write the messages of the training rows as they were after the last round.

    Args:
        head: of the stage.
        network: which the stage has just trained.
        scaler: of the training rows.
        labels: of the training rows, for ``acc_learn.txt`` alone.
        losses: of every epoch, ``(epochs,)``.
        folder: where the modules' folders go.
    """
    latents = head.latents.forward_message
    texts = {"z": latents, "x_hat": scaler.undo(network.decode_rows(latents)), "loss": losses}
    return _write(folder, "learn", texts, head, labels)


def write_recognised(model: Model, dataset: Dataset, folder: Path) -> list[Path]:
    """Write what a model makes of new rows, all of them in memory; nothing is learned.

    Labels of the rows, where there are some, go into ``acc_recog.txt`` alone.

    Raises:
        UsageError: the model's head exchanges no messages.
        DataError: as ``Model.feed``.
        RunError: the head has not begun.
    """
    head: Any = model.assigning_head
    if not isinstance(head, MessagesHead):
        raise UsageError(
            f"the {head.name} head exchanges no messages; leave --messages out, or choose a run of "
            "the messages head"
        )
    latents = np.concatenate([part.latents for part in model.predict(dataset)])
    texts = {"z": latents, "x_hat": model.decode(latents)}
    return _write(folder, "recog", texts, head, dataset.labels)


def _write(
    folder: Path, mode: Mode, texts: Mapping[str, np.ndarray], head: MessagesHead, labels: Any
) -> list[Path]:
    """The network's files, and those of every module, by what goes up from one to the next."""
    files = write_texts(module_folder(folder, 1, VAE_NAME), texts, mode)
    message = texts["z"]
    for number, module in enumerate(head.modules, start=2):
        found = module.recognise(message)
        learned = module.parameters() if mode == "learn" else {}
        place = module_folder(folder, number, module.name)
        files += write_texts(place, {**found.texts, **learned}, mode, labels)
        message = found.forward
    return files
