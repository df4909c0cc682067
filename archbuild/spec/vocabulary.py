"""The part of layer and head types that ``spec/`` reads, and the vocabulary of both.

The types themselves are in ``layers/`` and ``heads/``; other packages bring theirs by entry
points (``plugins.py``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from archbuild.spec.field import Field
from archbuild.spec.parts import Condition, Part
from archbuild.spec.plan import Plan, PlannedLayer, Shape, Switches

Answer = Literal["clusters", "classes", "nothing"]


class ShapeError(ValueError):
    """A layer cannot take the shape that it is given; ``advice`` says what would fit.

    ``path`` leads from the layer's entry to a nested one that the message is about.
    """

    def __init__(
        self, message: str, advice: str | None = None, path: tuple[str | int, ...] = ()
    ) -> None:
        self.advice, self.path = advice, path
        super().__init__(message)


class LayerType(ABC):
    """A layer type: its fields, and how it is checked, mirrored and built.

    A subclass sets ``name``, ``summary``, ``fields`` and ``sides``, and implements the output
    shape, the number of parameters, the layers that undo it, and the build.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]] = ()
    sides: ClassVar[frozenset[str]] = frozenset({"encoder", "decoder"})
    """The lists that the type may stand in: ``encoder``, ``decoder`` or both."""
    batch_norm_follows: ClassVar[bool] = False
    """True if ``use_batch_norm: true`` puts batch normalisation after the layer.

    Such a layer has one bias per channel, and drops them where batch normalisation follows. A type
    with a field ``batch_norm`` leaves it to each layer.
    """
    reads_own_half: ClassVar[bool] = False
    """Whether ``shape_in_network`` and ``parameters_in_network`` are handed the layers of the half
    that the type stands in; otherwise the encoder's."""
    takes_glimpses: ClassVar[bool] = False
    """Whether the type samples its input under affine maps that it finds, which a picture shows."""
    compiles: ClassVar[bool] = False
    """Whether XLA can compile the type, and makes it no slower: matrix products and what works
    number by number. For convolutions and pooling on a CPU the backend's own kernels are faster."""
    mirroring: ClassVar[Literal["inverse", "code", "rebuilding", "passing", "finishing"]] = (
        "inverse"
    )
    """What the mirror does with the type (``spec/decoder.py``).

    ``inverse``: brings ``output_shape`` back to ``input_shape``, at the bottleneck too.
    ``code``: makes a code. Inside the encoder its mirror rebuilds its output from any shape; at the
    bottleneck its output is the latent, and nothing is undone.
    ``rebuilding``: like ``code`` inside the encoder, and at the bottleneck too.
    ``passing``: like ``inverse``, but nothing is undone at the bottleneck, where the type only
    reshapes or scales the code.
    ``finishing``: keeps the shape and finishes the layer below: what its mirror says stands where
    the decoder has rebuilt that layer's output, in the encoder's order, and never on the output.
    """

    @abstractmethod
    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return the output shape; raise ``ShapeError`` where ``input_shape`` cannot come in."""

    def shape_in_network(
        self, config: Mapping[str, Any], input_shape: Shape, encoder: Mapping[int, PlannedLayer]
    ) -> Shape:
        """Return the output shape, for types that read other layers than the one below.

        ``encoder`` holds the layers planned so far, by index, without those that have a problem.
        """
        return self.output_shape(config, input_shape)

    def reads(self, config: Mapping[str, Any], index: int) -> Sequence[int]:
        """Return the encoder layers that the type, standing at ``index``, takes its input from."""
        return (index - 1,)

    def declared_shape(self, config: Mapping[str, Any]) -> Shape | None:
        """Return the shape that goes out where the fields alone give it; otherwise ``None``.

        It lets the check of a spec go on after a layer with a problem.
        """
        return None

    def parameters(self, config: Mapping[str, Any], input_shape: Shape) -> int:
        """Return the number of parameters, without those of batch normalisation."""
        return 0

    def parameters_in_network(
        self, config: Mapping[str, Any], input_shape: Shape, layers: Mapping[int, PlannedLayer]
    ) -> int:
        """``parameters``, for types that read other layers than the one below."""
        return self.parameters(config, input_shape)

    def batch_norm_parameters(self, config: Mapping[str, Any], shape: Shape) -> int:
        """Return the number of parameters that batch normalisation adds to an output of ``shape``.

        Scale, offset, running mean and running variance take the place of the bias.
        """
        return (3 if config.get("use_bias", True) else 4) * shape[0]

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return the layer in the one-line notation of a network: ``50[5x5]``, ``max[2x2]``.

        What follows the layer, batch normalisation, is not part of it. Empty: the line leaves the
        layer out.
        """
        return self.name

    @abstractmethod
    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return the decoder entries, in order, from the output shape to the input shape.

        An entry is a mapping with ``type`` and fields, as in a spec file. Where shapes would still
        differ the mirror completes them with a Dense and a Reshape (``spec/decoder.py``), so a type
        whose inverse is not a layer (Dropout, Concat) answers with an empty list.
        """

    def mirror_from(self, layer: PlannedLayer, shape: Shape) -> Sequence[Mapping[str, Any]] | None:
        """Return ``mirror`` for a decoder that has reached ``shape``.

        ``None``: it has to be completed to the layer's output shape before.
        """
        inverse = self.mirror(layer)
        anywhere = not inverse or self.mirroring == "code"
        return inverse if anywhere or shape == layer.output_shape else None

    def rebuilds(self, layer: PlannedLayer) -> bool:
        """Return whether ``mirror`` brings back the layer's output shape, not its input shape."""
        return self.mirroring in ("code", "rebuilding") and bool(self.mirror(layer))

    def shortcuts(self, config: Mapping[str, Any], index: int) -> Sequence[int]:
        """Return the layers further below whose outputs the type, at ``index``, adds to its input.

        The mirror adds the tensor that it begins to undo the type with where it has rebuilt them.
        """
        return ()

    def nested(self, config: Mapping[str, Any], input_shape: Shape) -> tuple[PlannedLayer, ...]:
        """Return the layers that the type's own fields list, planned (``layers/nested.py``)."""
        return ()

    def switches(self, config: Mapping[str, Any], input_shape: Shape) -> Switches | None:
        """Return what the layer keeps for its inverse, a decoder type with a field ``inverse_of``.

        ``build`` leaves the tensor in ``context.switches``.
        """
        return None

    def kernel_shape(self, layer: PlannedLayer) -> Shape | None:
        """Return the shape of the kernel that a tied decoder may share; ``None``: there is none."""
        return None

    def shared_shape(self, layer: PlannedLayer) -> Shape | None:
        """Return the ``kernel_shape`` of an encoder layer whose kernel ``layer`` can have."""
        return None

    @abstractmethod
    def build(self, layer: PlannedLayer, tensor: Any, context: Any) -> Any:
        """Apply the layer to a channels-last Keras tensor; Keras is imported inside.

        ``context`` is the ``BuildContext`` of ``layers/context.py``.
        """


