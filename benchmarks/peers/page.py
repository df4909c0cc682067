"""The page of the peers, and its line in the index."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from archbuild.io.atomic import write_json
from archbuild.io.reading import read_json
from archbuild.runs import slug
from benchmarks.peers.declared import DATASETS, Row, rows
from benchmarks.reproduce.cells import NOT_RUN, markdown, mean_and_std

Seeds = Sequence[Mapping[str, Any]]

TITLE: Final = "Other clusterers side by side"
PEERS: Final = "peers.md"
SEEDS: Final = 3
_BEGINNING: Final = (
    "Made by `python benchmarks/peers`; what was not run says so. ClustPy's DEC, IDEC, DCN, VaDE "
    "and N2D, k-means, and a Gaussian mixture in a map by UMAP, beside ours on the same rows. *As "
    "ours* has the widths, the size of batches and the epochs of our dense spec (VaDE of our VaDE, "
    "where there is one), and the rest at ClustPy's defaults; *defaults* is what it does by "
    "itself; but N2D's own t-SNE stops at more than three clusters, so its map is UMAP's. Peers "
    "see rows and the number of clusters, and no label. Seconds and the peak of memory are of the "
    "whole process, imports included; CPU seconds are of all cores."
)
_HEADINGS: Final = (
    "method", "settings", "ACC ↑", "NMI ↑", "ARI ↑", "median", "best seed", "worst seed", "seeds",
    "seconds", "CPU seconds", "peak GiB",
)  # fmt: skip


def record_file(folder: Path, row: Row) -> Path:
    """Return the file with the seeds of a row, below the folder of results."""
    return folder / "peers" / f"{slug(row.label.replace(',', '-').replace(' ', '-'))}.json"


def read_seeds(folder: Path, row: Row) -> list[dict[str, Any]]:
    """Return what is recorded of a row with these options, seed by seed.

    Raises:
        RunError: the record is damaged.
    """
    path = record_file(folder, row)
    found = read_json(path) if path.exists() else {}
    return found["seeds"] if found.get("options") == dict(row.options) else []


def add_seed(folder: Path, row: Row, result: Mapping[str, Any]) -> None:
    """Record a seed, in place of what was recorded of it before."""
    path = record_file(folder, row)
    path.parent.mkdir(parents=True, exist_ok=True)
    seeds = [each for each in read_seeds(folder, row) if each["seed"] != result["seed"]]
    seeds = sorted([*seeds, dict(result)], key=lambda each: each["seed"])
    write_json(path, {"row": row.label, "options": dict(row.options), "seeds": seeds})


def peers_line(folder: Path) -> list[str]:
    """Return the line of the index: the page, its title, and how many rows were run."""
    found = [bool(_done(read_seeds(folder, row))) for row in rows()]
    return [f"[peers]({PEERS})", TITLE, f"{sum(found)} of {len(found)} rows"]


def page(folder: Path) -> str:
    """Return the whole page, of what is recorded below the folder of results."""
    known = [(row, read_seeds(folder, row)) for row in rows()]
    parts = [f"# {TITLE}", _BEGINNING]
    for dataset in DATASETS:
        lines = [_line(row, seeds) for row, seeds in known if row.dataset == dataset]
        parts.append(f"## {dataset}\n\n{markdown(_HEADINGS, lines)}")
    parts.append("Median, best and worst seed are by ACC.")
    parts += [f"## {title}\n\n{table}" for title, table in _details(known)]
    return "\n\n".join(parts) + "\n"


def _line(row: Row, seeds: Seeds) -> list[str]:
    done, failed = _done(seeds), [each for each in seeds if "failed" in each]
    counted = f"{len(done)} of {SEEDS}" if len(done) < SEEDS else str(len(done))
    counted += f", {len(failed)} failed" if failed else ""
    if not done:
        return [row.method, row.settings, NOT_RUN, *[""] * 5, counted]
    accuracies = [each["acc"] for each in done]
    middle = (statistics.median(accuracies), max(accuracies), min(accuracies))
    return [
        row.method,
        row.settings,
        *(_spread(done, key, ".3f") for key in ("acc", "nmi", "ari")),
        *(f"{value:.3f}" if len(done) > 1 else "" for value in middle),
        counted,
        *(f"{_mean(done, key):,.0f}" for key in ("seconds", "cpu_seconds")),
        f"{_mean(done, 'peak_mib') / 1024:.2f}",
    ]


def _details(known: Sequence[tuple[Row, Seeds]]) -> Iterator[tuple[str, str]]:
    """Yield the tables below: each seed that has scores, and each that failed."""
    done = [(row, each) for row, seeds in known for each in _done(seeds)]
    failed = [(row, each) for row, seeds in known for each in seeds if "failed" in each]
    if done:
        headings = ["row", "seed", "ACC", "NMI", "ARI", "seconds", "CPU seconds", "peak GiB"]
        yield (
            "Seed by seed",
            markdown([*headings, "options", "with", "machine", "date"], map(_seed, done)),
        )
    if failed:
        lines = [[row.label, str(each["seed"]), each["failed"]] for row, each in failed]
        yield "Failed", markdown(["row", "seed", "what it said"], lines)


def _seed(of: tuple[Row, Mapping[str, Any]]) -> list[str]:
    row, each = of
    options = ", ".join(f"{key}: {value}" for key, value in row.options.items())
    versions = ", ".join(f"{name} {number}" for name, number in each["versions"].items())
    scores = [f"{each[key]:.3f}" for key in ("acc", "nmi", "ari")]
    effort = [f"{each[key]:,.0f}" for key in ("seconds", "cpu_seconds")]
    memory = f"{each['peak_mib'] / 1024:.2f}"
    where = [each["machine"], each["date"]]
    return [row.label, str(each["seed"]), *scores, *effort, memory, options, versions, *where]


def _done(seeds: Seeds) -> list[Mapping[str, Any]]:
    return [each for each in seeds if "failed" not in each]


def _mean(seeds: Seeds, key: str) -> float:
    return statistics.fmean(each[key] for each in seeds)


def _spread(seeds: Seeds, key: str, form: str) -> str:
    values = [each[key] for each in seeds]
    return mean_and_std(
        _mean(seeds, key), statistics.stdev(values) if len(values) > 1 else None, form
    )
