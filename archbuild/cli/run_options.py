"""The options by which verbs that use a trained model say which one."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from archbuild.cli.folders import out_option
from archbuild.cli.numbers import SEED
from archbuild.errors import DataError, RunError, UsageError

if TYPE_CHECKING:
    from archbuild.models.run import Run
    from archbuild.models.stage import Stage
    from archbuild.spec import Spec

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("-a", "--arch", metavar="ARCH", help="The run's spec."),
    click.option("--head", metavar="HEAD", help="Its head (default: the one trained last)."),
    click.option("--seed", type=SEED, default=0, metavar="S", help="Of the run (default: 0)."),
    click.option(
        "--run",
        "folder",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="FOLDER",
        help="The run's own folder, in place of -a, --seed and --out.",
    ),
    out_option("the run's saved_params/ is"),
)


def run_options(command: _Command) -> _Command:
    """Add the options ``arch``, ``head``, ``seed``, ``folder`` and ``out`` (``RunChoice``)."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True)
class RunChoice:
    """What the user said of the model to use.

    Attributes:
        dataset: new data, or what the model was trained on; ``None``: nothing was said.
    """

    dataset: str | None
    arch: str | None
    head: str | None
    seed: int
    folder: Path | None
    out: Path

    def run(self) -> Run:
        """Return the run that is meant.

        Raises:
            UsageError: none is named, or several are.
            RunError: it is not there; names the command that makes it.
        """
        from archbuild.models.run import Run, open_run
        from archbuild.runs import find_run

        if self.folder is not None:
            return open_run(self.folder)
        if self.arch is None:
            raise UsageError("which model? name its spec with -a, or its folder with --run")
        spec = self._spec()
        name = spec.name if spec else self.arch
        found = find_run(self.out, self._dataset_name(), name, self.seed)
        if found is None:
            raise RunError(
                f"no run of '{name}' with seed {self.seed} is under {self.out / 'saved_params'}; "
                f"{self._advice(spec)}"
            )
        return Run(found)

    def stage(self) -> Stage:
        """Its stage with the head that is meant.

        Raises:
            UsageError, RunError: as ``run``, or it has no such head.
        """
        run = self.run()
        stage = run.latest(self.head)
        if stage is None:
            what = f"{self.head} head" if self.head else "head"
            advice = self._advice(self._spec() if self.arch else None)
            raise RunError(f"{run.path} holds no {what}; {advice}")
        return stage

    def _dataset_name(self) -> str | None:
        """As runs bear it; a word that is no dataset's may be the name of a run's folder."""
        from archbuild.data import dataset_name

        try:
            return dataset_name(self.dataset) if self.dataset else None
        except DataError:
            return self.dataset

    def _spec(self) -> Spec | None:
        """Return the spec of ``-a``; ``None`` for a mere name: a run outlives its spec's file."""
        from archbuild.data import arch_stem
        from archbuild.registry import default_vocabulary
        from archbuild.spec import load_spec

        arch = self.arch or ""
        try:
            stem = arch_stem(self.dataset) if self.dataset else None
            return load_spec(arch, default_vocabulary(), stem=stem, head=self.head)
        except (UsageError, DataError):
            if arch.isdecimal() or Path(arch).suffix:
                raise
            return None

    def _advice(self, spec: Spec | None) -> str:
        """Return advice for a run or a head that is not there yet."""
        from archbuild.registry import default_vocabulary

        if spec is None:
            return "archbuild runs lists what is there"
        kind: Any = default_vocabulary().heads[spec.head.type]
        stages = "--pretrain --cluster" if kind.scratch_problem(spec.head.config) else "--train"
        words = ["archbuild", "-d", self.dataset or "DATASET", "-a", str(self.arch)]
        words += ["--seed", str(self.seed), *(["--head", self.head] if self.head else [])]
        words += ["--out", str(self.out)] if self.out != Path() else []
        return f"train one with: {shlex.join(words)} {stages}"
