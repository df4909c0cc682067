"""The text files of a head with modules above the network, under Serket's names.

Module 0 is the observation, 1 the network, and the head's own modules come above
(``modules/texts.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from archbuild.heads.records import NewRows, TrainedRows
from archbuild.modules.texts import VAE_NAME, Mode, module_folder, write_texts


def write_learned(
    modules: Sequence[Any], latents: np.ndarray, rows: TrainedRows, folder: Path
) -> list[Path]:
    """Write the messages ``latents`` of the training rows, and the result of every module."""
    texts = {"z": latents, "x_hat": rows.decode(latents), "loss": rows.losses}
    return _write(folder, "learn", texts, modules, rows.labels)


def write_recognised(modules: Sequence[Any], rows: NewRows, folder: Path) -> list[Path]:
    """Write what every module recognises in new rows; nothing is learned."""
    texts = {"z": rows.latents, "x_hat": rows.decode(rows.latents)}
    return _write(folder, "recog", texts, modules, rows.labels)


def _write(
    folder: Path,
    mode: Mode,
    texts: Mapping[str, np.ndarray],
    modules: Sequence[Any],
    labels: np.ndarray | None,
) -> list[Path]:
    """Write the network's files, and those of every module, given its forward messages."""
    files = write_texts(module_folder(folder, 1, VAE_NAME), texts, mode)
    message = texts["z"]
    for number, module in enumerate(modules, start=2):
        found = module.recognise(message)
        learned = module.parameters() if mode == "learn" else {}
        place = module_folder(folder, number, module.name)
        files += write_texts(place, {**found.texts, **learned}, mode, labels)
        message = found.forward
    return files
