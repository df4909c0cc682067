"""The request to an experiment."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archbuild.data.location import DataLocation
from archbuild.environment import FLOAT32

_N_CLUSTERS = "head.n_clusters="


@dataclass(frozen=True)
class ExperimentRequest:
    """A dataset, a spec and a seed.

    Attributes:
        dataset: a dataset's name or a path to the user's own data.
        arch: an index, a name, a path, ``path:index`` or ``path:name``.
        head: a head's type, in place of the spec's.
        overrides: ``key=value`` texts, applied to the spec before it is checked.
        seed: random seed.
        data_dir: folder of the datasets; ``None``: ``$ARCHBUILD_DATA`` or ``./datasets``.
        out: parent folder of ``saved_params/``, ``plots/`` and ``messages/``.
        lengths: lengths of stages by name, in epochs or rounds, in place of the spec's.
        precision: in which layers compute while they are trained, one of ``PRECISIONS``.
    """

    dataset: str
    arch: str
    head: str | None = None
    overrides: Sequence[str] = ()
    seed: int = 0
    data_dir: Path | None = None
    out: Path = field(default_factory=Path)
    lengths: Mapping[str, int] = field(default_factory=dict)
    precision: str = FLOAT32

    @property
    def location(self) -> DataLocation:
        """The place of the rows."""
        return DataLocation(self.dataset, self.data_dir)

    def command(self) -> str:
        """Return the command line that asks for this, without its stages."""
        words = ["archbuild", "-d", self.dataset, "-a", self.arch, "--seed", str(self.seed)]
        words += ["--head", self.head] if self.head else []
        words += [word for override in self.overrides for word in ("--set", override)]
        words += ["--precision", self.precision] if self.precision != FLOAT32 else []
        words += ["--data-dir", str(self.data_dir)] if self.data_dir else []
        words += ["--out", str(self.out)] if self.out != Path() else []
        return shlex.join(words)


def with_clusters(command: str, number: int) -> str:
    """Return the command line of a request for another number of clusters."""
    words: list[str] = []
    for word in shlex.split(command):
        if word.startswith(_N_CLUSTERS):
            words.pop()  # its --set
        else:
            words.append(word)
    return shlex.join([*words, "--set", f"{_N_CLUSTERS}{number}"])
