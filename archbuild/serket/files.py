"""The files that Serket's documentation names, written by ``update()``.

Only modules that are made with the arguments of Serket's own classes write them. The folder of a
module, ``module001_vae``, lies in the working directory; its number counts the modules of the graph
in the order in which they were made, as Serket's does in a process with one graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from archbuild.errors import UsageError
from archbuild.modules.checks import one_of
from archbuild.modules.module import Module, connected
from archbuild.modules.texts import Mode, module_folder, write_texts
from archbuild.serket.saved import load_module, save_module

MODES: Final = ("learn", "recog")
MODEL: Final = "model.npz"
"""NumPy arrays in place of Serket's ``model.ckpt`` and ``model.pickle``, without pickle."""


@dataclass(frozen=True)
class Files:
    """Settings of the files that an update writes.

    Attributes:
        mode: ``learn``, or ``recog``: recognise the data with the model that ``learn`` left.
        category: true classes of the rows, for ``acc_learn.txt``; ``None``: no accuracy.
    """

    mode: Mode = "learn"
    category: Any = None


class FileModule(Module):
    """A module whose updates write files, if it is made with Serket's own arguments.

    Attributes:
        files: settings of the files; ``None``: none are written.
    """

    files: Files | None = None

    @property
    def folder(self) -> Path:
        """The folder of the module's files, relative to the working directory."""
        return module_folder(Path(), connected(self).index(self), self.name)

    def write_files(self, name: str | None, mode: str | None = None, category: Any = None) -> None:
        """Make every update write files; ``name`` ends the folder's name, ``None``: the kind's.

        Raises:
            UsageError: ``mode`` is neither ``learn`` nor ``recog``, or ``name`` is no folder's.
        """
        chosen: Any = one_of("mode", mode or "learn", MODES)
        if name is not None:
            if Path(name).name != name:
                raise UsageError(f"name is {name!r}; expected a name that can end a folder's")
            self.name = name  # type: ignore[misc]  # an instance may have its own
        self.files = Files(chosen, category)

    def update(self) -> None:
        """Learn, or recognise the data in ``recog`` mode, and write the files.

        Raises:
            DataError: in ``recog`` mode, there is no model in the folder, or it is damaged.
            RunError: a file cannot be written or read.
            UsageError: as ``Module.update``; in ``recog`` mode, the model is of another module.
        """
        if self.files is None:
            super().update()
        elif self.files.mode == "learn":
            super().update()
            texts = {**self.latest.texts, **self.parameters()}
            write_texts(self.folder, texts, "learn", self.files.category)
            save_module(self.folder / MODEL, self)
        else:
            load_module(self.folder / MODEL, self)
            self.learned = self.recognise(self.incoming())
            write_texts(self.folder, self.latest.texts, "recog", self.files.category)


def refuse_given(arguments: dict[str, Any], advice: str) -> None:
    """Refuse arguments of the other way to make a module.

    Raises:
        UsageError: one of ``arguments`` is not ``None``.
    """
    given = [name for name, value in arguments.items() if value is not None]
    if given:
        raise UsageError(f"invalid argument {given[0]}: {advice}")
