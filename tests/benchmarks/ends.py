"""An attack whose inputs say how they end."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from random import Random

from archbuild.errors import DataError
from benchmarks.attack.attacks import Attack, Case

ENDS = ("well", "refused", "defect", "killed", "left", "busy", "silent", "large", "hidden")


class Ends(Attack):
    """End as the input says."""

    name = "tests.benchmarks.ends:Ends"

    def make(self, rng: Random) -> Case:
        return Case(rng.choice(("well", "refused")).encode(), ".txt")

    def attempt(self, path: Path) -> None:
        print("archbuild prints this")
        match path.read_text():
            case "refused":
                raise DataError("no")
            case "defect":
                raise ValueError("never")
            case "killed":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "left":
                os._exit(7)
            case "busy":
                end = time.process_time() + 0.7
                while time.process_time() < end:
                    pass
            case "silent":
                time.sleep(60)
            case "large":
                bytearray(b"x" * 100_000_000)
            case "hidden":
                _hide_that_memory_ran_out()


class OtherEnds(Ends):
    """A second attack."""

    name = "tests.benchmarks.ends:OtherEnds"


def _hide_that_memory_ran_out() -> None:
    try:
        bytearray(10**12)
    except MemoryError:
        raise DataError("the file is broken") from None
