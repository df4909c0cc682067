"""The tables as they are declared in ``tables.yaml``: published rows, and runs of ours."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from archbuild.errors import UsageError
from archbuild.spec.reading import read_document
from archbuild.spec.stages import STAGE_DEFAULTS
from benchmarks.processes import stage
from benchmarks.reproduce.checking import check_keys
from benchmarks.reproduce.columns import COLUMNS, Column
from benchmarks.reproduce.earlier import EarlierRuns, read_earlier

TABLES: Final = Path(__file__).with_name("tables.yaml")
TAGS: Final = {
    "paper": "read in the paper",
    "authors' code": "read in the code, the logs or the README of its authors",
    "third party": "read in a paper or in code of others",
    "unverified": "from memory, not checked",
}
"""How sure a published figure is -> what that means."""

_SPEC: Final = "spec"
"""In place of a stage's length: as long as the spec says."""

_PUBLISHED_KEYS = {"method", "tag", "dataset", "best", "note", "comparable"}
_RUN_KEYS = {"label", "dataset", "arch", "data", "head", "set", "seeds", "row", *STAGE_DEFAULTS}
_TABLE_KEYS = {"title", "dataset", "columns", "note", "paper", "peers", "runs"}


@dataclass(frozen=True)
class Published:
    """A published row.

    Attributes:
        method: its name.
        dataset: what it was measured on.
        scores: column -> mean and standard deviation, of which the latter may be ``None``.
        tags: column -> how sure the figure is, a key of ``TAGS``.
        best: of the first column, over several runs.
        note: a remark.
        comparable: whether it was measured as ours are, so that it may be called the best.
    """

    method: str
    dataset: str
    scores: Mapping[str, tuple[float, float | None]]
    tags: Mapping[str, str]
    best: float | None = None
    note: str = ""
    comparable: bool = True


@dataclass(frozen=True)
class Run:
    """A run of ours, with several seeds.

    Attributes:
        label: its name in the table.
        dataset: a dataset's name; of ``own`` data a path below the data folder.
        arch: a spec, as ``-a`` takes it; of ``own`` data the file that is written.
        stages: ``pretrain``, ``cluster``, ``train`` -> how long; ``None``: as the spec says.
        head: a head's type, in place of the spec's.
        overrides: ``KEY=VALUE`` texts.
        changes: those of ``overrides`` that are not declared.
        seeds: how many there are, from 0.
        row: the method of the row that counts, where it is not the head's.
        own: whether ``archbuild new --for`` writes the spec when the run begins.
    """

    label: str
    dataset: str
    arch: str
    stages: Mapping[str, int | None]
    head: str | None = None
    overrides: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    seeds: int = 1
    row: str | None = None
    own: bool = False

    @property
    def preparation(self) -> list[str]:
        """The arguments of the ``archbuild`` that writes the spec; none where it is shipped."""
        return ["new", "--for", self.dataset, "--output", self.arch] if self.own else []

    @property
    def arguments(self) -> list[str]:
        """The arguments of ``archbuild`` but for the seed."""
        words = ["-d", self.dataset, "-a", self.arch]
        words += ["--head", self.head] if self.head else []
        for name, length in self.stages.items():
            words += stage(f"--{name}", length)
        words += [word for override in self.overrides for word in ("--set", override)]
        return [*words, "--metrics"]

    def changed(self, changes: Sequence[str]) -> Run:
        """Return the run with other values of some keys; lengths of stages are among them."""
        keys = {change.partition("=")[0].strip() for change in changes}
        stages = {
            name: None if f"{name}.epochs" in keys else length
            for name, length in self.stages.items()
        }
        overrides = (*self.overrides, *changes)
        return replace(self, stages=stages, overrides=overrides, changes=tuple(changes))


