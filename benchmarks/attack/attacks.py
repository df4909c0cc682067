"""What can be attacked: each attack makes inputs, and gives one to archbuild.

An attack runs in a child process (``child.py``), so it may crash, hang or fill the memory.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from random import Random
from typing import ClassVar, Final

ATTACKS: Final = {
    "spec": "benchmarks.attack.specs:SpecAttack",
    "mat": "benchmarks.attack.readers:MatlabAttack",
    "hdf5": "benchmarks.attack.readers:Hdf5Attack",
    "numpy": "benchmarks.attack.readers:NumpyAttack",
    "text": "benchmarks.attack.readers:TextAttack",
    "arrow": "benchmarks.attack.readers:ArrowAttack",
    "tfrecord": "benchmarks.attack.readers:TfrecordAttack",
    "zarr": "benchmarks.attack.readers:ZarrAttack",
    "excel": "benchmarks.attack.readers:ExcelAttack",
    "images": "benchmarks.attack.readers:ImageAttack",
    "sets": "benchmarks.attack.readers:SetAttack",
    "run_folder": "benchmarks.attack.folders:FolderAttack",
    "command_line": "benchmarks.attack.commands:CommandAttack",
}
"""Name -> module and class. An attack's module is imported in the child alone."""


@dataclass(frozen=True)
class Case:
    """One input, which is one small file.

    Attributes:
        content: its bytes.
        suffix: the end of its name, by which archbuild chooses a reader: ``.yaml``.
    """

    content: bytes
    suffix: str


class Attack(ABC):
    """One way in: a reader, a parser, a run folder, the command line."""

    name: ClassVar[str]

    def prepare(self, folder: Path) -> None:  # noqa: B027  # most need nothing
        """Import, or make in ``folder``, what all inputs need; what this takes is not counted."""

    @abstractmethod
    def make(self, rng: Random) -> Case:
        """Make an input; equal for equal states of ``rng``."""

    @abstractmethod
    def attempt(self, path: Path) -> None:
        """Give the file to archbuild.

        Whatever it raises is the outcome. What must not happen, such as a file written outside of
        the file's folder, is raised as :class:`Broken`.
        """

    def case(self, seed: int, index: int) -> Case:
        """Return the input with this number of the series with this seed."""
        return self.make(Random(f"{self.name}/{seed}/{index}"))


class Broken(AssertionError):
    """A promise that archbuild did not keep, though nothing was raised."""


def attack_of(name: str) -> Attack:
    """Return the attack of this name, or of a module and a class as above."""
    module, _, kind = ATTACKS.get(name, name).partition(":")
    made: Attack = getattr(import_module(module), kind)()
    return made
