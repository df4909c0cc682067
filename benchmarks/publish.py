"""Train the models that travel with the package, and write them to published/.

    python benchmarks/publish.py mnist digits spiral

Each is the run of seed 0: labels choose no seed and no epoch. The shape of the digits' smaller
network was chosen by its accuracy, as those of the shipped specs were (docs/evidence.md). Runs go
on where they stopped. A model that is there already is replaced.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from archbuild.errors import ArchbuildError
from archbuild.models.published import PUBLISHED, find_published
from archbuild.models.run import open_run
from archbuild.runs.slim import copy_model
from benchmarks.processes import archbuild

MODELS: Final[Mapping[str, Sequence[str]]] = {
    "mnist": ["-d", "MNIST", "-a", "3", "--pretrain", "--cluster"],
    "digits": [  # half of the first layer: the shipped network would be too large
        *["-d", "DIGITS", "-a", "0", "--pretrain", "50", "--cluster", "20"],
        *["--set", "layers[1].num_units=250", "--set", "name=fc-250_fc-1000_fc-32"],
    ],
    "spiral": ["-d", "SPIRAL", "-a", "0", "--train"],
}
"""Name -> the command, without its seed."""

LARGEST: Final = 3_000_000
"""Bytes of a model's folder, at most: the wheel carries all of them."""


def main() -> None:
    options = arguments()
    for name in options.names:
        try:
            publish(name, options.out, options.published)
        except ArchbuildError as error:
            sys.exit(f"error: {error}")


def publish(name: str, out: Path, published: Path) -> None:
    """Train one model, and replace what is published of it.

    Raises:
        subprocess.CalledProcessError: training failed.
        ArchbuildError: the run cannot be copied.
    """
    words = ["--metrics", "--seed", "0", "--out", str(out), "--quiet", "--json"]
    run = open_run(json.loads(archbuild([*MODELS[name], *words]))["run"])
    stage = run.finished_clusterings[-1].name
    shutil.rmtree(published / name, ignore_errors=True)
    copy = copy_model(run.folder, stage, published / name)
    size = find_published(name, published).size
    if size > LARGEST:
        shutil.rmtree(copy.path)
        sys.exit(f"error: '{name}' takes {size:,} bytes; a published model may have {LARGEST:,}")
    print(f"{copy.path}: {size:,} bytes")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", choices=list(MODELS), metavar="NAME")
    parser.add_argument("--out", type=Path, default=Path("benchmark-runs"), help="of the runs")
    parser.add_argument("--published", type=Path, default=PUBLISHED, help="of the models")
    return parser.parse_args()


if __name__ == "__main__":
    main()
