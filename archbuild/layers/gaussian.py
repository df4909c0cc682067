"""Gaussian: a stochastic bottleneck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archbuild import objectives
from archbuild.layers.building import flat, glorot_uniform
from archbuild.layers.context import Level
from archbuild.layers.shapes import flat_size, require_input
from archbuild.spec.fields import integer
from archbuild.spec.plan import PlannedLayer, Shape
from archbuild.spec.vocabulary import LayerType

if TYPE_CHECKING:
    from archbuild.layers.context import BuildContext


class Gaussian(LayerType):
    """Two linear heads side by side: the mean and the log-variance of a diagonal Gaussian.

    The layer does not draw: a head decides whether the decoder is given a sample or the mean.
    """

    name = "Gaussian"
    summary = "A stochastic bottleneck: linear mean and log-variance."
    fields = (integer("num_units", "Dimensions of the Gaussian."),)
    sides = frozenset({"encoder"})
    mirroring = "code"

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

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return a linear Dense of the layer's own width."""
        units = layer.config["num_units"]
        return [{"type": "Dense", "num_units": units, "non_linearity": "linear"}]

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Return the mean, ``(batch, num_units)``.

        It, the log-variance and what both are made from are left in ``context.levels``.
        """
        below = flat(tensor, layer.name)
        mean = self._head(layer, "mean", below, context)
        log_variance = self._head(layer, "log_variance", below, context)
        context.levels.append(Level(mean, objectives.bounded_log_variance(log_variance), below))
        return mean

    @staticmethod
    def _head(layer: PlannedLayer, part: str, tensor: Any, context: BuildContext) -> Any:
        import keras

        dense = keras.layers.Dense(
            layer.config["num_units"],
            kernel_initializer=glorot_uniform(context),
            name=f"{layer.name}_{part}",
        )
        return dense(tensor)
