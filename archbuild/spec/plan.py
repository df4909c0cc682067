"""The resolved spec and the plan of the network: frozen data, no Keras.

Shapes here are the spec's own: ``(features,)``, ``(channels, length)`` or
``(channels, height, width)``, without the batch. Channels-last begins in ``networks/``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final, NamedTuple

from archbuild.spec.parts import Condition, Part
from archbuild.spec.stages import STAGE_FIELDS
from archbuild.spec.top import NO_DECODER, TIED

GAUSSIAN: Final = "Gaussian"
"""The type of stochastic layers."""

Shape = tuple[int, ...]
SHAPE_FORMS: Final = {
    1: "[features]",
    2: "[channels, length]",
    3: "[channels, height, width]",
    4: "[channels, depth, height, width]",
}
"""The shapes of rows, by their number of axes."""
NonLinearity = str | Mapping[str, Any]
"""A name, or a mapping of ``type`` and ``slope``."""


@dataclass(frozen=True)
class LayerSpec:
    """One entry of a layer list: its type and every field of the type, defaults filled in."""

    type: str
    config: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True)
class HeadSpec:
    """The clustering head: its type and every field of the type, defaults filled in."""

    type: str
    config: Mapping[str, Any] = field(hash=False)


NETWORK_KEYS = (
    "layers",
    "decoder",
    "use_batch_norm",
    "output_non_linearity",
    "reconstruction",
    "scaling",
    "binarise",
)
"""The keys of a spec that decide what the autoencoder is; the rest belongs to one stage."""


@dataclass(frozen=True)
class Spec:
    """A spec that passed every check, with every default filled in.

    ``tree`` is the plain JSON form: written to ``spec.json`` and read back, it gives an equal Spec.
    ``pretrain``, ``cluster`` and ``train`` are the stages' settings (``spec/stages.py``).
    """

    name: str
    batch_size: int
    use_batch_norm: bool
    reconstruction: str
    scaling: str
    binarise: str
    output_non_linearity: NonLinearity = field(hash=False)
    layers: tuple[LayerSpec, ...]
    decoder: tuple[LayerSpec, ...] | None
    augment: Mapping[str, Any] | None = field(hash=False)
    supervision: Mapping[str, Any] | None = field(hash=False)
    data: Mapping[str, Any] = field(hash=False)
    head: HeadSpec
    pretrain: Mapping[str, Any] = field(hash=False)
    cluster: Mapping[str, Any] = field(hash=False)
    train: Mapping[str, Any] = field(hash=False)
    tree: Mapping[str, Any] = field(hash=False, repr=False)

    def settings(self, section: str) -> dict[str, Any]:
        """Return every key of a stage's section (``spec/stages.py``), ``batch_size`` resolved."""
        own = {field.name: field.default for field in STAGE_FIELDS} | self.tree[section]
        return {**own, "batch_size": own["batch_size"] or self.batch_size}

    @property
    def augmentation(self) -> dict[str, Any]:
        """The fields of ``augment`` that change something, with their values; empty for none."""
        return {name: value for name, value in (self.augment or {}).items() if value}

    @property
    def network_keys(self) -> tuple[str, ...]:
        """Those of ``NETWORK_KEYS`` that its tree has."""
        return tuple(key for key in NETWORK_KEYS if key in self.tree)

    @property
    def tied(self) -> bool:
        """True if the mirrored decoder has the encoder's kernels."""
        return bool(self.tree["decoder"] == TIED)

    @property
    def decodes(self) -> bool:
        """True if there is a decoder."""
        return bool(self.tree["decoder"] != NO_DECODER)

    @property
    def input_shape(self) -> Shape:
        """The shape that Input declares."""
        return tuple(self.layers[0].config["output_shape"])


class Switches(NamedTuple):
    """A tensor that an encoder layer keeps of each row for the decoder layer that undoes it.

    Attributes:
        shape: of one row, as specs write it.
        default: the values for a latent that comes from no row, flat; ``None``: there are none, and
            the decoder cannot decode a latent alone.
    """

    shape: Shape
    default: Sequence[float] | None = None


