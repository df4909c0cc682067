"""The run that a verb works with, and the options that name it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archbuild.cli.options import (
    arch_option,
    dataset_option,
    gathered,
    head_option,
    out_option,
    published_option,
    run_option,
    seed_option,
    with_options,
)
from archbuild.errors import DataError, RunError, UsageError
from archbuild.printable import shell_word

if TYPE_CHECKING:
    from archbuild.models.run import Run
    from archbuild.models.stage import Stage
    from archbuild.spec import Spec

_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def run_options(
    *, dataset_required: bool = False, with_head: bool = True, published: bool = True
) -> _Decorator:
    """Add the options that name a run, and pass them as ``choice`` (``RunChoice``).

    Args:
        dataset_required: whether the verb cannot do without ``--dataset``.
        with_head: whether the verb takes ``--head``.
        published: whether the verb takes ``--published``: it writes nothing to the run.
    """
    head = (head_option("the one trained last"),) if with_head else ()
    model = (published_option,) if published else ()
    options = (
        *(dataset_option(dataset_required), arch_option(), *head),
        *(seed_option, run_option, *model, out_option),
    )
    return lambda command: with_options(gathered(RunChoice, "choice")(command), options)


@dataclass(frozen=True)
class RunChoice:
    """The options that name a run, and a stage of it by its head.

    Attributes:
        dataset: name or path of the data that it was trained on, or of new data; optional.
        arch: index, name or path of its spec.
        seed: its random seed.
        folder: its own folder, in place of ``arch``, ``seed`` and ``out``.
        out: the folder that ``saved_params/`` is in.
        head: type of the head; ``None``: the one that was trained last.
        published: name of a published model, in place of ``folder``, ``arch``, ``seed``, ``out``.
    """

    dataset: str | None
    arch: str | None
    seed: int
    folder: Path | None
    out: Path
    head: str | None = None
    published: str | None = None

    def run(self, needs: str | None = None) -> Run:
        """Return the run that is named.

        Args:
            needs: the options of the stages that make it; by default those that its head needs.

        Raises:
            UsageError: no run is named, or several are.
            RunError: there is no such run; the message names the command that makes it.
        """
        from archbuild.models.run import Run, open_run
        from archbuild.runs import find_run

        if self.published is not None:
            return self._published_run()
        if self.folder is not None:
            return open_run(self.folder)
        if self.arch is None:
            raise UsageError("no run is named; give its spec with -a, or its folder with --run")
        spec = self._spec()
        name = spec.name if spec else self.arch
        found = find_run(self.out, self._dataset_name(), name, self.seed)
        if found is None:
            raise RunError(
                f"no run of '{name}' with seed {self.seed} is under {self.out / 'saved_params'}; "
                f"{self._advice(spec, needs)}"
            )
        return Run(found)

    def stage(self) -> Stage:
        """Return the run's stage with the head that is named.

        Raises:
            UsageError: no run is named, or several are.
            RunError: there is no such run, or no such head in it.
        """
        run = self.run()
        stage = run.latest(self.head)
        if stage is None:
            what = f"{self.head} head" if self.head else "head"
            advice = self._advice(self._spec() if self.arch else None)
            raise RunError(f"{run.path} holds no {what}; {advice}")
        return stage

    def _published_run(self) -> Run:
        from archbuild.models.published import find_published

        if self.folder is not None or self.arch is not None:
            raise UsageError("--published names a model, and so does -a or --run: give one of them")
        return find_published(str(self.published)).run

    def _dataset_name(self) -> str | None:
        """Return the dataset's name; a word that is no dataset's may name a run's folder."""
        from archbuild.data import dataset_name

        try:
            return dataset_name(self.dataset) if self.dataset else None
        except DataError:
            return self.dataset

    def _spec(self) -> Spec | None:
        """Return the spec of ``-a``; ``None`` for a name without a file, which a run may have."""
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

    def _advice(self, spec: Spec | None, needs: str | None = None) -> str:
        """Return the command that makes a run or a head that is not there yet."""
        from archbuild.registry import default_vocabulary

        if spec is None:
            return "'archbuild runs' lists the runs that there are"
        kind: Any = default_vocabulary().heads[spec.head.type]
        from_head = "--pretrain --cluster" if kind.scratch_problem(spec.head.config) else "--train"
        words = ["archbuild", "-d", self.dataset or "DATASET", "-a", str(self.arch)]
        words += ["--seed", str(self.seed), *(["--head", self.head] if self.head else [])]
        words += ["--out", str(self.out)] if self.out != Path() else []
        return f"train one with: {' '.join(map(shell_word, words))} {needs or from_head}"
