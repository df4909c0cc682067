"""Run an attack's inputs in child processes, and collect how each ended.

A child runs thousands of inputs, so that its start costs little; a fresh one takes over where one
has died, or has been killed because it took too long or too much.
"""

from __future__ import annotations

import json
import os
import selectors
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from benchmarks.attack.outcomes import Limits, Outcome, Result

_ROOT: Final = Path(__file__).resolve().parents[2]
_START_WITHIN: Final = 300.0  # seconds; Keras may have to be imported on a crowded machine


class Children:
    """Child processes, one at a time, for any number of series and of attacks.

    As a context manager, so that the last one ends with it.

    Args:
        limits: what an input may take.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._child: _Child | None = None

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *_: object) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None

    def series(self, attack: str, seed: int, first: int, count: int) -> Iterator[Result]:
        """Yield how each input of a series ends, in order.

        Args:
            attack: its name.
            seed: of the series.
            first: the first input's number.
            count: how many inputs.
        """

        def rest(index: int) -> dict[str, Any]:
            return {"seed": seed, "first": index, "count": first + count - index}

        return self._run(attack, first, first + count, rest)

    def files(self, attack: str, files: Sequence[Path]) -> Iterator[Result]:
        """Yield how each file ends, as :meth:`series`; ``index`` counts in ``files``."""

        def rest(index: int) -> dict[str, Any]:
            return {"files": [str(path.resolve()) for path in files[index:]], "first": index}

        return self._run(attack, 0, len(files), rest)

    def _run(
        self, attack: str, index: int, end: int, rest: Callable[[int], dict[str, Any]]
    ) -> Iterator[Result]:
        is_whole = True
        try:
            while index < end:
                self._child = self._child or _Child(self._limits)
                is_whole = False  # until it has done all that it was told
                for result in self._child.results({"attack": attack, **rest(index)}, index):
                    yield result
                    index = result.index + 1
                    if result.outcome in (Outcome.LARGE, Outcome.SLOW, Outcome.SIGNAL):
                        self.__exit__()  # its memory is not what it was, or it is gone
                        break
                is_whole = True
        finally:
            if not is_whole:
                self.__exit__()


def run_series(
    attack: str, seed: int, first: int, count: int, limits: Limits | None = None
) -> Iterator[Result]:
    """Yield what :meth:`Children.series` does, in children of its own."""
    with Children(limits) as children:
        yield from children.series(attack, seed, first, count)


def run_files(attack: str, files: Sequence[Path], limits: Limits | None = None) -> Iterator[Result]:
    """Yield what :meth:`Children.files` does, in children of its own."""
    with Children(limits) as children:
        yield from children.files(attack, files)


class _Child:
    """A process of ``child.py``, and what it says."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._folder = tempfile.TemporaryDirectory(prefix="archbuild-attack-")
        numbers = (str(limits.seconds), str(limits.memory))
        command = [sys.executable, "-m", "benchmarks.attack.child", self._folder.name]
        self._process = subprocess.Popen(
            [*command, *numbers],
            cwd=_ROOT,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # so that what it starts can be killed with it
        )
        self._rest = b""

    def end(self) -> None:
        """Kill it, and what it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
        self._folder.cleanup()

    def results(self, order: dict[str, Any], index: int) -> Iterator[Result]:
        """Yield how the inputs of an order end; the last one is the one in which the child died.

        Raises:
            RuntimeError: the child does not start.
        """
        words = json.dumps(order)
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{words}\n".encode())
            self._process.stdin.flush()
        if self._answer(_START_WITHIN) != {"ready": True}:
            command = shlex.join(self._process.args)
            raise RuntimeError(f"the child does not start; try: {command} <<< {shlex.quote(words)}")
        while True:
            answer = self._answer(self._limits.silence)
            if answer == {"done": True}:
                return
            if answer is None:
                yield self._silent(index)
                return
            answer["outcome"] = Outcome(answer["outcome"])
            yield Result(**answer)
            index = answer["index"] + 1

    def _silent(self, index: int) -> Result:
        """Return how an input ended after which the child says nothing."""
        with suppress(subprocess.TimeoutExpired):
            status = self._process.wait(1)
            told = signal.Signals(-status).name if status < 0 else f"exit status {status}"
            return Result(index, Outcome.SIGNAL, told)
        seconds = self._limits.silence
        return Result(index, Outcome.SLOW, f"no answer within {seconds:.0f} s", seconds)

    def _answer(self, seconds: float) -> dict[str, Any] | None:
        """Return the child's next line; ``None`` if it has died, or says nothing for so long."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                if not selector.select(seconds):
                    return None
                read = os.read(self._process.stdout.fileno(), 1 << 16)
                if not read:
                    return None
                self._rest += read
        line, _, self._rest = self._rest.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _environment() -> dict[str, str]:
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    paths = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, **single, "PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3"}
