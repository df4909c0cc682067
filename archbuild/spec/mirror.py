"""From a resolved spec to the plan of its network: shapes, sizes and the mirrored decoder.

The mirror walks the encoder backwards, and each layer answers with its inverse:

* The bottleneck has no inverse of its own where it makes a code (Dense, Gaussian, Concat), and what
  only reshapes or scales the code after it is passed over; a convolution or a pool is undone.
* Before an inverse, the current shape must be the output shape of the encoder layer to be undone.
  Where it is not, a Dense with that many units and a Reshape complete it, or the Reshape alone
  where the numbers are as many. That Dense has the non-linearity of the encoder layer whose output
  it rebuilds.
* A Dense inside the encoder rebuilds its own output, whatever comes.
* The last layer with a non-linearity is the output layer: it gets ``output_non_linearity`` (none
  under ``reconstruction: bernoulli``, which works on logits), and no batch normalisation. A
  BatchNorm that would act on the output is left out.

* A decoder that starts from a code has a layer with weights, also where the shapes agree already.

So the shape that the decoder ends with is the input's for every encoder that has shapes at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Final

from archbuild.errors import Problem, SpecError
from archbuild.spec.parts import Condition, Part
from archbuild.spec.plan import LayerSpec, Plan, PlannedLayer, Shape, Spec
from archbuild.spec.top import DEFAULT_MAX_PARAMETERS
from archbuild.spec.vocabulary import LayerType, ShapeError, Vocabulary

LARGEST_EXAMPLE: Final = 100_000_000
"""Numbers that one example may take in one layer."""


@dataclass(frozen=True)
class _Entry:
    """A layer to be planned; ``path`` is where problems with it are shown."""

    type: str
    config: Mapping[str, Any]
    path: tuple[str | int, ...]
    mirrors: int | None = None


def make_plan(spec: Spec, vocabulary: Vocabulary) -> Plan:
    """Plan both halves of the network, layer by layer.

    Args:
        spec: a resolved spec.
        vocabulary: the layer types that it may name.

    Raises:
        SpecError: with every problem of shape or size that can be found; their paths are
            ``("layers", i)`` or ``("decoder", i)``, and they carry no line.
    """
    half = _encoder_half(spec, vocabulary)
    encoder = tuple(half.planned.values())
    complete = len(encoder) == len(spec.layers)
    parts, conditions = _head_additions(spec, vocabulary, encoder) if complete else ((), ())
    start = _decoder_start(encoder, conditions) if complete else None
    other = _decoder_half(spec, vocabulary, half.planned, start)
    plan = Plan(spec, encoder, tuple(other.planned.values()), parts, conditions)
    problems = half.problems + other.problems
    if not problems:
        problems = [*_end_problems(spec, encoder, plan.decoder), *_size_problems(plan)]
    if problems:
        raise SpecError(problems)
    return plan


def _encoder_half(spec: Spec, vocabulary: Vocabulary) -> _Half:
    """Plan the encoder, with the problems of layers that stand or are read in the wrong place."""
    entries = [
        _Entry(layer.type, layer.config, ("layers", index))
        for index, layer in enumerate(spec.layers)
    ]
    half = _Half(spec, vocabulary, "encoder", {})
    half.plan(entries, ())
    half.problems += [*_misplaced(entries, spec, vocabulary), *_unread(entries, vocabulary)]
    return half


def _decoder_half(
    spec: Spec, vocabulary: Vocabulary, encoder: dict[int, PlannedLayer], start: Shape | None
) -> _Half:
    """Plan the decoder from the shape ``start``; ``None``: the encoder has a problem."""
    entries: list[_Entry] = []
    if spec.decoder is not None:
        entries = _declared_decoder(spec, spec.decoder)
    elif start is not None:
        entries = _mirrored(spec, vocabulary, tuple(encoder.values()), start)
    half = _Half(spec, vocabulary, "decoder", encoder)
    half.plan(entries, start)
    return half


def _head_additions(
    spec: Spec, vocabulary: Vocabulary, encoder: tuple[PlannedLayer, ...]
) -> tuple[tuple[Part, ...], tuple[Condition, ...]]:
    """Return the head's own networks, once its clusters are counted, and the decoder's inputs."""
    kind, config, plan = vocabulary.heads[spec.head.type], spec.head.config, Plan(spec, encoder, ())
    counted = isinstance(config.get("n_clusters", 0), int)
    parts = kind.parts(config, plan) if counted else ()
    return tuple(parts), tuple(kind.conditions(config, plan) if counted else ())


def _decoder_start(encoder: Sequence[PlannedLayer], conditions: Sequence[Condition]) -> Shape:
    """Return the shape that the decoder takes: the latent, and the conditions beside it."""
    latent = encoder[-1].output_shape
    if not conditions:
        return latent
    return (prod(latent) + sum(condition.size for condition in conditions),)


def output_index(layers: Sequence[LayerSpec | PlannedLayer | _Entry]) -> int | None:
    """Return the index of the last layer with a non-linearity, the output; else ``None``."""
    candidates = [i for i, layer in enumerate(layers) if "non_linearity" in layer.config]
    return candidates[-1] if candidates else None


class _Half:
    """Half of a network: the layers that could be planned, and the problems of the others."""

    def __init__(
        self,
        spec: Spec,
        vocabulary: Vocabulary,
        side: str,
        encoder: dict[int, PlannedLayer],
    ) -> None:
        self.planned: dict[int, PlannedLayer] = {}
        self.problems: list[Problem] = []
        self._spec, self._layers, self._side = spec, vocabulary.layers, side
        self._encoder = encoder if side == "decoder" else self.planned

    def plan(self, entries: Sequence[_Entry], start: Shape | None) -> None:
        """Plan ``entries`` one after another from the shape ``start``; ``None``: not known."""
        current = start
        output = output_index(entries) if self._side == "decoder" else None
        for index, entry in enumerate(entries):
            layer_type = self._layers[entry.type]
            if self._side not in layer_type.sides:
                self._report(entry, f"{entry.type} cannot stand in the {self._side}")
            if current is None:
                current = layer_type.declared_shape(entry.config)
                continue
            shape = self._shape(layer_type, entry, current)
            if shape is not None:
                self.planned[index] = self._layer(index, entry, current, shape, index == output)
            current = shape or layer_type.declared_shape(entry.config)

    def _shape(self, layer_type: LayerType, entry: _Entry, current: Shape) -> Shape | None:
        try:
            shape = layer_type.shape_in_network(entry.config, current, self._encoder)
        except ShapeError as error:
            self._report(entry, str(error), error.advice)
            return None
        if prod(shape) > LARGEST_EXAMPLE:
            self._report(
                entry,
                f"one example would take {prod(shape):,} numbers here, more than the "
                f"{LARGEST_EXAMPLE:,} that archbuild allows",
                "use smaller shapes",
            )
            return None
        return shape

    def _layer(
        self, index: int, entry: _Entry, below: Shape, above: Shape, is_output: bool
    ) -> PlannedLayer:
        layer_type = self._layers[entry.type]
        batch_norm = self._spec.use_batch_norm and layer_type.batch_norm_follows and not is_output
        parameters = layer_type.parameters(entry.config, below)
        notation = layer_type.notation(entry.config)
        if batch_norm:
            # Scale, offset, running mean and running variance take the place of the bias.
            parameters += 3 * above[0]
        if is_output and self._spec.reconstruction == "gaussian":
            # Once for the mean, once for the log-variance.
            parameters *= 2
        return PlannedLayer(
            index=index,
            name=f"{self._side}_{index}_{entry.type.lower().replace('*', '_switched')}",
            type=entry.type,
            config=entry.config,
            input_shape=below,
            output_shape=above,
            parameters=parameters,
            batch_norm=batch_norm,
            mirrors=entry.mirrors,
            notation=f"{notation} {notation}_bn" if batch_norm else notation,
        )

    def _report(self, entry: _Entry, message: str, advice: str | None = None) -> None:
        self.problems.append(Problem(message, entry.path, advice=advice))


# --- the decoder --------------------------------------------------------------------------------


def _declared_decoder(spec: Spec, layers: Sequence[LayerSpec]) -> list[_Entry]:
    entries = [
        _Entry(layer.type, layer.config, ("decoder", index)) for index, layer in enumerate(layers)
    ]
    output = output_index(entries)
    if output is not None and spec.reconstruction == "bernoulli":
        entries[output] = _with_non_linearity(entries[output], "linear")
    return entries


def _mirrored(
    spec: Spec, vocabulary: Vocabulary, encoder: Sequence[PlannedLayer], start: Shape
) -> list[_Entry]:
    entries = list(_Mirror(spec, vocabulary, encoder, start).entries())
    for index in reversed(range(len(entries))):
        if entries[index].type == "BatchNorm":
            del entries[index]
        elif "non_linearity" in entries[index].config:
            logits = spec.reconstruction == "bernoulli"
            last = "linear" if logits else spec.output_non_linearity
            entries[index] = _with_non_linearity(entries[index], last)
            break
    return entries


class _Mirror:
    """The walk backwards, with the shape that the decoder has reached."""

    def __init__(
        self, spec: Spec, vocabulary: Vocabulary, encoder: Sequence[PlannedLayer], start: Shape
    ) -> None:
        self._spec, self._layers, self._encoder = spec, vocabulary.layers, encoder
        self._planned = {layer.index: layer for layer in encoder}
        self._shape = start
        self._learns = False

    def entries(self) -> Iterator[_Entry]:
        """Return the decoder's layers, from the latent to the input's shape."""
        bottleneck = self._bottleneck()
        makes_code = self._layers[self._encoder[bottleneck].type].mirroring == "code"
        top = bottleneck - 1 if makes_code else bottleneck
        for layer in reversed(self._encoder[1 : top + 1]):
            layer_type = self._layers[layer.type]
            inverse = layer_type.mirror(layer)
            if inverse and layer_type.mirroring != "code":
                yield from self._completion(layer)
            for fields in inverse:
                yield self._entry(fields, layer)
        # A code as long as the input is no reconstruction yet.
        yield from self._completion(self._encoder[0], learn=makes_code and not self._learns)

    def _bottleneck(self) -> int:
        """Return the last layer that does more than to reshape or scale."""
        index = len(self._encoder) - 1
        while index and self._layers[self._encoder[index].type].mirroring == "passing":
            index -= 1
        return index

    def _completion(self, layer: PlannedLayer, *, learn: bool = False) -> Iterator[_Entry]:
        """Yield the layers from the current shape to ``layer``'s; ``learn``: with a Dense."""
        wanted = layer.output_shape
        if learn or prod(self._shape) != prod(wanted):
            dense = {
                "type": "Dense",
                "num_units": prod(wanted),
                "non_linearity": self._non_linearity_of(layer),
            }
            yield self._entry(dense, layer)
        if self._shape != wanted:
            yield self._entry({"type": "Reshape", "output_shape": list(wanted)}, layer)

    def _non_linearity_of(self, layer: PlannedLayer) -> str:
        """Return the one that made the numbers which ``layer`` gives."""
        for below in reversed(self._encoder[1 : layer.index + 1]):
            if "non_linearity" in below.config:
                return str(below.config["non_linearity"])
        return self._spec.output_non_linearity

    def _entry(self, fields: Mapping[str, Any], layer: PlannedLayer) -> _Entry:
        layer_type = self._layers[fields["type"]]
        config = {field.name: fields.get(field.name, field.default) for field in layer_type.fields}
        learns = "non_linearity" in config and layer_type.name != "BatchNorm"
        self._learns = self._learns or learns
        self._shape = layer_type.shape_in_network(config, self._shape, self._planned)
        return _Entry(layer_type.name, config, ("layers", layer.index), layer.index)


