"""Time and memory of every step of a run as the rows grow, beyond what memory holds.

    python benchmarks/scale.py --rows 50000 200000
    python benchmarks/scale.py --rows 1000000 5000000 20000000 --batch-size 4096 --steps 500
    python benchmarks/scale.py --format tfrecord --rows 200000 1000000 --batch-size 4096

The rows are bytes: blocks of noisy patterns, and holes, which are 0, between them; in a sparse
``.npy`` file, or in one of another format. Each step is a command in a process of its own; reported
are its seconds, its seconds of CPU on all cores, and the most memory that the system held for it,
pages of files included.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Final

import numpy as np

from benchmarks.attack.records import example, framed, tensor

SIDE: Final = 28
N_CLUSTERS: Final = 10
_BLOCK: Final = 500
_LATENT: Final = 10
_PASSES: Final = {
    "encode": r"encoded [\d,]+ rows in ([\d.]+) s",
    "start": r"head started in ([\d.]+) s",
}
"""A pass inside a stage, and the line of the log that says how long it took."""
HEADINGS: Final = ("rows", "step", "seconds", "CPU seconds", "peak MiB")


def main() -> None:
    options = arguments()
    with TemporaryDirectory(dir=options.folder, prefix="scale-") as folder:
        measured = [
            each
            for rows in options.rows
            for each in steps_of(rows, options, Path(folder) / str(rows))
        ]
    print(table(measured))


def steps_of(rows: int, options: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    """Make the rows and run each step on them; yield what it took."""
    folder.mkdir()
    data, out = folder / f"rows.{options.format}", folder / "out"
    WRITERS[options.format](data, rows, options.filled)
    (folder / "net.yaml").write_text(spec(options))
    run = ["-d", str(data), "-a", str(folder / "net.yaml"), "--out", str(out), "--quiet"]
    place = out / "saved_params" / "rows" / "scale" / "0"
    commands = {
        "pretrain": [*run, "--pretrain", "1"],
        "cluster": [*run, "--cluster", "1"],
        "predict": [
            "predict",
            "--run",
            str(place),
            "-d",
            str(data),
            "--quiet",
            "--output",
            str(folder / "answers.npz"),
        ],
        "metrics": [*run, "--metrics"],
        "visualize": [*run, "--visualize"],
        "report": [*run, "--report"],
    }
    for name, command in commands.items():
        if not options.only or name in options.only:
            took = run_step(command)
            for step in ({"step": name, **took}, *inner_passes(name, out)):
                print(rows, step, file=sys.stderr, flush=True)
                yield {"rows": rows, **step}
    for path in (data, *folder.rglob("*.np?")):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def blocks(rows: int, filled: float) -> Iterator[tuple[int, np.ndarray]]:
    """Yield where a block of noisy patterns begins, and its ``(500, 784)`` bytes; holes between."""
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 200, (N_CLUSTERS, SIDE * SIDE))
    for start in range(0, rows, round(_BLOCK / filled)):
        size = min(_BLOCK, rows - start)
        noise = rng.integers(0, 56, (size, SIDE * SIDE))
        made = patterns[rng.integers(0, N_CLUSTERS, size)] + noise
        yield start, made.astype(np.uint8)


def make_npy(path: Path, rows: int, filled: float) -> None:
    """Write an array, sparse on the disk."""
    made = np.lib.format.open_memmap(path, "w+", np.uint8, (rows, SIDE * SIDE))
    for start, block in blocks(rows, filled):
        made[start : start + len(block)] = block
    made.flush()


def make_tfrecord(path: Path, rows: int, filled: float) -> None:
    """Write a record for each row, with a tensor of bytes in it."""
    hole = framed(example({"x": tensor(np.zeros(SIDE * SIDE, np.uint8))}))
    with path.open("wb") as file:
        written = 0
        for start, block in blocks(rows, filled):
            file.write(hole * (start - written))
            file.write(b"".join(framed(example({"x": tensor(row)})) for row in block))
            written = start + len(block)
        file.write(hole * (rows - written))


def make_zarr(path: Path, rows: int, filled: float) -> None:
    """Write an array in chunks of 5,000 rows."""
    import zarr

    made = zarr.create_array(
        path, shape=(rows, SIDE * SIDE), chunks=(5000, SIDE * SIDE), dtype="u1"
    )
    for start, block in blocks(rows, filled):
        made[start : start + len(block)] = block


WRITERS: Final[Mapping[str, Callable[[Path, int, float], None]]] = {
    "npy": make_npy,
    "tfrecord": make_tfrecord,
    "zarr": make_zarr,
}
"""Format -> what writes so many rows, of which a share are no holes."""


def spec(options: argparse.Namespace) -> str:
    """Return a small dense autoencoder with the head ``kld``, as YAML."""
    limit = f", steps_per_epoch: {options.steps}" if options.steps else ""
    return f"""spec_version: 1
