"""From a file to clusters in two commands, beside k-means on standardised data.

    python benchmarks/own_data.py --seeds 3 --out runs ECG200.ts optdigits.csv photos
    python benchmarks/own_data.py --seeds 3 --out runs --mixed

For each file or folder, `archbuild new --for` writes the spec and prints the command, which then
runs once for every seed as it stands, with its epochs. `--mixed` first writes a table of 600 rows
with numbers, categories, dates and gaps. Finished stages are not run again.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np
from processes import archbuild
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score
from sklearn.preprocessing import StandardScaler

from archbuild.data import load_dataset
from archbuild.evaluation.scores import label_scores

HEADING = (
    "| data | rows | k-means, standardised: ACC/NMI "
    "| head, median: ACC/NMI (ACC lowest to highest) | minutes a seed |"
)


def main() -> None:
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    data = [*options.data, *([mixed_table(options.out)] if options.mixed else [])]
    print(HEADING)
    print("|---|---|---|---|---|")
    for path in data:
        print(line(path, options), flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="*", help="files and folders")
    parser.add_argument("--mixed", action="store_true", help="a table with categories and gaps")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path())
    return parser.parse_args()


def line(path: str, options: argparse.Namespace) -> str:
    spec = options.out / f"{Path(path.split(':')[0]).name.replace('.', '-')}.yaml"
    if not spec.exists():
        archbuild(["new", "--for", path, "--output", str(spec)])
    dataset = load_dataset(path)
    runs = [run(path, spec, seed, options.out) for seed in range(options.seeds)]
    acc = [scores["acc"] for scores, _ in runs]
    nmi = [scores["nmi"] for scores, _ in runs]
    minutes = statistics.median(minutes for _, minutes in runs)
    return (
        f"| {Path(path).name} | {len(dataset):,} | {plain(dataset)} | {statistics.median(acc):.3f}/"
        f"{statistics.median(nmi):.3f} ({min(acc):.3f} to {max(acc):.3f}) | {minutes:.1f} |"
    )


def run(path: str, spec: Path, seed: int, out: Path) -> tuple[dict[str, float], float]:
    """Return the scores of the head, and the minutes of the stages."""
    asked = ["-d", path, "-a", str(spec), "--seed", str(seed), "--out", str(out), "--quiet"]
    archbuild([*asked, "--pretrain", "--cluster"])
    result: dict[str, Any] = json.loads(archbuild([*asked, "--metrics", "--json"]))
    (row,) = [row for row in result["metrics"]["rows"] if row["method"] == "head"]
    return row, sum(stage["seconds"] for stage in result["stages"].values()) / 60


def plain(dataset: Any) -> str:
    """Return ACC and NMI of k-means on standardised rows, medians of three starts of 20."""
    rows = np.concatenate(list(dataset.chunks(exact=True)))
    rows = StandardScaler().fit_transform(rows.reshape(len(rows), -1))
    rows = np.nan_to_num(rows)  # behind the end of a shorter series: the mean
    acc, nmi = [], []
    for seed in range(3):
        clusters = KMeans(dataset.n_classes, n_init=20, random_state=seed).fit_predict(rows)
        acc.append(label_scores(dataset.labels, clusters)["acc"])
        nmi.append(normalized_mutual_info_score(dataset.labels, clusters))
    return f"{statistics.median(acc):.3f}/{statistics.median(nmi):.3f}"


def mixed_table(folder: Path) -> str:
    """Write a table of three groups: numbers, categories, dates, truth values, and gaps."""
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 3, 600)
    lines = ["id,age,income,city,member,joined,note,group"]
    for row, group in enumerate(groups):
        age = "" if rng.random() < 0.1 else f"{rng.normal(30 + 15 * group, 5):.0f}"
        income = "NA" if rng.random() < 0.1 else f"{rng.normal([30, 60, 45][group], 8) * 1000:.0f}"
        city = rng.choice(
            ["Oslo", "Rome", "Lima", ""],
            p=[[0.7, 0.1, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1], [0.1, 0.1, 0.7, 0.1]][group],
        )
        joined = np.datetime64("2020-01-01") + int(rng.normal(300 * group, 60))
        member = rng.random() < 0.3 + 0.2 * group
        lines.append(f"{row},{age},{income},{city},{member},{joined},text {row},{group}")
    path = folder / "mixed.csv"
    path.write_text("\n".join(lines) + "\n")
    return f"{path}:group"


if __name__ == "__main__":
    main()