def _with_non_linearity(entry: _Entry, non_linearity: str) -> _Entry:
    return replace(entry, config={**entry.config, "non_linearity": non_linearity})


# --- checks over the whole network --------------------------------------------------------------


def _misplaced(encoder: Sequence[_Entry], spec: Spec, vocabulary: Vocabulary) -> Iterator[Problem]:
    if vocabulary.heads[spec.head.type].takes_inner_levels:
        return
    for entry in encoder[:-1]:
        if entry.type == "Gaussian":
            yield Problem(
                "a Gaussian layer must be the last of the encoder under this head",
                entry.path,
                advice="move it to the end, or put a Dense in its place",
            )


def _unread(encoder: Sequence[_Entry], vocabulary: Vocabulary) -> Iterator[Problem]:
    """Yield a problem for each layer whose output nothing reads: a Concat above leaves it out."""
    read = {
        below
        for index, entry in enumerate(encoder)
        for below in vocabulary.layers[entry.type].reads(entry.config, index)
    }
    for index, entry in enumerate(encoder[:-1]):
        if index not in read:
            yield Problem(
                f"no layer reads this {entry.type}",
                entry.path,
                advice=f"add {index} to 'of' of the layer above it, or leave this layer out",
            )


def _end_problems(
    spec: Spec, encoder: Sequence[PlannedLayer], decoder: Sequence[PlannedLayer]
) -> Iterator[Problem]:
    if spec.decoder is None and output_index(decoder) is None:
        yield Problem(
            "there is nothing to learn: these layers only pool, reshape or scale",
            ("layers",),
            advice="add a Dense or a Conv layer",
        )
    elif spec.reconstruction == "gaussian" and output_index(decoder) is None:
        yield Problem(
            "reconstruction 'gaussian' needs a decoder layer with weights, for the log-variance",
            ("reconstruction",),
            advice="add a Dense to the decoder, or use reconstruction 'squared_error'",
        )
    wanted = encoder[0].output_shape
    reached = (decoder or encoder)[-1].output_shape
    if reached != wanted:
        place = ("decoder", len(decoder) - 1) if decoder else ("decoder",)
        yield Problem(
            f"the decoder ends with the shape {list(reached)}, but the input has {list(wanted)}",
            place,
            advice=f"end with {_ending(reached, wanted)}",
        )


