"""Messages as text files, under the names that Serket's documentation gives them.

``module001_vae/z_learn.txt``, ``x_hat_learn.txt``, ``loss.txt``;
``module002_gmm/class_learn.txt``, ``acc_learn.txt``, ``mu_learn.txt``, ``Pdz_learn.txt``; and
``_recog`` in place of ``_learn`` for new rows. A row of a file is a row of the data (a class of
``mu``), its numbers between blanks, with as many digits as float32 has: ``numpy.loadtxt`` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from archbuild.errors import UsageError
from archbuild.evaluation.accuracy import swap_accuracy
from archbuild.io.atomic import explained, write_atomic
from archbuild.io.containment import make_folder
from archbuild.modules.graph import learning
from archbuild.modules.module import Learned, Module

Mode = Literal["learn", "recog"]

VAE_NAME: Final = "vae"
_WITHOUT_MODE: Final = "loss"


def save_texts(
    folder: str | PathLike[str],
    module: Module,
    labels: Any = None,
    recognised: Mapping[Module, Learned] | None = None,
) -> list[Path]:
    """Write what a graph of modules has learned, or what it recognised in new rows.

    Args:
        folder: created if it does not exist.
        module: the uppermost; all below it are written too, numbered from below.
        labels: true classes of the rows, numbers or words, for ``acc_learn.txt``: the accuracy
            as Serket's code counts it (``evaluation.accuracy.swap_accuracy``).
        recognised: what ``recognise`` gave for the new rows; ``None``: the latest update's.

    Returns:
        The files.

    Raises:
        RunError: a file cannot be written.
        UsageError: a module has not been updated, or has recognised nothing.
    """
    written: list[Path] = []
    for number, each in learning(module).items():
        place = module_folder(Path(folder), number, each.name)
        if recognised is not None:
            if each not in recognised:
                raise UsageError(
                    f"nothing was recognised by the {each.name} module; give what recognise() "
                    "gave for the same uppermost module"
                )
            written += write_texts(place, recognised[each].texts, "recog", labels)
            continue
        texts = {**each.latest.texts, **each.parameters()}
        written += write_texts(place, texts, "learn", labels)
    return written


def module_folder(folder: Path, number: int, name: str) -> Path:
    """Return the folder of a module's files."""
    return folder / f"module{number:03d}_{name}"


def write_texts(
    folder: Path, texts: Mapping[str, np.ndarray], mode: Mode, labels: Any = None
) -> list[Path]:
    """Write the arrays of one module ``(n,)`` or ``(n, ...)``, each whole or not at all."""
    if labels is not None and "class" in texts:
        accuracy = swap_accuracy(_codes(labels), texts["class"])
        texts = {**texts, "acc": np.array([accuracy])}
    with explained("write", folder):
        make_folder(folder, below=folder.parent)
    paths = []
    for name, array in texts.items():
        path = folder / (f"{name}.txt" if name == _WITHOUT_MODE else f"{name}_{mode}.txt")
        write_atomic(path, partial(_save, array))
        paths.append(path)
    return paths


def _codes(labels: Any) -> np.ndarray:
    """Return contiguous codes of labels, numbers or words; negative numbers stay as they are."""
    labels = np.asarray(labels)
    known = labels >= 0 if labels.dtype.kind in "if" else np.ones(labels.shape, bool)
    codes = np.full(labels.shape, -1)
    codes[known] = np.unique(labels[known], return_inverse=True)[1]
    return codes


def _save(array: np.ndarray, path: Path) -> None:
    rows = array.reshape(len(array), -1)
    np.savetxt(path, rows, fmt="%d" if rows.dtype.kind in "iu" else "%.9g")
