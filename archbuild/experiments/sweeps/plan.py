"""The plan of a sweep: its runs, their folders, and which of them are done."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from archbuild.data.supervision import chosen_labels
from archbuild.errors import RunError, UsageError
from archbuild.evaluation.scores import SCORES
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.experiments.requirements import stage_request
from archbuild.io.containment import refuse_links
from archbuild.runs import RunFolder, StageFolder, slug, with_digest
from archbuild.runs.catalogue import SWEEPS
from archbuild.runs.names import PRETRAIN, section_of, space_of
from archbuild.spec.override import length_path
from archbuild.spec.reading import parse_text
from archbuild.spec.stages import STAGE_DEFAULTS

Setting = tuple[str, ...]
"""``key=value`` texts, one for each key of the grid; empty without a grid."""

_LONGEST_NAME = 100
_PLAIN = re.compile(r"[A-Za-z_][\w.-]*")


@dataclass(frozen=True)
class SweepRequest:
    """The request to a sweep.

    Attributes:
        experiment: the dataset, the spec, and what all runs share; its head and seed are ignored.
        stages: ``pretrain``, ``cluster``, ``train``, those that are wanted, and for how many
            epochs; ``None``: as many as the spec says.
        seeds: one run each, in every setting.
        heads: heads' types; ``None`` stands for the spec's own.
        grid: the values of each key, as texts; see ``read_grid``.
        name: of the table's files; ``None``: composed of what is swept over.
        chosen: the settings that are run; ``None``: every point of the grid.
        objective: the score that a search chooses them by; ``None``: there is no search.

    Raises:
        UsageError: no stage is wanted.
    """

    experiment: ExperimentRequest
    stages: Mapping[str, int | None]
    seeds: Sequence[int]
    heads: Sequence[str | None] = (None,)
    grid: Mapping[str, Sequence[str]] = field(default_factory=dict)
    name: str | None = None
    chosen: Sequence[Setting] | None = None
    objective: str | None = None

    def __post_init__(self) -> None:
        if not self.stages:
            raise UsageError("nothing to run: add --pretrain and --cluster, or --train")

    @property
    def settings(self) -> list[Setting]:
        """Every point of the grid, or those that were chosen."""
        if self.chosen is not None:
            return [*self.chosen]
        texts = [[f"{key}={value}" for value in values] for key, values in self.grid.items()]
        return list(itertools.product(*texts))


@dataclass(frozen=True, eq=False)
class SweepPart:
    """One head in one run.

    Attributes:
        request: the request to its process.
        folder: of the run.
        stages: what is trained: ``pretrain``, ``cluster``, ``train`` -> the name of the folder.
        dataset: the dataset's name.
        tree: the resolved spec.
        requests: ``pretrain``, ``cluster``, ``train`` -> what such a stage depends on.
    """

    request: ExperimentRequest
    folder: RunFolder
    stages: Mapping[str, str]
    dataset: str
    tree: Mapping[str, Any]
    requests: Mapping[str, Mapping[str, Any]]

    @property
    def head(self) -> str:
        """The head's type."""
        return str(self.tree["head"]["type"])

    @property
    def arguments(self) -> list[str]:
        """The command line of its process."""
        words = shlex.split(self.request.command())[1:]
        for section in self.stages:
            length = self.request.lengths.get(section)
            words += [f"--{section}", *([] if length is None else [str(length)])]
        return [*words, "--metrics", "--json"]

    def is_done(self) -> bool:
        """Return whether its stages have ended, for this request, and are measured."""
        try:
            stages = map(self.folder.stage, self.stages.values())
            return all(map(self.accepts, stages)) and self._is_measured()
        except RunError:  # damaged: its process reports it
            return False

    def accepts(self, stage: StageFolder) -> bool:
        """Return whether a stage, its own or another part's, has ended for this request.

        Raises:
            RunError: the stage is damaged.
        """
        return stage.status() == "finished" and not stage.compare(self._expected(stage))

    def rows(self) -> list[dict[str, Any]]:
        """Return the metrics of the spaces that it made, and of the raw rows."""
        spaces = {"raw", *map(space_of, self.stages.values())}
        rows = self.folder.read_metrics()["rows"]
        return [row for row in rows if row["space"] in spaces]

    def scores(self) -> dict[str, float]:
        """Return the scores of its last stage: of the head, where it measures itself."""
        scored = [row for row in self.rows() if SCORES.keys() & row.keys()]
        own = [row for row in scored if "held out" not in row["method"]]
        return {key: own[-1][key] for key in SCORES if own[-1].get(key) is not None}

    def efforts(self) -> dict[str, dict[str, Any]]:
        """Return the ``epochs`` and ``seconds`` of each stage."""
        manifests: dict[str, Any] = {
            name: self.folder.stage(name).manifest() for name in self.stages.values()
        }
        return {
            name: {"epochs": manifest["epoch"], "seconds": manifest["timing"]["seconds"]}
            for name, manifest in manifests.items()
        }

    def _expected(self, stage: StageFolder) -> dict[str, Any]:
        """Return the request that its manifest has if it was made for this part."""
        manifest: Any = stage.manifest()
        expected = dict(self.requests[section_of(stage.name)])
        if PRETRAIN in manifest["request"]:
            expected[PRETRAIN] = self.folder.stage(PRETRAIN).digest
        return expected

    def _is_measured(self) -> bool:
        """Return whether the metrics are of these stages, whose digests they name."""
        try:
            sources = self.folder.read_metrics()["sources"]
        except (RunError, LookupError):
            return False
        return all(
            self.folder.stage(name).digest in sources.get(space_of(name), "").split("/")
            for name in self.stages.values()
        )


