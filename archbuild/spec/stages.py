"""The settings of a training stage: the keys of ``pretrain``, ``cluster`` and ``train``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from archbuild.spec import fields
from archbuild.spec.field import Field

STAGE_FIELDS: Final[tuple[Field, ...]] = (
    fields.integer("epochs", "Passes over the data.", minimum=0, maximum=1_000_000, default=50),
    fields.integer(
        "batch_size",
        "Rows in one step; null: the spec's batch_size.",
        maximum=1_000_000,
        default=None,
    ),
    fields.implicit(
        fields.integer(
            "steps_per_epoch",
            "Most steps of an epoch, where one pass over the data is long: the next epoch goes on "
            "in the same shuffled order, so that all rows have their turn; null: all rows.",
            maximum=1_000_000_000,
            default=None,
        )
    ),
    fields.implicit(
        fields.boolean(
            "augment", "Whether rows are changed as the spec's `augment` says.", default=True
        )
    ),
    fields.choice("optimizer", ["adam", "sgd", "rmsprop"], "The optimiser.", default="adam"),
    fields.number("learning_rate", "The (highest) learning rate.", above=0.0, default=1e-3),
    fields.number("momentum", "Momentum of sgd.", maximum=0.9999, default=0.9),
    fields.boolean("nesterov", "Nesterov's form of the momentum of sgd.", default=True),
    fields.choice(
        "schedule",
        ["constant", "exponential", "cosine", "one_cycle", "step"],
        "Course of the learning rate: constant; times `decay` each epoch; down to 0 along half a "
        "cosine; up and down again in one cycle; or times `decay` every `decay_epochs` epochs.",
        default="constant",
    ),
    fields.number(
        "decay",
        "Factor per epoch, or per `decay_steps`, under exponential; per `decay_epochs` under step.",
        above=0.0,
        maximum=1.0,
        default=0.9999,
    ),
    fields.integer(
        "decay_steps", "Steps between two decays under exponential; null: one epoch.", default=None
    ),
    fields.number("lowest_rate", "Lowest learning rate under exponential.", default=0.0),
    fields.implicit(
        fields.integer("decay_epochs", "Epochs from one decay to the next under step.", default=10)
    ),
    fields.implicit(
        fields.integer(
            "decay_start", "Epochs at the full rate before those, under step.", minimum=0, default=0
        )
    ),
    fields.number("warm_up", "Epochs of linear increase from 0 at the start.", default=0.0),
    fields.number(
        "clip_norm",
        "Highest global norm of the gradient; 0: not clipped.",
        default=1.0,
    ),
    fields.implicit(
        fields.number(
            "validation",
            "Share of the labelled rows that are not trained on: the error on them is measured "
            "after each epoch, and the weights of the epoch with the lowest one are kept. For "
            "heads whose answers are classes; 0: none.",
            maximum=0.9,
            default=0.0,
        )
    ),
    fields.implicit(
        fields.integer(
            "patience",
            "Epochs without a lower error on the validation rows that end the stage; 0: it goes on "
            "to its last epoch.",
            minimum=0,
            maximum=1_000_000,
            default=0,
        )
    ),
    fields.implicit(
        fields.number(
            "clip_value",
            "Highest absolute value of each number of the gradient, before its norm is clipped; 0: "
            "not clipped.",
            default=0.0,
        )
    ),
    fields.number(
        "weight_decay",
        "Weight of the sum of squares of all trained weights in the loss.",
        default=0.0,
    ),
)

PRETRAIN_DEFAULTS: Final[Mapping[str, Any]] = {"epochs": 50, "schedule": "one_cycle"}
CLUSTER_DEFAULTS: Final[Mapping[str, Any]] = {"epochs": 20, "learning_rate": 5e-4}
TRAIN_DEFAULTS: Final[Mapping[str, Any]] = {"epochs": 100}

STAGE_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "pretrain": PRETRAIN_DEFAULTS,
    "cluster": CLUSTER_DEFAULTS,
    "train": TRAIN_DEFAULTS,
}
"""Section -> what differs from the fields' own defaults, in the order in which stages run."""


def epochs_in_all(spec: Mapping[str, Any], section: str) -> int:
    """Return how many epochs a stage of a resolved spec has, over all of the head's rounds.

    Args:
        spec: its tree, or a stage's part of it; pretraining has no head.
        section: ``pretrain``, ``cluster`` or ``train``.
    """
    head = {} if section == "pretrain" else spec.get("head", {})
    return int(spec[section]["epochs"] * head.get("rounds", 1))