@dataclass(frozen=True)
class Table:
    """A table; its first column is the one that it is about.

    ``earlier`` is what was measured before it was declared.
    """

    name: str
    title: str
    dataset: str
    columns: Sequence[Column]
    note: str
    paper: Sequence[Published]
    peers: Sequence[Published]
    runs: Sequence[Run]
    earlier: Sequence[EarlierRuns] = ()

    @property
    def main(self) -> Column:
        """The column that decides which row and which seed is the best."""
        return self.columns[0]

    @property
    def scores(self) -> list[Column]:
        """The columns that have a direction."""
        return [column for column in self.columns if column.higher_is_better is not None]

    @cached_property
    def datasets(self) -> list[str]:
        """The datasets of its rows, in order."""
        published = [row.dataset for row in (*self.paper, *self.peers)]
        return list(dict.fromkeys([self.dataset, *published, *(run.dataset for run in self.runs)]))


def read_tables(path: Path = TABLES) -> dict[str, Table]:
    """Return the declared tables by name, with what lies in ``measured/`` beside the file.

    Raises:
        SpecError: the file is not YAML.
        UsageError: a key is missing or unknown; the message says where.
    """
    earlier = path.with_name("measured")
    return {
        name: replace(_table(name, entry), earlier=read_earlier(earlier / f"{name}.yaml"))
        for name, entry in read_document(path).tree.items()
    }


def command(arguments: Iterable[str], seed: object = None) -> str:
    """Return a command line, with one seed if it is given."""
    line = shlex.join(["archbuild", *arguments])
    return line if seed is None else f"{line} --seed {seed}"


def _table(name: str, entry: Mapping[str, Any]) -> Table:
    check_keys(entry, _TABLE_KEYS, {"title", "dataset", "columns", "runs"}, f"table {name}")
    keys, dataset = entry["columns"], entry["dataset"]
    check_keys(dict.fromkeys(keys), set(COLUMNS), set(), f"columns of {name}")
    paper, peers = (
        [_published(row, keys, dataset, f"{kind} of {name}") for row in entry.get(kind, ())]
        for kind in ("paper", "peers")
    )
    runs = [_run(row, dataset, f"runs of {name}") for row in entry["runs"]]
    columns = [COLUMNS[key] for key in keys]
    return Table(name, entry["title"], dataset, columns, entry.get("note", ""), paper, peers, runs)


def _published(
    row: Mapping[str, Any], columns: Sequence[str], dataset: str, where: str
) -> Published:
    check_keys(row, {*_PUBLISHED_KEYS, *columns}, {"method", "tag"}, where)
    scores = {key: _mean_and_std(row[key]) for key in columns if key in row}
    tag = row["tag"]
    tags = tag if isinstance(tag, Mapping) else dict.fromkeys(scores, tag)
    check_keys(dict.fromkeys(tags.values()), set(TAGS), set(), f"tags of {row['method']}, {where}")
    check_keys(tags, set(columns), set(scores), f"tags of {row['method']}, {where}")
    rest = {key: row[key] for key in ("best", "note", "comparable") if key in row}
    return Published(row["method"], row.get("dataset", dataset), scores, tags, **rest)


def _mean_and_std(value: float | Sequence[float]) -> tuple[float, float | None]:
    if not isinstance(value, Sequence):
        return value, None
    mean, std = value
    return mean, std


def _run(row: Mapping[str, Any], dataset: str, where: str) -> Run:
    check_keys(row, _RUN_KEYS, {"label"}, where)
    if len({"arch", "data"} & row.keys()) != 1:
        raise UsageError(f"{row['label']}, {where}: expected arch, or data, whose spec is written")
    lengths = {name: row[name] for name in STAGE_DEFAULTS if name in row}
    if not lengths:
        raise UsageError(f"{row['label']}, {where}: expected one of {', '.join(STAGE_DEFAULTS)}")
    return Run(
        label=row["label"],
        dataset=row.get("data") or row.get("dataset", dataset),
        arch=_written(row["data"]) if "data" in row else str(row["arch"]),
        stages={name: None if length == _SPEC else length for name, length in lengths.items()},
        head=row.get("head"),
        overrides=tuple(row.get("set", ())),
        seeds=row.get("seeds", 1),
        row=row.get("row"),
        own="data" in row,
    )


def _written(data: str) -> str:
    """Return the name of the spec's file that is written for data: ``optdigits-tes.yaml``."""
    return f"{Path(data.partition(':')[0]).name.replace('.', '-')}.yaml"
