"""The process that gives inputs to archbuild, one after the other, until it is done or dies.

    python -m benchmarks.attack.child ATTACK FOLDER SECONDS MEMORY

Each line of standard input is a JSON object: a part of a series, ``{"seed": 0, "first": 0, "count":
1000}``, or ``{"files": [PATH, ...]}``. Each line of standard output is one result.
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
_FENCE: Final = 3
"""How many times the allowed memory may be reserved, before the system refuses more."""


def main(arguments: list[str]) -> None:
    """Answer to what comes on standard input."""
    name, folder, seconds, memory = arguments
    answers = _own_output()
    attack, place = attack_of(name), Path(folder)
    attack.prepare(place / "prepared")
    trial = _Trial(attack, place, Limits(float(seconds), int(memory)))
    _say(answers, {"ready": True})
    for line in sys.stdin:
        for index, case in _cases(attack, json.loads(line)):
            _say(answers, vars(trial.result(index, case)))
        _say(answers, {"done": True})


class _Trial:
    """An attack within its limits."""

    def __init__(self, attack: Attack, folder: Path, limits: Limits) -> None:
        self._attack, self._folder, self._limits = attack, folder, limits
        self._most = _peak() + limits.memory
        fence = _reserved() + _FENCE * limits.memory
        resource.setrlimit(resource.RLIMIT_AS, (fence, resource.getrlimit(resource.RLIMIT_AS)[1]))

    def result(self, index: int, case: Case) -> Result:
        """Return how an input ends."""
        place = self._folder / "input"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        path = place / f"case{case.suffix}"
        path.write_bytes(case.content)
        error, begun = None, process_time()
        try:
            self._attack.attempt(path)
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
