"""Install the oldest versions that pyproject.toml allows, and train, predict and test with them.

    python .ci/lowest.py [FOLDER]

The environment is made in FOLDER, by default in a temporary one. A bound below which archbuild, or
another dependency, does not work ends this with status 1; raise it in pyproject.toml.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("parquet", "excel")
"""Extras whose lower bounds are tried too."""
TOOLS = ("pytest", "pytest-timeout", "pytest-xdist", "pytest-randomly", "hypothesis", "pandas")
"""What the tests need; in any version."""
ROOMS = ("io", "spec", "data", "evaluation", "runs", "objectives", "layers", "networks", "models")
TRAIN = ["-d", "DIGITS", "-a", "0", "--pretrain", "2", "--cluster", "2", "--metrics"]
PREDICT = ["predict", "-d", "DIGITS", "-a", "0", "--output", "answers.csv"]


def main() -> None:
    """Make the environment, train and predict in it, and run the tests of some rooms."""
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(sys.argv[1] if len(sys.argv) > 1 else temporary).resolve()
        python = home / "bin" / "python"
        if not python.exists():
            venv.create(home, with_pip=True)
        bounds = lowest()
        print("oldest versions:", ", ".join(bounds), flush=True)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        run([*pip, *bounds, *TOOLS], ROOT)
        run([*pip, "--no-deps", "--editable", str(ROOT)], ROOT)
        for words in (TRAIN, PREDICT):
            run([str(python), "-m", "archbuild", *words], home)
        places = [f"tests/{room}" for room in ROOMS]
        run([str(python), "-m", "pytest", "-q", "-n", "auto", *places], ROOT)


def lowest() -> list[str]:
    """Return each dependency with its lower bound as the only version: ``numpy==1.26``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    for extra in EXTRAS:
        wanted += project["optional-dependencies"][extra]
    return [re.sub(r">=([\w.]+).*", r"==\1", each) for each in wanted]


def run(command: list[str], cwd: Path) -> None:
    """Run a command in a folder; one that fails ends the check."""
    if subprocess.run(command, cwd=cwd, check=False).returncode:
        sys.exit(f"failed: {' '.join(command)}")


if __name__ == "__main__":
    main()
