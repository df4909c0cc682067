"""Feed generated hostile inputs to archbuild, and count how it ends with each of them.

    python benchmarks/attack spec --inputs 10000 --seed 0
    python benchmarks/attack spec --file tests/corpus/spec/alias-keys.yaml

An input may succeed or end in an ArchbuildError, within 5 seconds and 1 GB. Everything else is a
failure: it is kept as a file below --failures, and the exit status is 1. The same seed makes the
same inputs.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])  # where the package ``benchmarks`` is
    from benchmarks.attack.command import main

    sys.exit(main(sys.argv[1:], __doc__))