@dataclass(frozen=True, eq=False)
class SweepRun:
    """One setting with one seed; its parts share a folder."""

    setting: Setting
    seed: int
    parts: Sequence[SweepPart]

    @property
    def folder(self) -> RunFolder:
        """The run's folder."""
        return self.parts[0].folder

    @property
    def label(self) -> str:
        """The setting and the seed as text."""
        return " ".join([*self.setting, f"seed {self.seed}"])


@dataclass(frozen=True)
class SweepPlan:
    """Everything that a sweep runs: ``runs`` has one for each setting and seed, in this order."""

    request: SweepRequest
    runs: Sequence[SweepRun]

    @property
    def dataset(self) -> str:
        """The dataset's name."""
        return self.runs[0].parts[0].dataset

    @property
    def arch(self) -> str:
        """The spec's name."""
        return str(self.runs[0].parts[0].tree["name"])

    @property
    def parts(self) -> list[tuple[SweepRun, SweepPart]]:
        """Every part, with its run."""
        return [(run, part) for run in self.runs for part in run.parts]

    @property
    def table_path(self) -> Path:
        """The JSON file of the table; the runs' metrics are written beside it, as CSV."""
        request = self.request
        swept = [f"{key}={','.join(values)}" for key, values in request.grid.items()]
        heads = [head for head in request.heads if head]
        by = [f"search-{request.objective}"] if request.objective else []
        name = request.name or "-".join([self.dataset, self.arch, *heads, *by, *swept])
        safe = slug(name)
        if safe != name:  # two names may have the same slug
            safe = with_digest(safe, name)
        return request.experiment.out / SWEEPS / f"{safe}.json"


def read_grid(texts: Sequence[str]) -> dict[str, list[str]]:
    """Read ``key=v1,v2`` texts; values are as those of ``--set``, lists and mappings included.

    Raises:
        UsageError: there is no key or no value, or a key comes twice.
        SpecError: the values cannot be read.
    """
    grid: dict[str, list[str]] = {}
    for text in texts:
        key, _, values = text.partition("=")
        if not key.strip() or not values.strip():
            raise UsageError(f"--grid {text}: expected KEY=VALUE,VALUE, such as head.alpha=0.1,1")
        if key in grid:
            raise UsageError(f"--grid {key} is given twice: give all its values at once")
        read = parse_text(f"[{values}]", f"--grid {text}", "yaml").tree
        grid[key] = list(dict.fromkeys(map(_text, read)))
    return grid


