"""Predictions by the workers of a Ray cluster, the same bit for bit as those of one process.

A worker gets the files of the run's folder, or their path, and builds the model of them; a model is
never pickled. It loads the model once. What a row is answered does not depend on the rows beside it
(``networks.rows``), so that it does not matter which worker answers which.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from archbuild.models.model import CHUNK, Prediction
from archbuild.models.new_rows import NewRows, fingerprint
from archbuild.models.ray_workers import Answerer, Batch, Job, ReadingAnswerer, RowReader
from archbuild.ray_cluster import (
    AUTO,
    connected,
    deaths,
    error_of,
    free_cpus,
    known_versions,
)
from archbuild.runs import RunFolder, StageFolder
from archbuild.runs.slim import copy_weights
from archbuild.training.progress import LOGGER

if TYPE_CHECKING:
    from archbuild.data import Dataset

_ATTEMPTS: Final = 4
"""How often in a row workers may die before a row more is answered."""
_MOST_TASKS: Final = 10_000
"""Ray has work to do for each task; with more of them, a task has several chunks."""


@dataclass(frozen=True)
class RayCluster:
    """The cluster, and what is wanted of it.

    Attributes:
        address: of its head; ``auto``: as Ray finds it.
        workers: models that are open at a time, one CPU each; ``None``: one for each free CPU.
        shared: whether run and rows have the same paths on every machine. Otherwise the run's
            files are sent to the workers, and so are the rows, by a process on this machine.
    """

    address: str = AUTO
    workers: int | None = None
    shared: bool = False


def predict_by_ray(
    stage: StageFolder,
    rows: NewRows,
    dataset: Dataset,
    cluster: RayCluster,
    start: int = 0,
    stop: int | None = None,
    chunk: int = CHUNK,
) -> Iterator[Prediction]:
    """Assign the rows from ``start`` to before ``stop``, in order, by workers of a cluster.

    Where a worker dies, the rows that were not answered yet are tried again by those that remain.

    Args:
        stage: a finished stage, whose model and data have been checked by ``Model.predict``.
        rows: the rows.
        dataset: the same, loaded.
        cluster: the cluster.
        start: the number of the first row.
        stop: the number after the last; ``None``: all rows.
        chunk: rows of each prediction, and the rows that a worker holds at a time.

    Raises:
        UsageError: there is no cluster, or it has other versions.
        RunError: the stage is not finished, or a worker does not find it.
        DataError: a worker does not find the rows, or finds others.
        ArchbuildError: a worker failed otherwise.
    """
    stop = len(dataset) if stop is None else stop
    run = stage.path.parent.resolve()
    known = (rows.absolute(), fingerprint(dataset), known_versions())
    told = Job(stage.name, str(run), None, *known, chunk)
    sent = None if cluster.shared else _packed(RunFolder(run), stage.name)
    with connected(cluster.address) as ray:
        job = told if sent is None else replace(told, files=[ray.put(sent)])
        blocks = _until_answered(ray, job, cluster, start, stop)
        yield from _in_chunks(_checked(blocks, dataset), start, chunk)


def _packed(run: RunFolder, stage: str) -> dict[str, bytes]:
    """Return the files that a model is made of, by their place in the run's folder."""
    with TemporaryDirectory() as folder:
        copy = copy_weights(run, stage, Path(folder) / "run")
        files = [path for path in copy.path.rglob("*") if path.is_file()]
        return {path.relative_to(copy.path).as_posix(): path.read_bytes() for path in files}


def _until_answered(
    ray: ModuleType, job: Job, cluster: RayCluster, start: int, stop: int
) -> Iterator[Batch]:
    """Yield answers in order; ask for the rest again where workers die."""
    attempts = 0
    while start < stop:
        try:
            for block in _blocks(ray, job, cluster, start, stop):
                yield block
                attempts, start = 0, start + len(block["number"])
        except deaths(ray) as error:
            attempts += 1
            if attempts == _ATTEMPTS:
                raise
            kind = type(error).__name__
            LOGGER.warning("a Ray worker died (%s): rows from %d on are asked again", kind, start)


