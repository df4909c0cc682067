"""Kill training at random moments, go on, and compare with a run that was never killed.

    python benchmarks/kills.py
    python benchmarks/kills.py --only kld --kills 50 --seed 1

Each head trains on DIGITS in a process of its own that gets SIGKILL, SIGTERM, SIGINT or SIGHUP at a
random moment after its next checkpoint; the same command goes on until another signal or its end.
The digests of all files must then be those of the run that was not killed.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Final

from archbuild.runs import RunFolder
from benchmarks.processes import machine, software

_DENSE: Final = ["-d", "DIGITS", "-a", "1", "--pretrain", "20", "--cluster", "20"]
_SCRATCH: Final = ["-d", "DIGITS", "--train", "40"]
RUNS: Final[Mapping[str, Sequence[str]]] = {
    "kld": [*_DENSE, "--head", "kld"],
    "kmeans": [*_DENSE, "--head", "kmeans"],
    "self_training": [*_DENSE, "--head", "self_training", "--set", "head.start=k-means"],
    "gmm": [*_SCRATCH, "-a", "s3vdc-digits", "--set", "head.gamma_training.length=10"],
    "ladder": [*_SCRATCH, "-a", "lvae-digits"],
    "auxiliary": [*_SCRATCH, "-a", "sdgm-digits"],
    "cluster_aware": [*_SCRATCH, "-a", "cagem-digits"],
    "classifier": [*_SCRATCH, "-a", "conv-digits"],
    "gmvae": ["-d", "SPIRAL", "-a", "0", "--train", "80"],
}
"""Head -> a command that trains it for some seconds."""

SIGNALS: Final = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main() -> None:
    options = arguments()
    for each in (signal.SIGINT, signal.SIGHUP):  # children inherit what nohup or a shell ignores
        signal.signal(each, signal.SIG_DFL)
    generator = random.Random(options.seed)
    print(f"{machine()}; {software()}; seed {options.seed}")
    print("| head | kills | in training | runs to the end | equal to the run without kills |")
    print("|---|---|---|---|---|")
    wrong = 0
    with TemporaryDirectory() as folder:
        for name in options.only or RUNS:
            counts = attack(name, options.kills, generator, Path(folder) / name)
            wrong += counts["ended"] - counts["equal"]
            columns = ("kills", "training", "ended", "equal")
            print(f"| `{name}` | {' | '.join(str(counts[key]) for key in columns)} |", flush=True)
    sys.exit(1 if wrong else 0)


def attack(name: str, kills: int, generator: random.Random, folder: Path) -> Counter[str]:
    """Kill runs of one head until there were enough kills and the last run has ended.

    Returns:
        ``kills`` in all, of which ``training`` met a stage in training with a checkpoint on disk,
        and ``ended`` runs, of which ``equal`` left what the run without kills left.
    """
    command = [sys.executable, "-m", "archbuild", *RUNS[name], "--quiet", "--out"]
    whole, killed = folder / "whole", folder / "killed"
    seconds = trained([*command, str(whole)], whole)
    expected = digests(whole)
    counts: Counter[str] = Counter()
    while counts["kills"] < kills:
        shutil.rmtree(killed, ignore_errors=True)
        while not ends(command, killed, generator.uniform(0, seconds), generator, counts):
            pass
        counts["ended"] += 1
        counts["equal"] += digests(killed) == expected
    return counts


def trained(command: Sequence[str], out: Path) -> float:
    """Run a command to its end, and return the seconds from its first checkpoint on.

    Raises:
        RuntimeError: it failed.
    """
    process = started(command, out)
    begun = monotonic()
    process.wait()
    refuse_failure(process)
    return monotonic() - begun


def started(command: Sequence[str], out: Path) -> subprocess.Popen[bytes]:
    """Start a command, and return its process after its first checkpoint of its own, or its end."""
    before = set(checkpoints(out))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while process.poll() is None and set(checkpoints(out)) <= before:
        sleep(0.01)
    return process


def refuse_failure(process: subprocess.Popen[bytes]) -> None:
    """Raise ``RuntimeError`` for a process that ended with an error of its own."""
    if process.returncode and process.stderr is not None:
        raise RuntimeError(process.stderr.read().decode())


def ends(
    command: Sequence[str],
    out: Path,
    delay: float,
    generator: random.Random,
    counts: Counter[str],
) -> bool:
    """Run the command, kill it ``delay`` seconds after its next checkpoint, and count the kill.

    Returns:
        Whether it came to its end before.

    Raises:
        RuntimeError: it ended with an error of its own.
    """
    process = started([*command, str(out)], out)
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        counts["training"] += any(checkpoints(out))
        counts["kills"] += 1
        process.send_signal(generator.choice(SIGNALS))
        process.wait()
        return False
    refuse_failure(process)
    return True


def checkpoints(out: Path) -> Iterator[Path]:
    return out.glob("saved_params/*/*/*/*/checkpoint-*.npz")


def digests(out: Path) -> dict[str, str]:
    """Return the digest of everything that each stage of the one run left."""
    (path,) = (out / "saved_params").glob("*/*/*")
    run = RunFolder(path)
    for name in run.stages():
        run.stage(name).verify()
    return {name: run.stage(name).digest for name in run.stages()}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=list(RUNS), help="head; repeatable")
    parser.add_argument("--kills", type=int, default=25, metavar="N", help="of each head, at least")
    parser.add_argument("--seed", type=int, default=0, help="of the moments and the signals")
    return parser.parse_args()


if __name__ == "__main__":
    main()
