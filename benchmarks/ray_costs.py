"""What predictions for a billion rows of 784 bytes cost on a Ray cluster, from measured rates.

    python benchmarks/ray_costs.py

Rates are rows for each second of processor time, so that other work on the machine does not count.
A worker is one thread that reads rows and answers with the published model of MNIST, which is
convolutional. The command that receives the answers, in order, and writes one file is one process
too: its share is measured with workers that answer zeros, in a cluster of this machine. From both
follows when more workers do not help. What the network between machines takes is not measured.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("RAY_worker_niceness", "0")

import numpy as np

from archbuild.models import ray_predictions
from archbuild.models.model import Model, Prediction
from archbuild.models.new_rows import NewRows
from archbuild.models.predictions import Layout, save
from archbuild.models.published import find_published
from archbuild.models.ray_predictions import RayCluster, predict_by_ray
from archbuild.models.ray_workers import Answerer, Batch, ReadingAnswerer
from benchmarks.processes import machine, software

ROWS = 10**9
BYTES = 784
WORKERS = (1, 10, 100)
CHUNK = 65_536
"""Of a billion rows a task has 100,000, and its answers arrive together."""
CHUNK_SENT = 16_384
"""Rows that are sent at a time: 51 MB."""
SCALED = 4  # bytes of a value that is sent


def zeros(count: int) -> Batch:
    empty = np.zeros((count, 10), np.float32)
    return {"number": np.arange(count), "probabilities": empty, "latents": empty}


class Idle(ReadingAnswerer):
    """Answers zeros at once."""

    def _work(self, batch: Batch) -> Batch:
        return zeros(int(batch["stop"][0]) - int(batch["start"][0]))


class IdleForSent(Answerer):
    """Likewise, for rows that were sent."""

    def _work(self, batch: Batch) -> Batch:
        return zeros(len(batch["number"]))


def per_second(rows: int, work: Callable[[], Any]) -> float:
    """Rows for each second of processor time of this process."""
    begun = time.process_time()
    work()
    return rows / (time.process_time() - begun)


def sparse(path: Path, rows: int) -> NewRows:
    """A file of that many images, which takes no place on disk."""
    np.lib.format.open_memmap(path, "w+", np.uint8, (rows, 28, 28))
    return NewRows(str(path))


def consume(parts: Iterator[Any]) -> None:
    for _ in parts:
        pass


def of_a_worker(model: Model, folder: Path, rows: int) -> dict[str, float]:
    """Rates of reading and answering, and of reading alone."""
    dataset = sparse(folder / "answered.npy", rows).load(model)
    feed = model.feed(dataset)
    consume(model.predict(dataset, 0, CHUNK))  # the graph is traced
    spans = [slice(first, first + CHUNK_SENT) for first in range(0, rows, CHUNK_SENT)]
    return {
        "answer": per_second(rows, lambda: consume(model.predict(dataset))),
        "read": per_second(rows, lambda: consume(feed.clean(span) for span in spans)),
    }


def of_the_command(model: Model, stage: Any, folder: Path, rows: int) -> dict[str, float]:
    """Rates of receiving answers by Ray Data, with rows read by workers and with rows sent."""
    ray_predictions.ReadingAnswerer, ray_predictions.Answerer = Idle, IdleForSent  # type: ignore

    def receive(count: int, shared: bool) -> float:
        named = sparse(folder / f"{count}.npy", count)
        dataset = named.load(model)
        chunk, cluster = CHUNK if shared else CHUNK_SENT, RayCluster("local", 1, shared)
        answers = predict_by_ray(stage.folder, named, dataset, cluster, chunk=chunk)
        next(answers)  # Ray is imported, and the cluster there
        return per_second(count, lambda: consume(answers))

    return {"receive": receive(rows, True), "receive, rows sent": receive(rows // 10, False)}


def of_writing(folder: Path, rows: int) -> dict[str, float]:
    """Rates of writing answers with ten clusters, by format."""
    chance = np.random.default_rng(0)
    probabilities = chance.dirichlet(np.ones(10), rows).astype(np.float32)
    starts = range(0, rows, CHUNK)
    parts = [
        (list(range(first, min(first + CHUNK, rows))), probabilities[first : first + CHUNK])
        for first in starts
    ]
    layout = Layout(rows, 10, 0, text_ids=False)

    def write(kind: str) -> None:
        answered = ((ids, Prediction(ids[0], found, found)) for ids, found in parts)
        save(answered, layout, kind, folder / f"answers.{kind}")

    return {kind: per_second(rows, lambda kind=kind: write(kind)) for kind in ("csv", "parquet")}


def together(*rates: float) -> float:
    """The rate of one process that does all of it, one thing after the other."""
    return 1 / sum(1 / rate for rate in rates)


def hours(workers: int, each: float, limit: float) -> str:
    return f"{ROWS / min(workers * each, limit) / 3600:,.2g}"


def table(rates: dict[str, float]) -> str:
    """The page's tables."""
    each = rates["answer"]
    parquet = together(rates["receive"], rates["parquet"])
    csv = together(rates["receive"], rates["csv"])
    sent = min(rates["read"], together(rates["receive, rows sent"], rates["parquet"]))
    heads = ["workers", "rows a second", "hours", "CPU hours", "hours, CSV", "hours, rows sent"]
    heads.append("read from the disk")
    lines = [heads, ["---"] * len(heads)]
    for workers in WORKERS:
        speed = min(workers * each, parquet)
        lines.append(
            [
                str(workers),
                f"{speed:,.0f}",
                hours(workers, each, parquet),
                f"{workers * ROWS / speed / 3600:,.0f}",
                hours(workers, each, csv),
                hours(workers, each, sent),
                f"{speed * BYTES / 1e6:,.0f} MB/s",
            ]
        )
    measured = [f"{name}: {rate:,.0f}" for name, rate in rates.items()]
    ends = {"Parquet": parquet, "CSV": csv, "rows sent": sent}
    return "\n".join(
        [
            *("| " + " | ".join(line) + " |" for line in lines),
            "",
            f"Rows for each second of one processor: {'; '.join(measured)}.",
            "More workers do not help beyond "
            + ", ".join(f"{rate / each:,.0f} ({name})" for name, rate in ends.items())
            + f"; sent rows are {BYTES * SCALED * sent / 1e6:,.0f} MB/s at most.",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=131_072, help="answered, and written")
    parser.add_argument("--received", type=int, default=20_000_000, help="answers that arrive")
    options = parser.parse_args()
    stage = find_published("mnist").stage
    model = stage.open()
    with TemporaryDirectory() as name:
        folder = Path(name)
        rates = of_a_worker(model, folder, options.rows)
        rates |= of_writing(folder, options.rows)
        rates |= of_the_command(model, stage, folder, options.received)
    print(f"{machine()}; {software()}\n\n{table(rates)}")


if __name__ == "__main__":
    main()
