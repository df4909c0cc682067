"""Change archbuild's code in small ways, and count how many of the changes its tests notice.

    python benchmarks/mutation --room io --sample 80 --seed 0
    python benchmarks/mutation --room io --again

Needs `.[mutation]`. The places of a room where a change is possible are drawn at random, and one
change is made at each, in a copy of the checkout. The tests that mirror the module run first, then
those of its room. --again runs the tests on the recorded survivors once more.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])  # where the package ``benchmarks`` is
    from benchmarks.mutation.command import main

    sys.exit(main(sys.argv[1:], __doc__))
