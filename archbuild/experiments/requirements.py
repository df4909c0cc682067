"""The conditions under which an experiment's stages may train."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.data import Dataset
from archbuild.data.labels import labelled_rows
from archbuild.data.supervision import needed_labels
from archbuild.environment import FLOAT32, has_accelerator
from archbuild.errors import DataError, RunError, UsageError
from archbuild.heads.base import AUTO
from archbuild.runs import StageFolder
from archbuild.runs.names import PRETRAIN, section_of
from archbuild.spec import NETWORK_KEYS, Spec, Vocabulary, spec_from_tree
from archbuild.spec.top import OF_COUNTS, SAMPLE
from archbuild.training.progress import counted

if TYPE_CHECKING:
    from archbuild.data.origin import Origin
    from archbuild.spec import Plan

_NETWORK_PATHS = {(key,) for key in NETWORK_KEYS}
_LEAST, _MOST = 1e-15, 1e15  # of the largest value; float32 goes from 1e-38 to 3e38


def with_n_clusters(spec: Spec, dataset: Dataset, vocabulary: Vocabulary) -> Spec:
    """Fill in the number of clusters from the classes that the dataset declares.

    Raises:
        DataError: labels would say the number, and the spec's supervision needs some; there are
            none.
        UsageError: the number is unknown, larger than the number of rows, or smaller than that of
            the classes which the head learns from labels.
    """
    if "n_clusters" not in spec.head.config:  # the head has none
        return spec
    wanted = spec.head.config["n_clusters"] or dataset.n_classes
    if wanted == AUTO:
        return spec
    if wanted is None and spec.supervision is not None:
        needed_labels(dataset)
    if wanted is None:
        raise UsageError(
            f"the number of clusters is unknown: {dataset.name} declares no classes and the spec "
            "no head.n_clusters; give a number with --set head.n_clusters=10, or estimate it from "
            "the pretrained latents with --set head.n_clusters=auto"
        )
    if wanted > len(dataset):
        raise UsageError(
            f"head.n_clusters is {wanted}, but {dataset.name} has only {len(dataset)} rows; lower "
            "head.n_clusters"
        )
    answers = vocabulary.heads[spec.head.type].answers_under(spec.supervision is not None)
    if answers == "classes" and wanted < (dataset.n_classes or 0):
        raise UsageError(
            f"head.n_clusters is {wanted}, but the labels of {dataset.name} name "
            f"{dataset.n_classes} classes; raise head.n_clusters, or leave it out"
        )
    return with_clusters(spec, wanted, vocabulary)


def with_clusters(spec: Spec, number: int, vocabulary: Vocabulary) -> Spec:
    """Return the spec with another number of clusters, checked again: a head may refuse it."""
    tree = {**spec.tree, "head": {**spec.tree["head"], "n_clusters": number}}
    return spec_from_tree(tree, vocabulary)


def depended_on(
    tree: Mapping[str, Any], keys: Iterable[str], vocabulary: Vocabulary
) -> dict[str, Any]:
    """Return some keys of a resolved spec, without the fields of a head that training ignores."""
    found = {key: tree.get(key) for key in keys}
    if "head" in found:
        passing = vocabulary.heads[tree["head"]["type"]].passing_fields
        found["head"] = {name: v for name, v in tree["head"].items() if name not in passing}
    return found


def stage_request(
    spec: Spec,
    section: str,
    seed: int,
    dataset: Dataset,
    labels: np.ndarray | None,
    vocabulary: Vocabulary,
    precision: str = FLOAT32,
) -> dict[str, Any]:
    """Return what a stage depends on, for its manifest; the digest of an earlier stage is not in.

    Args:
        spec: with the number of clusters filled in.
        section: ``pretrain``, ``cluster`` or ``train``.
        seed: of the run.
        dataset: its values are digested.
        labels: those that a head may read; ``None`` without supervision. Pretraining reads none.
        vocabulary: knows the fields of a head that training ignores.
        precision: in which layers compute; float32, as in early versions, is not named.
    """
    keys = [*spec.network_keys, "batch_size", "augment", section]
    keys += ["head"] if section != PRETRAIN else []
    read = None if section == PRETRAIN else labels
    keys += ["supervision"] if read is not None else []
    found = depended_on(spec.tree, keys, vocabulary)
    request = {"spec": found, "seed": seed, "data": dataset.digest()}
    if precision != FLOAT32:
        request["precision"] = precision
    if read is not None:
        digest = hashlib.sha256(read.tobytes()).hexdigest()
        request |= {"labels": digest, "labels_used": len(labelled_rows(read))}
    return request


def precision_note(precision: str) -> str | None:
    """Return what speaks against a precision on this machine; ``None`` if nothing does.

    Keras, or its backend, is started.
    """
    if precision == FLOAT32 or has_accelerator():
        return None
    return (
        f"--precision {precision} is for accelerators, and the backend sees none: processor cores "
        "without instructions for it are slower than in float32, and rounding is coarser all the "
        "same"
    )


def refuse_foreign(folder: StageFolder, request: Mapping[str, Any]) -> None:
    """Make sure that a stage is of this network and of these data.

    Args:
        folder: of the stage.
        request: ``stage_request`` of pretraining.

    Raises:
        RunError: it is of others; the message names each difference.
    """
    changes = [
        change
        for change in folder.compare(request)
        if change.path[0] in ("seed", "data") or change.path[1:2] in _NETWORK_PATHS
    ]
    if changes:
        lines = "\n".join(f"    {change}" for change in changes)
        raise RunError(
            f"{folder.path} was made for another network or other data (there -> now):\n"
            f"{lines}\n  keep the earlier settings, train again with --fresh "
            f"--{section_of(folder.name)}, or choose another --out"
        )


def refuse_other_blocks(spec: Spec, dataset: Dataset) -> None:
    """Make sure that an ``Embedding`` embeds the columns that the table says, where they are.

    Rows without an encoding, as those of arrays, do not say where their categories are.

    Raises:
        DataError: it has other blocks.
    """
    layers = [layer for layer in spec.layers if layer.type == "Embedding"]
    if not layers or dataset.encoding is None:
        return
    told = {name: tuple(place) for name, place in layers[0].config["blocks"].items()}
    there = dataset.encoding.blocks
    plain = sorted(set(told) - set(there))
    if plain:
        raise DataError(
            f"the spec embeds {', '.join(map(repr, plain))}, and {dataset.source} has no such "
            "column of the kind embedding: write data: {columns: {NAME: embedding}}, or take it "
            "out of the blocks of Embedding"
        )
    if told != there:
        blocks = ", ".join(f"{json.dumps(name)}: {list(place)}" for name, place in there.items())
        raise DataError(
            f"the blocks of the spec's Embedding are not where {dataset.source} has its "
            f"categories; write blocks: {{{blocks}}} in that layer"
        )


def refuse_pretraining(plan: Plan) -> None:
    """Make sure that the network is an autoencoder without its head.

    Raises:
        UsageError: its decoder reads more than the latent, or there is none.
    """
    if not plan.spec.decodes:
        raise UsageError(
            "pretraining learns to reconstruct, and the spec has no decoder (decoder: none); train "
            f"its {plan.spec.head.type} head with --train {plan.spec.train['epochs']}"
        )
    if plan.conditions:
        names = " and ".join(f"'{condition.name}'" for condition in plan.conditions)
        raise UsageError(
            f"the decoder of the {plan.spec.head.type} head reads {names} beside the latent, so "
            "there is no autoencoder to pretrain; train network and head as one with --train "
            "(train_epochs of the estimator)"
        )


def refuse_other_sequences(spec: Spec, dataset: Dataset, vocabulary: Vocabulary) -> None:
    """Make sure that rows have as many labels as the head reads of each.

    Raises:
        UsageError: they have not.
    """
    head, found = spec.head, dataset.labels_per_row
    wanted = vocabulary.heads[head.type].labels_per_row(head.config)
    if found not in (0, wanted):
        able = "n_labels" in head.config
        advice = f"write head.n_labels: {found}" if able else "choose the classifier head"
        raise UsageError(
            f"the {head.type} head reads {counted(wanted, 'label')} of each row, and "
            f"{dataset.name} has {found}; {advice}"
        )


def refuse_scratch(spec: Spec, vocabulary: Vocabulary) -> None:
    """Make sure that the spec's head can train a network from scratch.

    Raises:
        UsageError: the head refines pretrained networks only, or the number of clusters is to be
            estimated from pretrained latents.
    """
    kind: Any = vocabulary.heads[spec.head.type]
    problem = kind.scratch_problem(spec.head.config)
    if problem:
        raise UsageError(problem)
    if spec.head.config.get("n_clusters") == AUTO:
        raise UsageError(
            "head.n_clusters: auto is estimated from pretrained latents, and training from scratch "
            "has none; give a number, such as the one that 'archbuild suggest-k' prints for a "
            "pretrained run"
        )


def refuse_endless_warmup(spec: Spec, warmup: int) -> None:
    """Make sure that training from scratch lasts longer than its ``warmup`` epochs without a head.

    Raises:
        UsageError: training ends before the head begins.
    """
    if warmup and warmup >= spec.settings("train")["epochs"]:
        raise UsageError(
            f"the {spec.head.type} head's clusters begin after {counted(warmup, 'epoch')} of "
            f"head.gamma_training, and train.epochs is {spec.settings('train')['epochs']}: they "
            f"would never be trained; ask for more epochs (--train {2 * warmup}), or lower "
            "head.gamma_training.length"
        )


def refuse_out_of_range(spec: Spec, dataset: Dataset, origin: Origin) -> None:
    """Make sure that a likelihood is given values that it is of, and that probabilities are some.

    Squares of the values have to fit into float32, in which networks are trained.

    A Bernoulli likelihood of values beyond 0 to 1 has no bound, and a negative binomial one is of
    counts.

    Raises:
        UsageError: there are other values.
    """
    largest = max(abs(origin.low), abs(origin.high))
    if not _LEAST < largest < _MOST:
        raise UsageError(
            f"{dataset.name} with scaling: {spec.scaling} has values from {origin.low:g} to "
            f"{origin.high:g}, whose squares float32 does not hold, and networks are trained in "
            "float32; use scaling: standardise, scaling: minmax or data.divide_by"
        )
    if spec.reconstruction in OF_COUNTS:
        _refuse_no_counts(spec, dataset, origin)
    for key, value, other in (
        ("binarise", spec.binarise, "leave binarise out"),
        ("reconstruction", spec.reconstruction, "another reconstruction"),
    ):
        if value in (SAMPLE, "bernoulli") and (origin.low < 0 or origin.high > 1):
            raise UsageError(
                f"{key}: {value} needs values from 0 to 1, but {dataset.name} with scaling: "
                f"{spec.scaling} has values from {origin.low:g} to {origin.high:g}; use "
                f"scaling: minmax, or {other}"
            )


def _refuse_no_counts(spec: Spec, dataset: Dataset, origin: Origin) -> None:
    sample = dataset.rows(slice(0, 1000))
    whole = (sample == np.rint(sample)) | np.isnan(sample)
    if origin.low >= 0 and whole.all():
        return
    found = f"from {origin.low:g}" if origin.low < 0 else "with fractions"
    raise UsageError(
        f"reconstruction: {spec.reconstruction} needs counts, whole numbers from 0, but "
        f"{dataset.name} has values {found}; read its counts (data.array), or use another "
        "reconstruction"
    )