def plan_sweep(request: SweepRequest) -> SweepPlan:
    """Read and check every setting with every head, before anything is run.

    Raises:
        SpecError: the spec has problems in a setting.
        DataError: the dataset cannot be read, or does not fit the spec.
        UsageError: the number of clusters is unknown, or an option contradicts the grid.
    """
    runs = []
    for setting in request.settings:
        by_head = [_parts(request, setting, head) for head in request.heads]
        for seed, *parts in zip(request.seeds, *by_head, strict=True):
            runs.append(SweepRun(setting, seed, parts))
    return SweepPlan(request, runs)


def setting_name(setting: Setting) -> str:
    """Return a setting as the name of a folder: safe on every system, and unique.

    Small letters, digits and some signs are kept; a name with others is simplified, and ends in
    eight hexadecimal digits of the setting's digest. Capital letters count as others, because some
    systems do not tell them from small ones.
    """
    pairs = [text.partition("=") for text in setting]
    name = ",".join(f"{slug(key)}={slug(value)}" for key, _, value in pairs)
    if name == ",".join(setting).lower() and len(name) <= _LONGEST_NAME:
        return name
    return with_digest(name[:_LONGEST_NAME], "\n".join(setting))


def _parts(request: SweepRequest, setting: Setting, head: str | None) -> list[SweepPart]:
    """Return the parts of one head in one setting, one for each seed."""
    experiment = Experiment(_experiment_request(request, setting, head))
    _refuse_contradiction(request, experiment)
    dataset, spec = experiment.dataset, experiment.spec
    stages = {
        "pretrain": PRETRAIN,
        "cluster": experiment.head_stage,
        "train": experiment.scratch_stage,
    }
    out = request.experiment.out
    if setting:
        out = out / SWEEPS / slug(dataset.name) / slug(spec.name) / setting_name(setting)
        refuse_links(out, below=request.experiment.out)
    return [
        SweepPart(
            request=replace(experiment.request, seed=seed, out=out),
            folder=RunFolder.locate(out, dataset.name, spec.name, seed),
            stages={section: stages[section] for section in request.stages},
            dataset=dataset.name,
            tree=spec.tree,
            requests=_stage_requests(experiment, seed),
        )
        for seed in request.seeds
    ]


def _stage_requests(experiment: Experiment, seed: int) -> dict[str, dict[str, Any]]:
    """Return what stages of each section depend on, with a seed of their own."""
    spec, dataset = experiment.spec, experiment.dataset
    section = spec.supervision
    labels = None if section is None else chosen_labels(dataset, section, seed)
    precision = experiment.request.precision
    return {
        stage: stage_request(spec, stage, seed, dataset, labels, experiment.vocabulary, precision)
        for stage in STAGE_DEFAULTS
    }


def _refuse_contradiction(request: SweepRequest, experiment: Experiment) -> None:
    """Make sure that no stage has one length by its option, and others by the grid."""
    for stage, length in request.stages.items():
        key = ".".join(length_path(experiment.spec.tree, stage, experiment.vocabulary))
        if length is not None and key in request.grid:
            raise UsageError(
                f"--{stage} {length} and --grid {key}=... contradict each other: leave the number "
                f"of --{stage} out"
            )


def _experiment_request(
    request: SweepRequest, setting: Setting, head: str | None
) -> ExperimentRequest:
    lengths = {stage: count for stage, count in request.stages.items() if count is not None}
    overrides = (*request.experiment.overrides, *setting)
    return replace(request.experiment, head=head, overrides=overrides, lengths=lengths)


def _text(value: Any) -> str:
    """Return a value as ``--set`` reads it, without quotes where they are not needed."""
    plain = isinstance(value, str) and _PLAIN.fullmatch(value)
    if plain and parse_text(value, "a value", "yaml").tree == value:
        return str(value)
    return json.dumps(value, ensure_ascii=False)
