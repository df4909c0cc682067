"""Embedding: a few learned numbers in the place of each category of a table's row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from archbuild.layers.building import glorot_uniform
from archbuild.layers.shapes import flat_size, require_earlier
from archbuild.spec.field import Field
from archbuild.spec.fields import integer
from archbuild.spec.plan import PlannedLayer, Shape
from archbuild.spec.vocabulary import LayerType, ShapeError

if TYPE_CHECKING:
    from archbuild.layers.context import BuildContext

MOST_UNITS: Final = 50
"""Of a block whose size decides: half as many numbers as categories, as in fast.ai's tables."""

_BELOW: Final = ("Input", "Dropout", "GaussianNoise")


class Piece(NamedTuple):
    """Neighbouring features of a row: a block that is embedded, or those between two blocks.

    Attributes:
        first: the first feature, from 0.
        size: number of features.
        units: number of outputs; ``None``: the features go out as they are.
    """

    first: int
    size: int
    units: int | None = None


class Embedding(LayerType):
    """Each block of one-hot features times a matrix: the category's own few numbers.

    A category that is not known has 0 in all features of its block, and so no part in what goes
    out. Features outside the blocks pass. The order is that of the input.
    """

    name = "Embedding"
    summary = "A few learned numbers for each category; other features of a row pass."
    fields = (
        Field(
            "blocks",
            {
                "description": "a mapping of columns to [first feature, number of features]",
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {
                    "type": "array",
                    "items": {"type": "integer", "minimum": 0, "maximum": 100_000_000},
                    "minItems": 2,
                    "maxItems": 2,
                },
            },
            doc="For each column of categories its first feature, counted from 0, and how many it "
            "has; 'archbuild new' writes them.",
        ),
        integer(
            "num_units",
            f"Number of outputs of each block; null: half its features, at most {MOST_UNITS}.",
            default=None,
        ),
    )
    sides = frozenset({"encoder"})
    compiles = True

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return ``(features,)``: those that pass, and the outputs of each block."""
        if len(input_shape) != 1:
            raise ShapeError(
                f"{self.name} works on [features], but {list(input_shape)} comes in",
                "put it right behind an Input of [features]",
            )
        pieces = _pieces(config, input_shape[0])
        return (sum(piece.size if piece.units is None else piece.units for piece in pieces),)

    def shape_in_network(
        self, config: Mapping[str, Any], input_shape: Shape, encoder: Mapping[int, PlannedLayer]
    ) -> Shape:
        """Return the output shape, where the row's own features come in."""
        require_earlier([0], encoder)
        other = next((layer for layer in encoder.values() if layer.type not in _BELOW), None)
        if other is not None:
            raise ShapeError(
                f"{self.name} reads the features of a row, but a {other.type} stands below it",
                "put it right behind the Input",
            )
        return self.output_shape(config, input_shape)

    def parameters(self, config: Mapping[str, Any], input_shape: Shape) -> int:
        """Count a number for each category and output of its block."""
        pieces = _pieces(config, input_shape[0])
        return sum(piece.size * piece.units for piece in pieces if piece.units is not None)

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``emb[12>6,3>2]``: the sizes of the blocks, and their outputs."""
        return f"emb[{','.join(f'{block.size}>{block.units}' for block in _blocks(config))}]"

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return a Dense to all features of the row."""
        return [
            {
                "type": "Dense",
                "num_units": flat_size(layer.input_shape),
                "non_linearity": "linear",
            }
        ]

    def mirror_from(self, layer: PlannedLayer, shape: Shape) -> Sequence[Mapping[str, Any]]:
        """Return ``mirror``, which starts from any shape."""
        return self.mirror(layer)

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Map ``(batch, features)`` to ``(batch, outputs)``."""
        import keras

        parts = [
            _built(piece, tensor, f"{layer.name}_{place}", context)
            for place, piece in enumerate(_pieces(layer.config, layer.input_shape[0]))
        ]
        return parts[0] if len(parts) == 1 else keras.layers.Concatenate(name=layer.name)(parts)


def _built(piece: Piece, tensor: Any, name: str, context: BuildContext) -> Any:
    """Return what a piece gives, ``(batch, outputs)``."""
    import keras

    features = tensor[:, piece.first : piece.first + piece.size]
    if piece.units is None:
        return features
    embedding = keras.layers.Dense(
        piece.units, use_bias=False, kernel_initializer=glorot_uniform(context), name=name
    )
    return embedding(features)


def _blocks(config: Mapping[str, Any]) -> list[Piece]:
    """Return the blocks in the order of their features."""
    told = config["num_units"]
    return sorted(
        Piece(first, size, told or min(MOST_UNITS, -(-size // 2)))
        for first, size in config["blocks"].values()
    )


def _pieces(config: Mapping[str, Any], features: int) -> Iterator[Piece]:
    """Yield the blocks and what lies between them, which cover all ``features``.

    Raises:
        ShapeError: blocks are empty, overlap, or end behind the last feature.
    """
    place = 0
    for block in _blocks(config):
        if not block.size or block.first < place or block.first + block.size > features:
            raise ShapeError(
                f"the block [{block.first}, {block.size}] is empty, overlaps with another, or ends "
                f"behind the last of {features} features",
                "give each column [first feature, number of features], counted from 0; "
                "'archbuild new --for DATA' writes them",
            )
        if block.first > place:
            yield Piece(place, block.first - place)
        yield block
        place = block.first + block.size
    if place < features:
        yield Piece(place, features - place)
