"""Build wheel and sdist, and use archbuild in every way of having it: all must find the same files.

The ways are a wheel, an sdist, an editable install and a bare checkout, each in an environment of
its own that borrows the libraries of the one that runs this.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = [
    ["--version"],
    ["list", "archs"],
    ["list", "published"],
    ["show", "-d", "MNIST", "-a", "1"],
    ["schema"],
]
CLEAN = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def main() -> None:
    """Compare the ways; end with status 1 and a line for each difference."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(work), str(ROOT))
        (wheel,), (sdist,) = work.glob("*.whl"), work.glob("*.tar.gz")
        answers = {
            "checkout": answer(environment(work / "checkout", [ROOT]), work),
            "wheel": answer(installed(work / "wheel", str(wheel)), work),
            "sdist": answer(installed(work / "sdist", str(sdist)), work),
            "editable": answer(installed(work / "editable", "--editable", str(ROOT)), work),
        }
        problems = [
            f"{way}: '{command}' answers otherwise than in a checkout"
            for way, texts in answers.items()
            for command, text in texts.items()
            if text != answers["checkout"][command]
        ]
        for way in ("wheel", "sdist"):
            problems += [f"{way}: without {name}" for name in missing(work / way)]
    sys.exit("\n".join(problems) or None)


def run(*command: str, cwd: Path = ROOT) -> str:
    """Return what a command prints; one that fails ends the check with all that it said."""
    ended = subprocess.run(command, cwd=cwd, env=CLEAN, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.exit(f"{' '.join(command)}:\n{ended.stdout}{ended.stderr}")
    return ended.stdout


def environment(home: Path, paths: list[Path]) -> Path:
    """Make an environment in ``home`` that also imports from ``paths``; return its Python."""
    venv.create(home)
    borrowed = [*map(str, paths), *(path for path in sys.path if path.endswith("-packages"))]
    (site(home) / "borrowed.pth").write_text("\n".join(borrowed))
    return home / "bin" / "python"


def installed(home: Path, *what: str) -> Path:
    """Make an environment with archbuild installed as ``what`` says; return its Python."""
    python = environment(home, [])
    pip = (sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--no-deps", "--no-build-isolation", *what)
    return python


def site(home: Path) -> Path:
    """Return where an environment's packages lie."""
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(home)}))


def answer(python: Path, cwd: Path) -> dict[str, str]:
    """Return what ``COMMANDS`` print, run by ``python`` far from the checkout."""
    return {
        " ".join(words): run(str(python), "-m", "archbuild", *words, cwd=cwd) for words in COMMANDS
    }


def missing(home: Path) -> list[str]:
    """Return the files of the repository that an installed package should have and has not."""
    tracked = run("git", "ls-files", "archbuild", "archs", "published").splitlines()
    inside = {
        name: name if name.startswith("archbuild/") else f"archbuild/{name}" for name in tracked
    }
    return [name for name, place in inside.items() if not (site(home) / place).is_file()]


if __name__ == "__main__":
    main()
