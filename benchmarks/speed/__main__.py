"""Time an epoch of training beside plain Keras, PyTorch, and the bound of the machine.

    python benchmarks/speed
    python benchmarks/speed --torch peers/bin/python --rounds 7 --only tum

Every contender is a process of its own that has taken a first round; the rounds that are counted go
in turn from one to the next, so that other work on the machine strikes all alike. The figures are
medians over rounds: milliseconds of CPU of a step (all threads), and how many times as much the
others take, in CPU and in wall time. PyTorch runs in the interpreter of `--torch`, which needs
nothing but torch and NumPy; without it, its columns say "not run".
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])  # where the package ``benchmarks`` is
    from benchmarks.speed.command import main

    sys.exit(main(sys.argv[1:], __doc__))
