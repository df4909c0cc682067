"""What a graph of modules has learned, in one file: to recognise new rows with another day.

The graph itself is Python's: whoever loads builds it by the lines that built it before.
"""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from archbuild.errors import DataError, UsageError
from archbuild.messages.module import Module, Observation, ancestors
from archbuild.runs.atomic import write_npz

_KIND, _ROUNDS = "kind", "rounds"
_FOREIGN = "{path} is not what save_learned writes, or is damaged; give the file that it wrote"


def save_learned(path: str | PathLike[str], module: Module) -> None:
    """Write what a module and all below it have learned, without their data and messages.

    Args:
        path: an ``.npz`` file, written whole or not at all; its folder is made.
        module: the uppermost.

    Raises:
        RunError: the file cannot be written.
        UsageError: a module has not been updated, or its class cannot be saved.
    """
    arrays: dict[str, np.ndarray] = {}
    for number, each in _learning(module):
        own = each.arrays()
        if not own:
            raise each.refusal()
        arrays[f"{number}.{_KIND}"] = np.array(each.description)
        arrays[f"{number}.{_ROUNDS}"] = np.array(each.rounds)
        arrays |= {f"{number}.{name}": array for name, array in own.items()}
    write_npz(path, arrays)


def load_learned(path: str | PathLike[str], module: Module) -> None:
    """Give a graph that is built alike what ``save_learned`` wrote.

    ``recognise`` then answers as it did before. An update goes on from there, without the messages
    that had come and with the optimiser anew.

    Raises:
        DataError: there is no such file, or it is damaged.
        UsageError: it is of another graph.
    """
    arrays = _read(Path(path))
    modules = list(_learning(module))
    there = [str(array) for name, array in arrays.items() if name.endswith(f".{_KIND}")]
    here = [each.description for _, each in modules]
    if there != here:
        raise UsageError(
            f"{path} was learned by {', '.join(there)}, and this graph is {', '.join(here)} (from "
            "below); connect the modules as they were"
        )
    for number, each in modules:
        prefix = f"{number}."
        own = {name: array for name, array in arrays.items() if name.startswith(prefix)}
        each.restore({name.removeprefix(prefix): array for name, array in own.items()})
        each.rounds = int(own[prefix + _ROUNDS])


def _learning(module: Module) -> Iterator[tuple[int, Module]]:
    """What learns in a graph, numbered from below as ``save_texts`` does."""
    for number, each in enumerate(ancestors([module])):
        if not isinstance(each, Observation):
            yield number, each


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}; save_learned writes one") from error
    except (OSError, ValueError, BadZipFile, TypeError) as error:  # TypeError: one array alone
        raise DataError(f"{_FOREIGN.format(path=path)}: {error}") from error
    if not any(name.endswith(f".{_KIND}") for name in arrays):
        raise DataError(_FOREIGN.format(path=path))
    return arrays