class HeadType(ABC):
    """The part of a head that ``spec/`` reads; the rest of its contract is in ``heads/base.py``."""

    name: ClassVar[str]
    summary: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]] = ()
    length_key: ClassVar[str | None] = None
    """The field that N of ``--cluster N`` and ``--train N`` sets; ``None``: the ``epochs``."""

    classic_fields: ClassVar[Mapping[str, Any]] = {}
    """Values of fields other than the defaults in classic files, which name no head.

    They make the head minimise what the classic project's own code did (``spec/classic.py``).
    """

    passing_fields: ClassVar[frozenset[str]] = frozenset()
    """Fields without effect on what is learned: a stage may go on under other values."""

    takes_inner_levels: ClassVar[bool] = False
    """True if Gaussian layers may stand below the bottleneck: a hierarchy of latents."""

    normalises_decoder: ClassVar[bool] = True
    """False if the mirrored decoder has no batch normalisation, whatever the encoder has."""

    @classmethod
    def labels_per_row(cls, config: Mapping[str, Any]) -> int:
        """Return how many labels the head reads and answers of each row, a sequence of them."""
        return 1

    needs_decoder: ClassVar[bool] = True
    """False if the head learns without a decoder too, under ``decoder: none``."""

    labels_used: ClassVar[Literal["never", "some", "all"]] = "never"
    """The labels that training reads: of no row, of those that ``supervision`` chooses, of all.

    Only a spec with a ``supervision`` section lets labels reach a head.
    """
    answers: Answer = "clusters"
    """The things that ``assign`` gives probabilities of; ``nothing``: it has no ``assign``."""

    @classmethod
    def answers_under(cls, supervised: bool) -> Answer:
        """Return what ``answers`` is with a ``supervision`` section in the spec, or without one.

        A head whose clusters are the classes of the labels that it reads overrides it.
        """
        return cls.answers

    @classmethod
    def parts(cls, config: Mapping[str, Any], plan: Plan) -> Sequence[Part]:
        """Return the small networks of the head's own, in the order in which they are built.

        Args:
            config: every field, ``n_clusters`` a number.
            plan: of the network; while it is being planned, its decoder is empty.
        """
        return ()

    @classmethod
    def conditions(cls, config: Mapping[str, Any], plan: Plan) -> Sequence[Condition]:
        """Return the further inputs of the decoder, which needs a flat bottleneck then."""
        return ()

    @classmethod
    def check(cls, config: Mapping[str, Any], plan: Plan) -> Sequence[tuple[str, str, str]]:
        """Return the problems of this network: (field or empty, message, advice) each."""
        return ()


@dataclass(frozen=True)
class Vocabulary:
    """The layer and head types that a spec may name."""

    layers: Mapping[str, LayerType]
    heads: Mapping[str, type[HeadType]]
