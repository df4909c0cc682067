"""The protocol between ``command.py`` and a contender; it knows neither archbuild nor torch."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any

Round = Callable[[], Any]


def serve(play: Round) -> None:
    """Play a first round, and one for each line of standard input.

    After each of these it prints, as JSON, the seconds of CPU and of wall time that it took.
    """
    play()
    print("ready", flush=True)
    for _ in sys.stdin:
        cpu, wall = process_time(), perf_counter()
        play()
        used = {"cpu": process_time() - cpu, "wall": perf_counter() - wall}
        print(json.dumps(used), flush=True)