def _blocks(
    ray: ModuleType, job: Job, cluster: RayCluster, start: int, stop: int
) -> Iterator[Batch]:
    """Yield the answers of Ray Data, a block at a time, in the order of the rows."""
    workers = cluster.workers or free_cpus(ray)
    step = job.chunk
    if cluster.shared:  # else all rows of a task would be in memory at once
        step *= ceil((stop - start) / job.chunk / _MOST_TASKS)
    spans = [
        {"start": first, "stop": min(first + step, stop)} for first in range(start, stop, step)
    ]
    with _quiet_and_in_order(ray.data):
        answered = _answered(ray, job, cluster.shared, spans, min(workers, len(spans)))
        yield from answered.iter_batches(batch_size=None, prefetch_batches=1)


def _answered(
    ray: ModuleType, job: Job, shared: bool, spans: list[dict[str, int]], workers: int
) -> Any:
    """Return the Ray dataset of the answers for spans of rows; nothing is computed yet."""
    data = ray.data
    asked = data.from_items(spans, override_num_blocks=len(spans))
    pool = _pool(data, workers, num_cpus=1)
    with warnings.catch_warnings():
        # max_restarts is to go with Ray 2.64, and has no other place yet
        warnings.simplefilter("ignore")
        if shared:
            return asked.map_batches(ReadingAnswerer, **pool, fn_constructor_args=[job])
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        node = ray.get_runtime_context().get_node_id()
        here = NodeAffinitySchedulingStrategy(node, soft=False)
        reader = _pool(data, 1, num_cpus=0, scheduling_strategy=here)
        rows = asked.map_batches(RowReader, **reader, fn_constructor_args=[job])
        whole = {**pool, "batch_size": None}
        return rows.map_batches(Answerer, **whole, fn_constructor_args=[job])


def _pool(data: ModuleType, size: int, num_cpus: int, **placed: Any) -> dict[str, Any]:
    """Return the options of a fixed number of actors.

    They are not restarted: where a machine is lost, its actors would wait for another one, and the
    rows behind theirs with them.
    """
    compute = data.ActorPoolStrategy(size=size)
    lasting = {"max_restarts": 0, "max_task_retries": 0}
    return {"compute": compute, "num_cpus": num_cpus, "batch_size": 1, **lasting, **placed}


@contextmanager
def _quiet_and_in_order(data: ModuleType) -> Iterator[None]:
    """Have Ray Data keep the order of blocks and print nothing, while the block lasts."""
    context, log = data.DataContext.get_current(), logging.getLogger("ray.data")
    before = (context.execution_options.preserve_order, context.enable_progress_bars, log.level)
    context.execution_options.preserve_order, context.enable_progress_bars = True, False
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        context.execution_options.preserve_order, context.enable_progress_bars, level = before
        log.setLevel(level)


def _checked(blocks: Iterator[Batch], dataset: Dataset) -> Iterator[Batch]:
    """Pass answers on; raise the error, and log the first warning, that came in their place."""
    warned = False
    for block in blocks:
        if "kind" in block:
            raise error_of({name: str(block[name][0]) for name in ("kind", "message")})
        if "warning" in block and not warned:
            LOGGER.warning("%s: %s", dataset.source, block["warning"][0])
            warned = True
        yield block


def _in_chunks(blocks: Iterator[Batch], start: int, chunk: int) -> Iterator[Prediction]:
    """Yield predictions of ``chunk`` rows, whatever the sizes of the blocks are."""
    held: Prediction | None = None
    for block in blocks:
        found = Prediction(start, block["probabilities"], block["latents"])
        held = found if held is None else _joined(held, found)
        while len(held.latents) >= chunk:
            yield held._replace(
                probabilities=held.probabilities[:chunk], latents=held.latents[:chunk]
            )
            start += chunk
            held = Prediction(start, held.probabilities[chunk:], held.latents[chunk:])
    if held is not None and len(held.latents):
        yield held


def _joined(first: Prediction, second: Prediction) -> Prediction:
    return Prediction(
        first.start,
        np.concatenate([first.probabilities, second.probabilities]),
        np.concatenate([first.latents, second.latents]),
    )
