"""Let another environment see the packages of this one, behind its own.

    python .ci/beside.py PYTHON

PYTHON is the other environment's interpreter, of the same version as this one.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

WHERE = "import sysconfig; print(sysconfig.get_path('purelib'))"


def main() -> None:
    """Write the file by which Python finds them."""
    done = subprocess.run([sys.argv[1], "-c", WHERE], capture_output=True, text=True, check=True)
    place = Path(done.stdout.strip()) / "beside.pth"
    place.write_text(f"{sysconfig.get_path('purelib')}\n")


if __name__ == "__main__":
    main()