def _ending(reached: Shape, wanted: Shape) -> str:
    dense = f"{{type: Dense, num_units: {prod(wanted)}}}"
    reshape = f"{{type: Reshape, output_shape: {list(wanted)}}}"
    if prod(reached) == prod(wanted):
        return reshape
    return dense if len(wanted) == 1 else f"{dense} and {reshape}"


def _size_problems(plan: Plan) -> Iterator[Problem]:
    limit = plan.spec.tree.get("max_parameters", DEFAULT_MAX_PARAMETERS)
    total = plan.parameters + plan.head_parameters
    if total <= limit:
        return
    largest = max((*plan.encoder, *plan.decoder), key=lambda layer: layer.parameters)
    if plan.head_parameters > largest.parameters:
        yield Problem(
            f"network and head would have {total:,} parameters, {plan.head_parameters:,} of them "
            "in the head's own networks",
            ("head",),
            allowed=f"{limit:,} parameters in all",
            advice="make the head's networks smaller, or raise max_parameters",
        )
        return
    place: tuple[str | int, ...] = ("layers", largest.index)
    if largest in plan.decoder:
        own = largest.mirrors is None
        place = ("decoder", largest.index) if own else ("layers", largest.mirrors or 0)
    yield Problem(
        f"the network would have {total:,} parameters, {largest.parameters:,} of them in this "
        f"{largest.type} from {list(largest.input_shape)} to {list(largest.output_shape)}",
        place,
        allowed=f"{limit:,} parameters in all",
        advice="make the layer smaller, or pool or stride more before it; on a machine that can "
        "hold it, raise max_parameters",
    )
