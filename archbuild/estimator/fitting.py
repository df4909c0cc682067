"""The experiment that a fit runs: its spec, its folder and its stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from math import prod
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from archbuild.data import Dataset
from archbuild.data.labels import UNKNOWN, encode_labels
from archbuild.data.request import ReadOptions
from archbuild.data.summary import scaling_of
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.heads import HEADS
from archbuild.models.stage import Stage
from archbuild.registry import default_vocabulary
from archbuild.spec import Spec, parse_text, spec_of
from archbuild.spec.sections import data_section
from archbuild.spec.template import Subject, spec_text
from archbuild.training.progress import log_event, print_event

Source = str | PathLike[str] | Mapping[str, Any]
"""A file, a shipped name, or the content of a file: the source of a spec."""

_CLUSTERS = 8  # as in sklearn.cluster.KMeans


def changes(
    *,
    head: str | None,
    n_clusters: int | str | None,
    epochs: Mapping[str, int | None],
    overrides: Sequence[str],
) -> dict[str, Any]:
    """Return the changes that the parameters of an estimator make to a spec, for ``spec_of``.

    Args:
        head: in place of the spec's.
        n_clusters: in place of the spec's.
        epochs: in place of the spec's, by stage.
        overrides: other values.

    Raises:
        ValueError: ``overrides`` is a text.
    """
    if isinstance(overrides, str):
        raise ValueError(f"overrides is the text {overrides!r}; expected a list of such texts")
    clusters = [] if n_clusters is None else [f"head.n_clusters={n_clusters}"]
    return {
        "overrides": [*overrides, *clusters],
        "head": head,
        "lengths": {stage: n for stage, n in epochs.items() if n is not None},
    }


def reading_of(
    arch: Source | None, changed: Mapping[str, Any]
) -> tuple[ReadOptions, tuple[int, ...] | None]:
    """Return how a spec says that rows are read, before there are any, and the shape of its Input.

    Args:
        arch: the spec's source; ``None``: only ``changed`` says something.
        changed: as ``changes``.

    Raises:
        SpecError: the spec has problems; all of them are named.
        ValueError: the spec says which axis of a file counts the rows.
    """
    told = [text for text in changed["overrides"] if text.startswith("data.")]
    spec = None if arch is None else spec_of(arch, default_vocabulary(), **changed)
    options = ReadOptions.of(data_section(told) if spec is None else spec.data)
    if options.rows == "last":
        raise ValueError("data.rows is for files; the first axis of X counts its rows, so turn X")
    return options, None if spec is None else spec.input_shape


def spec_for(dataset: Dataset, arch: Source | None, changed: Mapping[str, Any]) -> Spec:
    """Return the spec that the parameters of an estimator describe.

    Args:
        dataset: the rows.
        arch: the spec's source; ``None``: the one of ``archbuild new``.
        changed: as ``changes``.

    Raises:
        ValueError: there are more clusters than rows, or the head finds none.
        SpecError: the spec has problems; all of them are named.
    """
    _refuse_without_clusters(changed["head"])
    source = _tree_for(dataset, changed["head"]) if arch is None else arch
    spec = spec_of(source, default_vocabulary(), **changed)
    _refuse_without_clusters(spec.head.type)
    wanted = spec.head.config["n_clusters"]
    if isinstance(wanted, int) and wanted > len(dataset):
        raise ValueError(f"n_samples={len(dataset)} should be >= n_clusters={wanted}.")
    return spec


def with_labels(dataset: Dataset, spec: Spec, y: Any) -> Dataset:
    """Return the rows with labels where the spec has ``supervision``, else without.

    Args:
        dataset: the rows.
        spec: what is trained.
        y: a label for each row; -1, as in scikit-learn, NaN, ``None`` or a blank text for a row
            that has none.

    Raises:
        DataError: there are not as many labels as rows, or they name no classes.
        ValueError: the spec has ``supervision``, and ``y`` is ``None``.
    """
    if spec.supervision is None:
        return dataset
    if y is None:
        raise ValueError(
            "the spec has supervision, and y is None; give a label for each row, -1 where it is "
            "unknown, or leave supervision out"
        )
    labels = np.asarray(y)
    if labels.dtype.kind in "if":
        labels = np.where(labels == UNKNOWN, np.nan, labels)
    codes, names = encode_labels(labels, len(dataset), "y")
    return replace(dataset, labels=codes, class_names=names)


def _refuse_without_clusters(head: str | None) -> None:
    if head is not None and head in HEADS and HEADS[head].answers == "nothing":
        raise ValueError(
            f"the {head} head finds no clusters, and the estimator has nothing to give without; "
            "train it with archbuild.Experiment or the command line"
        )


def run_folder(
    out: str | PathLike[str] | None,
) -> AbstractContextManager[str | PathLike[str]]:
    """Return the folder of a run; one without a name is deleted when the block ends."""
    return TemporaryDirectory(prefix="archbuild-") if out is None else nullcontext(out)


def experiment_of(
    spec: Spec, dataset: Dataset, seed: int, out: str | PathLike[str], verbose: bool
) -> Experiment:
    """Return the experiment that trains a spec on rows in memory, below ``out``."""
    # other rows get a folder of their own
    dataset = replace(dataset, name=f"{dataset.name}-{dataset.digest()[:8]}")
    request = ExperimentRequest(dataset.name, spec.name, seed=seed, out=Path(out))
    emit = print_event if verbose else log_event
    return Experiment(request, emit, spec=spec, dataset=dataset)


def trained_stage(experiment: Experiment, from_scratch: bool) -> Stage:
    """Train, and return the finished stage that holds the head."""
    if from_scratch:
        experiment.train()
        return experiment.results().stage(experiment.scratch_stage)
    experiment.pretrain()
    experiment.cluster()
    return experiment.results().stage(experiment.head_stage)


def _tree_for(dataset: Dataset, head: str | None) -> Any:
    """Return the spec that ``archbuild new`` writes for such rows, changed as a prior needs it."""
    shape = dataset.shape
    scaling, _ = scaling_of(dataset)
    blocks = dataset.encoding.blocks if dataset.encoding else {}
    subject = Subject(
        "default", shape, len(dataset), scaling=scaling, n_clusters=_CLUSTERS, blocks=blocks
    )
    tree = parse_text(spec_text(subject), "arch", "yaml").tree
    if head is not None and head in HEADS and HEADS[head].generates:
        bottleneck = tree["layers"][-1]
        tree["layers"][-1] = {"type": "Gaussian", "num_units": bottleneck["num_units"]}
        tree["head"] = {"type": head, "n_clusters": _CLUSTERS}
        if any(field.name == "reconstruction_weight" for field in HEADS[head].fields):
            # the mean over a row's elements becomes the sum that stands in a bound
            tree["head"]["reconstruction_weight"] = prod(shape)
        else:
            tree["reconstruction"] = "gaussian"
    return tree