name: scale
batch_size: {options.batch_size}
layers:
  - {{type: Input, output_shape: [{SIDE * SIDE}]}}
  - {{type: Dense, num_units: {options.units}, non_linearity: rectify}}
  - {{type: Dense, num_units: {_LATENT}}}
head: {{type: {options.head}, n_clusters: {N_CLUSTERS}}}
pretrain: {{epochs: 1{limit}}}
cluster: {{epochs: 1}}
"""


def run_step(command: Sequence[str]) -> dict[str, float]:
    """Run a command of archbuild to its end, and return what it took.

    Raises:
        RuntimeError: it failed.
    """
    print("$", shlex.join(["archbuild", *command]), file=sys.stderr, flush=True)
    begun = perf_counter()
    words = [sys.executable, "-m", "archbuild", *command]
    process = subprocess.Popen(words, stdout=sys.stderr)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"archbuild {shlex.join(command)} ended with {process.returncode}")
    return {
        "seconds": round(perf_counter() - begun, 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_mib": round(usage.ru_maxrss / 1024),
    }


def inner_passes(step: str, out: Path) -> Iterator[dict[str, Any]]:
    """Yield the seconds of the passes that a stage wrote to its log."""
    log = max((out / "logs").glob("*.log"), key=os.path.getmtime)
    for name, pattern in _PASSES.items():
        for seconds in (
            re.findall(pattern, log.read_text()) if step in ("pretrain", "cluster") else ()
        ):
            yield {"step": f"{step}: {name}", "seconds": float(seconds)}


def slope(measured: Sequence[Mapping[str, Any]], name: str, key: str) -> str:
    """Return the slope of one step's seconds over the rows, both as logarithms; or nothing."""
    of_step = [each for each in measured if each["step"] == name and key in each]
    points = [(each["rows"], max(each[key], 0.01)) for each in of_step]
    if len({rows for rows, _ in points}) < 2:
        return ""
    rows, seconds = np.log(np.array(points, float).T)
    return f"{np.polyfit(rows, seconds, 1)[0]:.2f}"


def table(measured: Sequence[Mapping[str, Any]]) -> str:
    """Return what was measured as tables in Markdown."""
    lines = [
        [
            f"{each['rows']:,}",
            each["step"],
            f"{each['seconds']:.1f}",
            f"{each['cpu_seconds']:.1f}" if "cpu_seconds" in each else "",
            f"{each['peak_mib']:,.0f}" if "peak_mib" in each else "",
        ]
        for each in measured
    ]
    names = dict.fromkeys(each["step"] for each in measured)
    slopes = [
        [name, slope(measured, name, "seconds"), slope(measured, name, "cpu_seconds")]
        for name in names
    ]
    headings = ("step", "slope of log seconds over log rows", "of log CPU seconds")
    return f"{markdown(HEADINGS, lines)}\n\n{markdown(headings, slopes)}"


def markdown(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    rows = [headings, ["---"] * len(headings), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--format", choices=list(WRITERS), default="npy")
    parser.add_argument("--rows", type=int, nargs="+", default=[50_000, 200_000])
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=0, help="of pretraining; 0: all rows once")
    parser.add_argument("--units", type=int, default=32)
    parser.add_argument(
        "--filled", type=float, default=0.01, help="share of rows that are no holes"
    )
    parser.add_argument("--head", default="kld")
    parser.add_argument("--only", action="append", help="a step, such as pretrain; may be repeated")
    parser.add_argument("--folder", type=Path, help="for the temporary files")
    return parser.parse_args()


if __name__ == "__main__":
    main()
