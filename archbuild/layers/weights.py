"""The fields that layers with a kernel share: bias, initialiser, regulariser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from archbuild.spec.field import Field
from archbuild.spec.fields import boolean, choice, implicit, number, section

if TYPE_CHECKING:
    from archbuild.layers.context import BuildContext
    from archbuild.spec.plan import PlannedLayer

INITIALISERS: Final = {
    # spec name -> Keras class
    "glorot_uniform": "GlorotUniform",
    "glorot_normal": "GlorotNormal",
    "he_uniform": "HeUniform",
    "he_normal": "HeNormal",
    "lecun_uniform": "LecunUniform",
    "lecun_normal": "LecunNormal",
    "orthogonal": "Orthogonal",
}

WEIGHT_FIELDS: Final[tuple[Field, ...]] = tuple(
    implicit(field)
    for field in (
        boolean(
            "use_bias",
            "Addition of a bias; the output layer of a mirrored decoder always has one.",
            default=True,
        ),
        choice(
            "initialiser",
            tuple(INITIALISERS),
            "Distribution of the kernel's first values.",
            default="glorot_uniform",
        ),
        section(
            "regulariser",
            (
                number("l1", "Weight of the sum of the kernel's absolute values.", default=0.0),
                number("l2", "Weight of the sum of the kernel's squares.", default=0.0),
            ),
            "Penalty of the kernel in the loss; null: none.",
            default=None,
        ),
    )
)

BATCH_NORM: Final = implicit(
    boolean(
        "batch_norm",
        "Batch normalisation of what the layer computes, before any non-linearity; the output "
        "layer of a mirrored decoder has none.",
        default=False,
    )
)


def use_bias(layer: PlannedLayer) -> bool:
    """Return whether the layer adds a bias; batch normalisation has its own."""
    return bool(layer.config["use_bias"]) and not layer.batch_norm


def initialiser(config: Mapping[str, Any], context: BuildContext) -> Any:
    """Return the layer's initialiser, with the next seed of the network."""
    import keras

    kind = getattr(keras.initializers, INITIALISERS[config["initialiser"]])
    return kind(seed=context.next_seed())


def regulariser(config: Mapping[str, Any]) -> Any:
    """Return the layer's Keras regulariser, or ``None``."""
    import keras

    weights = config["regulariser"]
    return None if weights is None else keras.regularizers.L1L2(weights["l1"], weights["l2"])


def kernel_settings(
    config: Mapping[str, Any], context: BuildContext, kernel: str = "kernel"
) -> dict[str, Any]:
    """Return the arguments of a Keras layer with one kernel, which it may call by another name."""
    return {
        "use_bias": config["use_bias"],
        f"{kernel}_initializer": initialiser(config, context),
        f"{kernel}_regularizer": regulariser(config),
    }