@dataclass(frozen=True)
class PlannedLayer:
    """A layer with its place, its shapes and its size.

    Attributes:
        index: its place in its own list, the encoder's or the decoder's, from 0.
        name: unique in the network: ``encoder_3_conv2d``.
        type: the layer type's name.
        config: every field of the type.
        input_shape: what comes in (for Concat: what the layer just below gives).
        output_shape: what goes out.
        parameters: trainable and running ones, batch normalisation included.
        batch_norm: whether batch normalisation stands between the layer and its non-linearity.
        mirrors: for a decoder layer, the index of the encoder layer it undoes; otherwise ``None``.
        tied_to: for a decoder layer, the index of the encoder layer whose kernel it has.
        nested: the layers that it is made of, where its fields list some; ``parameters`` counts
            theirs.
        switches: what an encoder layer keeps for the decoder layer that undoes it.
        takes_glimpses: whether it samples its input under maps that it finds.
        compiles: whether XLA can compile it, and makes it no slower.
        notation: the layer as ``Plan.notation`` has it, batch normalisation included.
    """

    index: int
    name: str
    type: str
    config: Mapping[str, Any] = field(hash=False)
    input_shape: Shape
    output_shape: Shape
    parameters: int
    batch_norm: bool = False
    mirrors: int | None = None
    notation: str = ""
    tied_to: int | None = None
    nested: tuple[PlannedLayer, ...] = ()
    switches: Switches | None = None
    takes_glimpses: bool = False
    compiles: bool = False


def layer_name(list_name: str, index: int, layer_type: str) -> str:
    """Return the name of a layer in the network, from the list that it stands in and its place."""
    return f"{list_name}_{index}_{layer_type.lower().replace('*', '_switched')}"


@dataclass(frozen=True)
class Plan:
    """The network to build: both halves layer by layer, and the additions of the spec's head.

    Attributes:
        spec: what was planned.
        encoder: from Input to the bottleneck.
        decoder: from the latent to the output.
        parts: the head's own small networks; none while its number of clusters is not known.
        conditions: further inputs of the decoder.
    """

    spec: Spec
    encoder: tuple[PlannedLayer, ...]
    decoder: tuple[PlannedLayer, ...]
    parts: tuple[Part, ...] = ()
    conditions: tuple[Condition, ...] = ()

    @property
    def input_shape(self) -> Shape:
        """The shape of one example."""
        return self.encoder[0].output_shape

    @property
    def latent_size(self) -> int:
        """The bottleneck's length: its output, flattened."""
        return prod(self.encoder[-1].output_shape)

    @property
    def features(self) -> int:
        """Number of inputs of the bottleneck."""
        return prod(self.encoder[-1].input_shape)

    @property
    def stochastic(self) -> bool:
        """True if the bottleneck is a Gaussian."""
        return self.encoder[-1].type == GAUSSIAN

    @property
    def stochastic_layers(self) -> tuple[PlannedLayer, ...]:
        """The encoder's Gaussian layers, bottom first."""
        return tuple(layer for layer in self.encoder if layer.type == GAUSSIAN)

    @property
    def priors(self) -> tuple[PlannedLayer, ...]:
        """The decoder's Gaussian layers, top first: each gives the prior of a level."""
        return tuple(layer for layer in self.decoder if layer.type == GAUSSIAN)

    @property
    def level_sizes(self) -> tuple[int, ...]:
        """Dimensions of every Gaussian layer of the encoder, bottom first."""
        return tuple(prod(layer.output_shape) for layer in self.stochastic_layers)

    @property
    def undone(self) -> tuple[tuple[int, Switches], ...]:
        """The switches that the decoder reads, by the index of their encoder layer, from below."""
        of = {layer.config["inverse_of"] for layer in self.decoder if "inverse_of" in layer.config}
        found = ((index, self.encoder[index].switches) for index in sorted(of))
        return tuple((index, switches) for index, switches in found if switches is not None)

    @property
    def needs_switches(self) -> bool:
        """True if the decoder reads switches without a default, and so cannot generate."""
        return any(switches.default is None for _, switches in self.undone)

    @property
    def compiles(self) -> bool:
        """True if XLA can compile both halves, and makes them no slower."""
        return all(layer.compiles for layer in self.encoder + self.decoder)

    @property
    def notation(self) -> str:
        """Encoder and decoder in order, in one line: ``50[5x5] 50[5x5]_bn max[2x2] fc[10] ...``.

        The notation of the classic project's logs (Aljalbout et al., arXiv 1801.07648); layers
        that it does not have say their own word (``LayerType.notation``).
        """
        return " ".join(layer.notation for layer in self.encoder + self.decoder if layer.notation)

    @property
    def parameters(self) -> int:
        """Number of parameters of both halves."""
        return sum(layer.parameters for layer in self.encoder + self.decoder)

    @property
    def head_parameters(self) -> int:
        """Number of parameters of the head's own networks."""
        return sum(part.parameters for part in self.parts)
