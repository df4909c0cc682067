"""The process that gives inputs to archbuild, one after the other, until it is done or dies.

    python -m benchmarks.attack.child FOLDER SECONDS MEMORY

Each line of standard input is a JSON object with the name of an attack: a part of a series,
``{"attack": "mat", "seed": 0, "first": 0, "count": 1000}``, or ``{"attack": "mat", "files":
[PATH, ...]}``. On standard output, it says that the attack is ready, then one result a line, then
that it is done.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import process_time
from typing import Any, Final, TextIO

from benchmarks.attack.attacks import Attack, Case, attack_of
from benchmarks.attack.outcomes import Limits, Outcome, Result, detail_of, outcome_of

_STATUS: Final = Path("/proc/self/status")
_CLEAR: Final = Path("/proc/self/clear_refs")
_FENCE: Final = 3
"""How many times the allowed memory may be reserved, before the system refuses more."""


def main(arguments: list[str]) -> None:
    """Answer to what comes on standard input."""
    folder, seconds, memory = arguments
    answers, limits = _own_output(), Limits(float(seconds), int(memory))
    trials: dict[str, _Trial] = {}
    for line in sys.stdin:
        order = json.loads(line)
        name = order["attack"]
        if name not in trials:
            trials[name] = _Trial(attack_of(name), Path(folder) / str(len(trials)), limits)
        trials[name].begin()
        _say(answers, {"ready": True})
        for index, case in _cases(trials[name].attack, order):
            _say(answers, vars(trials[name].result(index, case)))
        _say(answers, {"done": True})


class _Trial:
    """An attack within its limits."""

    def __init__(self, attack: Attack, folder: Path, limits: Limits) -> None:
        self.attack, self._folder, self._limits = attack, folder, limits
        _fence(None)
        folder.mkdir()
        attack.prepare(folder / "prepared")

    def begin(self) -> None:
        """Count memory from what there is now."""
        _forget_peak()
        self._most = _peak() + self._limits.memory
        _fence(_reserved() + _FENCE * self._limits.memory)

    def result(self, index: int, case: Case) -> Result:
        """Return how an input ends."""
        place = self._folder / "input"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        path = place / f"case{case.suffix}"
        path.write_bytes(case.content)
        error, begun = None, process_time()
        try:
            self.attack.attempt(path)
        except BaseException as raised:  # KeyboardInterrupt and SystemExit are outcomes as well
            error = raised
        return self._judged(index, error, process_time() - begun)

    def _judged(self, index: int, error: BaseException | None, seconds: float) -> Result:
        outcome, detail = outcome_of(error), detail_of(error)
        if _peak() > self._most:
            outcome = Outcome.LARGE
        elif seconds > self._limits.seconds:
            outcome = Outcome.SLOW
        return Result(index, outcome, "" if outcome.is_right else detail, round(seconds, 3))


def _cases(attack: Attack, order: dict[str, Any]) -> Iterator[tuple[int, Case]]:
    if "files" in order:
        for index, path in enumerate(map(Path, order["files"]), order.get("first", 0)):
            yield index, Case(path.read_bytes(), "".join(path.suffixes))
        return
    for index in range(order["first"], order["first"] + order["count"]):
        yield index, attack.case(order["seed"], index)


def _own_output() -> TextIO:
    """Return what was standard output; what archbuild prints goes nowhere from now on."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    return answers


def _say(answers: TextIO, what: dict[str, Any]) -> None:
    answers.write(json.dumps(what) + "\n")
    answers.flush()


def _peak() -> int:
    """Return the most memory in bytes that this process has had at any time."""
    found = _of_status("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 if found is None else found


def _forget_peak() -> None:
    """Make the memory of now the peak, where the system can."""
    with suppress(OSError):
        _CLEAR.write_text("5")


def _fence(limit: int | None) -> None:
    """Limit the addresses of this process; ``None`` for as many as it may have at all."""
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (most if limit is None else limit, most))


def _reserved() -> int:
    """Return the bytes of this process's addresses."""
    return _of_status("VmSize") or 0


def _of_status(key: str) -> int | None:
    with suppress(OSError):  # Linux alone has it
        found = re.search(rf"{key}:\s+(\d+) kB", _STATUS.read_text())
        return int(found[1]) * 1024 if found else None
    return None


if __name__ == "__main__":
    main(sys.argv[1:])
