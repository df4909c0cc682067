"""Run the declared specs and seeds of a table, and write it beside the published figures.

    python benchmarks/reproduce halfmoon
    python benchmarks/reproduce adgm --seeds 1 --only ADGM --set train.epochs=5 --out runs
    python benchmarks/reproduce all --table-only

Every seed is a process of its own, one after the other. Its scores are recorded as soon as it has
ended, and a recorded seed is not run again. tables.yaml declares the tables.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])  # where the package ``benchmarks`` is
    from benchmarks.reproduce.command import main

    sys.exit(main(sys.argv[1:], __doc__))
