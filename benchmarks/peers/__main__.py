"""Run other clusterers beside ours, each in a process of its own, and write their page.

    python -m venv peers && peers/bin/pip install "numpy>=1.26" clustpy umap-learn
    python benchmarks/peers --python peers/bin/python
    python benchmarks/peers --python peers/bin/python --only DIGITS --only MNIST-TEST,DEC --seeds 1
    python benchmarks/peers --table-only

Ours runs in this environment; the others in that of `--python`, which has the packages of the extra
`peers` and need not have archbuild. Peers see the rows and the number of clusters, never a label.
Every row has a record, `benchmarks/results/peers/ROW.json`, and a recorded seed is not run again.
Wall time, CPU time and the peak of memory are those of the whole process, imports included. They
are read as Linux and macOS count them.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])  # where the package ``benchmarks`` is
    from benchmarks.peers.command import main

    sys.exit(main(sys.argv[1:], __doc__))
