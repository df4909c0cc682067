"""Gaussian: a stochastic layer, the bottleneck or a level of a hierarchy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archbuild import objectives
from archbuild.layers.building import batch_normalised, flat, glorot_uniform
from archbuild.layers.context import Level
from archbuild.layers.precision import in_float32
from archbuild.layers.shapes import flat_size, require_input
from archbuild.layers.weights import BATCH_NORM
from archbuild.spec.fields import integer
from archbuild.spec.plan import PlannedLayer, Shape
from archbuild.spec.vocabulary import LayerType

if TYPE_CHECKING:
    from archbuild.layers.context import BuildContext


class Gaussian(LayerType):
    """Two linear heads side by side: the mean and the log-variance of a diagonal Gaussian.

    The layer does not draw: a head decides whether what comes next is given a sample or the mean.
    One inside the encoder is mirrored by another, which gives the prior of its latent from what the
    level above it decodes to.
    """

    name = "Gaussian"
    summary = "A stochastic layer: linear mean and log-variance."
    fields = (
        integer("num_units", "Dimensions of the Gaussian."),
        BATCH_NORM,
    )
    mirroring = "code"
    compiles = True

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return ``(num_units,)`` whatever comes in."""
        require_input(self.name, input_shape)
        return self.declared_shape(config)

    def declared_shape(self, config: Mapping[str, Any]) -> Shape:
        """Return ``(num_units,)``."""
        return (config["num_units"],)

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``gauss[10]``."""
        return f"gauss[{config['num_units']}]"

    def parameters(self, config: Mapping[str, Any], input_shape: Shape) -> int:
        """Count two dense layers."""
        units: int = config["num_units"]
        return 2 * (flat_size(input_shape) + 1) * units

    def batch_norm_parameters(self, config: Mapping[str, Any], shape: Shape) -> int:
        """Count those of the mean and of the log-variance."""
        return 2 * super().batch_norm_parameters(config, shape)

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return a Gaussian of the layer's own width: the prior of what the layer gives."""
        return [{"type": self.name, **layer.config}]

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Return the mean, ``(batch, num_units)``.

        It, the log-variance and what both are made from are left in ``context.levels``.
        """
        below = flat(tensor, layer.name)
        mean = in_float32(self._head(layer, "mean", below, context))
        log_variance = in_float32(self._head(layer, "log_variance", below, context))
        context.levels.append(Level(mean, objectives.bounded_log_variance(log_variance), below))
        return mean

    @staticmethod
    def _head(layer: PlannedLayer, part: str, tensor: Any, context: BuildContext) -> Any:
        import keras

        dense = keras.layers.Dense(
            layer.config["num_units"],
            use_bias=not layer.batch_norm,
            kernel_initializer=glorot_uniform(context),
            name=f"{layer.name}_{part}",
        )
        given = dense(tensor)
        return batch_normalised(given, f"{dense.name}_batch_norm") if layer.batch_norm else given
