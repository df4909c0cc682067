"""Files of the learned state of modules, to recognise new rows later.

The modules themselves are Python objects: build them by the same code, then load. The file contains
a description of them (``graph``, JSON), so that the file of another graph is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, is_zipfile
from zlib import error as ZlibError

import numpy as np

from archbuild.errors import DataError, UsageError
from archbuild.io.arrays import prefixed, unprefixed
from archbuild.io.atomic import explained, write_npz
from archbuild.io.containment import named_by_user
from archbuild.io.difference import differences
from archbuild.io.documents import json_text
from archbuild.modules.graph import learning
from archbuild.modules.module import Module, ancestors

_GRAPH, _ROUNDS = "graph", "rounds"


def save_learned(path: str | PathLike[str], module: Module) -> None:
    """Write the learned state of a module and all below it, without their data and messages.

    Args:
        path: an ``.npz`` file, written whole or not at all; its folder is made.
        module: the uppermost.

    Raises:
        RunError: the file cannot be written.
        UsageError: a module has not been updated, its class cannot be saved, or nothing learns.
    """
    _write(path, _learning(module), _described(module))


def load_learned(path: str | PathLike[str], module: Module) -> None:
    """Restore a graph that is built alike from the file of ``save_learned``.

    ``recognise`` then gives the results of before. Messages are dropped: the next update starts
    from the learned state, without a message from above and with a new optimiser.

    Raises:
        DataError: there is no such file, or it is damaged.
        RunError: it cannot be read.
        UsageError: it is of another graph; nothing has changed.
    """
    _restore(path, _learning(module), _described(module))
    for each in ancestors([module]):
        each.clear_messages()


def save_module(path: str | PathLike[str], module: Module) -> None:
    """Write the learned state of one module; arguments and errors as of ``save_learned``."""
    _write(path, {0: module}, {"0": module.identity})


def load_module(path: str | PathLike[str], module: Module) -> None:
    """Restore one module from the file of ``save_module``; errors as of ``load_learned``."""
    _restore(path, {0: module}, {"0": module.identity})


def _write(
    path: str | PathLike[str], modules: Mapping[int, Module], graph: Mapping[str, Any]
) -> None:
    arrays = {_GRAPH: np.array(json_text(graph, source="the graph of modules"))}
    for number, each in modules.items():
        if not each.rounds:
            raise each.refusal()
        arrays[f"{number}.{_ROUNDS}"] = np.array(each.rounds)
        own = {name: _plain(array, name, each) for name, array in each.arrays().items()}
        arrays |= prefixed(f"{number}.learned.", own)
    write_npz(named_by_user(path), arrays)


def _restore(
    path: str | PathLike[str], modules: Mapping[int, Module], graph: Mapping[str, Any]
) -> None:
    arrays = _read(Path(path))
    changes = differences(json.loads(str(arrays[_GRAPH])), graph)
    if changes:
        lines = "\n".join(f"    {change}" for change in changes)
        raise UsageError(
            f"{path} was learned by another graph (number.what: there -> here):\n{lines}\n"
            "  make and connect the modules as they were"
        )
    for number, each in modules.items():
        each.restore(unprefixed(f"{number}.learned.", arrays))
        each.rounds = int(arrays[f"{number}.{_ROUNDS}"])


def _learning(module: Module) -> dict[int, Module]:
    """Return the modules of a graph that learn, by number; refuse a graph without one."""
    found = learning(module)
    if not found:
        raise UsageError("an observation learns nothing; give the uppermost module of the graph")
    return found


def _described(module: Module) -> dict[str, Any]:
    """Describe every module by its number: its identity, and its parents' numbers."""
    modules = ancestors([module])
    return {
        str(number): {**each.identity, "parents": [modules.index(low) for low in each.parents]}
        for number, each in enumerate(modules)
    }


def _plain(array: Any, name: str, module: Module) -> np.ndarray:
    found = np.asarray(array)
    if found.dtype.hasobject:
        raise UsageError(
            f"'{name}' of the {module.name} module is no array of numbers or text, so it cannot be "
            "saved; have its arrays() give such arrays"
        )
    return found


def _read(path: Path) -> Mapping[str, np.ndarray]:
    if not path.is_file():
        raise DataError(f"there is no file {path}; save_learned writes one")
    foreign = DataError(f"{path} is damaged, or was not written by save_learned")
    if not is_zipfile(path):
        raise foreign
    try:
        with explained("read", path), np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, EOFError, BadZipFile, ZlibError) as error:
        raise foreign from error
    if _GRAPH not in arrays:
        raise foreign
    return arrays
