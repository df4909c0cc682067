"""Split the CPU time of a command into its phases.

    python benchmarks/phases.py
    python benchmarks/phases.py -d MNIST-TEST -a 2 --pretrain 5 --cluster 2 --metrics --report

The arguments are those of `archbuild`; by default the command of `make demo`, with a report. The
functions below are timed where they are called, each without the others that it calls. CPU seconds
are of all threads, wall seconds beside them; shares are of the CPU time.
"""

from __future__ import annotations

import importlib
import pkgutil
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Final

_DEMO: Final = "-d DIGITS -a 0 --pretrain 50 --cluster 20 --metrics --visualize --report --quiet"

PHASES: Final = {
    "start of Keras": ["environment.start_keras"],
    "reading": ["data.location.DataLocation.load"],
    "building": ["networks.builder.build_network", "training.stage.StageTrainer._built_model"],
    "steps, compiling included": ["training.steps.Steps.__call__"],
    "looks at all rows": [
        "training.encoding.encode",
        "training.head_stage.HeadTrainer._codes_and_views",
        "training.head_stage.HeadTrainer._measure",
    ],
    "checkpoints": ["runs.stage.StageFolder.save_checkpoint"],
    "first clusters": ["clustering.starts.first_clusters"],
    "k-means": ["clustering.kmeans.kmeans"],
    "metrics": ["models.measuring.measure"],
    "t-SNE": ["clustering.tsne.tsne"],
    "pictures": ["figures.drawing.draw_into"],
    "report": ["report.writing.write_report"],
}
"""The functions of each phase, below ``archbuild``."""

REST: Final = "the rest"


class Clock:
    """Seconds of CPU and of wall time, by phase."""

    def __init__(self) -> None:
        self.seconds = {phase: [0.0, 0.0] for phase in (*PHASES, REST)}
        self._open = [REST]
        self._last = self._now()

    @staticmethod
    def _now() -> tuple[float, float]:
        return process_time(), perf_counter()

    def _settle(self) -> None:
        """Give the time since the last change to the innermost phase."""
        now, spent = self._now(), self.seconds[self._open[-1]]
        for unit, (end, begun) in enumerate(zip(now, self._last, strict=True)):
            spent[unit] += end - begun
        self._last = now

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        self._settle()
        self._open.append(name)
        try:
            yield
        finally:
            self._settle()
            self._open.pop()

    def timed(self, function: Callable[..., Any], phase: str) -> Callable[..., Any]:
        @wraps(function)
        def call(*given: Any, **named: Any) -> Any:
            with self.phase(phase):
                return function(*given, **named)

        return call


def main(arguments: list[str]) -> None:
    clock = Clock()
    with clock.phase("start of Keras"):
        from archbuild.environment import start_keras

        start_keras()
        modules = all_modules()
    for phase, names in PHASES.items():
        for name in names:
            replace(name, lambda function, to=phase: clock.timed(function, to), modules)
    with tempfile.TemporaryDirectory() as folder:
        run(arguments or shlex.split(_DEMO), Path(folder))
    with clock.phase(REST):
        pass
    print(table(clock.seconds))


def all_modules() -> list[Any]:
    """Import and return every module of archbuild."""
    import archbuild

    found = pkgutil.walk_packages(archbuild.__path__, "archbuild.")
    return [importlib.import_module(each.name) for each in found if "__main__" not in each.name]


def replace(name: str, by: Callable[[Any], Any], modules: list[Any]) -> None:
    """Put another function in the place of one, wherever a module has it."""
    *path, last = name.split(".")
    if path[-1][0].isupper():
        owner = getattr(importlib.import_module(".".join(["archbuild", *path[:-1]])), path[-1])
        setattr(owner, last, by(vars(owner)[last]))
        return
    old = getattr(importlib.import_module(".".join(["archbuild", *path])), last)
    new = by(old)
    for module in modules:
        if getattr(module, last, None) is old:
            setattr(module, last, new)


def run(arguments: list[str], out: Path) -> None:
    from archbuild.cli.main import main as archbuild

    kept, sys.argv, stdout = sys.argv, ["archbuild", *arguments, "--out", str(out)], sys.stdout
    sys.stdout = sys.stderr
    try:
        archbuild()
    except SystemExit as ended:
        if ended.code:
            raise
    finally:
        sys.argv, sys.stdout = kept, stdout


def table(seconds: dict[str, list[float]]) -> str:
    """Return the table, phases that took a hundredth of a second or more."""
    total = [sum(each) for each in zip(*seconds.values(), strict=True)]
    lines = ["| phase | CPU, s | share | wall, s |", "|---|---|---|---|"]
    for phase, (cpu, wall) in [*seconds.items(), ("all", total)]:
        if cpu >= 0.01:
            lines.append(f"| {phase} | {cpu:.1f} | {cpu / total[0]:.0%} | {wall:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main(sys.argv[1:])
