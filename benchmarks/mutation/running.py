"""The tests on mutants: in a copy of the checkout, in forks of one process."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from compileall import compile_dir
from pathlib import Path
from py_compile import PycInvalidationMode
from types import TracebackType
from typing import Any, Final

from benchmarks.mutation.mutants import End, Mutant, Result

ROOT: Final = Path(__file__).resolve().parents[2]
_LEFT_OUT: Final = (".git", ".venv", ".*_cache", ".hypothesis", "build", "demo", "__pycache__")
_LIGHT: Final = ("_pytest.assertion.rewrite", "hypothesis", "numpy", "yaml", "jsonschema", "click")
_SCIENTIFIC: Final = ("scipy.stats", "scipy.special", "sklearn.cluster", "sklearn.metrics")
_IMPORTED: Final = {
    "io": _LIGHT,
    "spec": _LIGHT,
    "runs": _LIGHT,
    "evaluation": (*_LIGHT, *_SCIENTIFIC, "sklearn.mixture", "sklearn.datasets"),
    "objectives": (*_LIGHT, *_SCIENTIFIC, "keras"),
}
"""The rooms, and what a process imports before it is forked for each of their mutants."""
ROOMS: Final = tuple(_IMPORTED)
_ARGUMENTS: Final = (
    "-x", "-q", "-n0", "-p", "no:randomly", "-p", "no:cacheprovider", "--hypothesis-seed=0",
)  # fmt: skip
_QUIET: Final = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
}


_TIMES: Final = {"wall": 4, "cpu": 2}
"""How many times as long as without a change the tests of a mutant may run."""
_SPARE: Final = {"wall": 30.0, "cpu": 10.0}
"""Seconds that they may take beside, on a machine that does other work."""


class Bench:
    """A copy of the checkout, and a process that runs tests in it; a context manager.

    Args:
        room: the room whose mutants are tested.
        root: of the checkout.
    """

    def __init__(self, room: str, root: Path = ROOT) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="archbuild-mutation-")
        # deep, since a mutant may take a folder for one further up
        self._copy = Path(self._folder.name) / "a" / "b" / "c" / "checkout"
        shutil.copytree(root, self._copy, ignore=shutil.ignore_patterns(*_LEFT_OUT), symlinks=True)
        # By content: a mutant of the same size, written in the same second, is another module.
        compile_dir(self.package, quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
        self._tests = self._copy / "tests" / room
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.mutation.forking", *_IMPORTED[room]],
            cwd=ROOT,
            env=_environment() | {"PYTHONPATH": str(self._copy)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._limits = {"wall": 3600.0, "cpu": 3600.0}

    def __enter__(self) -> Bench:
        """Run the tests of the room without a change, which tells how long they may take.

        Raises:
            RuntimeError: they fail.
        """
        answer = self._pytest(self._files())
        if answer["status"] != 0:
            said = self._log.read_text(errors="replace")[-3000:]
            self.__exit__(None, None, None)
            raise RuntimeError(f"the tests fail without a change; mend that first\n{said}")
        self._limits = {kind: times * answer[kind] + _SPARE[kind] for kind, times in _TIMES.items()}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()  # no further order ends it
        self._folder.cleanup()

    @property
    def package(self) -> Path:
        """The folder of the sources that are tested, the same until the end."""
        return self._copy / "archbuild"

    def test(self, mutant: Mutant) -> Result:
        """Run the tests on a mutant, first those that mirror its module, until one fails."""
        path = self.package / mutant.change.module
        sound = path.read_bytes()
        path.write_text(mutant.source, encoding="utf-8")
        try:
            return self._tested(mutant)
        finally:
            path.write_bytes(sound)

    def _tested(self, mutant: Mutant) -> Result:
        mirror = self._tests.glob(f"test_{Path(mutant.change.module).stem}*.py")
        first = sorted(str(path.relative_to(self._copy)) for path in mirror)
        rest = [name for name in self._files() if name not in first]
        seconds = 0.0
        for files in filter(None, (first, rest)):
            answer = self._pytest(files)
            seconds += answer["wall"]
            if answer["status"] is None:
                return Result(End.TIMED_OUT, "", seconds)
            if answer["status"]:
                return Result(End.KILLED, self._failed(), seconds)
        return Result(End.SURVIVED, "", seconds)

    @property
    def _log(self) -> Path:
        return Path(self._folder.name) / "log"

    def _files(self) -> list[str]:
        return sorted(str(path.relative_to(self._copy)) for path in self._tests.rglob("test_*.py"))

    def _failed(self) -> str:
        """Return the first test that failed, or what kept the tests from being read."""
        found = re.search(r"^(?:FAILED|ERROR) (\S+)", self._log.read_text(errors="replace"), re.M)
        return found[1] if found else "the tests do not start"

    def _pytest(self, files: Sequence[str]) -> dict[str, Any]:
        self._log.unlink(missing_ok=True)
        base = self._copy.parent / "tests"
        order = {
            "arguments": [*_ARGUMENTS, f"--basetemp={base}", *files],
            "folder": str(self._copy),
            "log": str(self._log),
            **self._limits,
        }
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the process that runs the tests has ended; its messages are above")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _environment() -> dict[str, str]:
    """Return this process's environment, where what is compiled once need not be again."""
    slow = "PYTHONDONTWRITEBYTECODE"
    return {name: value for name, value in os.environ.items() if name != slow} | _QUIET
