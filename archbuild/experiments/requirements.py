"""What must hold before an experiment's stages may train."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from archbuild.data import Dataset
from archbuild.errors import UsageError
from archbuild.experiments.outcome import epochs_in_words
from archbuild.heads.base import AUTO
from archbuild.spec import Spec, Vocabulary, spec_from_tree

if TYPE_CHECKING:
    from archbuild.data.origin import Origin


def with_n_clusters(spec: Spec, dataset: Dataset, vocabulary: Vocabulary) -> Spec:
    """Fill in the number of clusters from the classes that the dataset declares.

    Raises:
        UsageError: it is unknown, or larger than the number of rows.
    """
    if "n_clusters" not in spec.head.config:  # the head has none
        return spec
    wanted = spec.head.config["n_clusters"] or dataset.n_classes
    if wanted == AUTO:
        return spec
    if wanted is None:
        raise UsageError(
            f"how many clusters? {dataset.name} declares no classes and the spec does not say; "
            "give a number with --set head.n_clusters=10, or ask the pretrained latents with "
            "--set head.n_clusters=auto"
        )
    if wanted > len(dataset):
        raise UsageError(
            f"{wanted} clusters were asked for, but {dataset.name} has {len(dataset)} rows; "
            "lower head.n_clusters"
        )
    return with_clusters(spec, wanted, vocabulary)


def with_clusters(spec: Spec, number: int, vocabulary: Vocabulary) -> Spec:
    """Return the spec with that number of clusters, checked again: a head may refuse it."""
    tree = {**spec.tree, "head": {**spec.tree["head"], "n_clusters": number}}
    return spec_from_tree(tree, vocabulary)


def depended_on(
    tree: Mapping[str, Any], keys: Iterable[str], vocabulary: Vocabulary
) -> dict[str, Any]:
    """Return those keys of a resolved spec, without a head's fields that training ignores."""
    found = {key: tree.get(key) for key in keys}
    if "head" in found:
        passing = vocabulary.heads[tree["head"]["type"]].passing_fields
        found["head"] = {name: v for name, v in tree["head"].items() if name not in passing}
    return found


def refuse_scratch(spec: Spec, vocabulary: Vocabulary) -> None:
    """Make sure that the spec's head can train a network from scratch.

    Raises:
        UsageError: it refines pretrained networks only, or the number of clusters is to be found
            in pretrained latents.
    """
    kind: Any = vocabulary.heads[spec.head.type]
    problem = kind.scratch_problem(spec.head.config)
    if problem:
        raise UsageError(problem)
    if spec.head.config.get("n_clusters") == AUTO:
        raise UsageError(
            "head.n_clusters: auto looks at pretrained latents, and training from scratch has "
            "none; see what archbuild suggest-k says of a pretrained run, and give that number"
        )


def refuse_endless_warmup(spec: Spec, warmup: int) -> None:
    """Make sure that training from scratch goes on after ``warmup`` epochs of the network alone.

    Raises:
        UsageError: it ends before the head begins.
    """
    if warmup and warmup >= spec.settings("train")["epochs"]:
        raise UsageError(
            f"the {spec.head.type} head's clusters begin after {epochs_in_words(warmup)} of "
            f"head.gamma_training, and train.epochs is {spec.settings('train')['epochs']}: they "
            f"would never be trained; ask for more epochs (--train {2 * warmup}), or lower "
            "head.gamma_training.length"
        )


def refuse_out_of_range(spec: Spec, dataset: Dataset, origin: Origin) -> None:
    """Make sure that a Bernoulli likelihood is given values from 0 to 1: else it has no bound.

    Raises:
        UsageError: there are others.
    """
    if spec.reconstruction != "bernoulli":
        return
    if origin.low < 0 or origin.high > 1:
        raise UsageError(
            f"reconstruction: bernoulli needs values from 0 to 1, but {dataset.name} "
            f"under scaling: {spec.scaling} has some from {origin.low:g} to {origin.high:g}; use "
            "scaling: minmax, or another reconstruction"
        )
