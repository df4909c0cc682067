"""From a resolved spec to the plan of its network: shapes, sizes and the mirrored decoder.

``decoder.py`` has the mirror.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Final

from archbuild.errors import Problem, SpecError
from archbuild.spec.decoder import Entry, declared_decoder, mirrored, output_index, tied
from archbuild.spec.document import TreePath
from archbuild.spec.parts import Condition, Part
from archbuild.spec.plan import GAUSSIAN, Plan, PlannedLayer, Shape, Spec, layer_name
from archbuild.spec.top import DEFAULT_MAX_PARAMETERS, OF_COUNTS, TWO_OUTPUTS
from archbuild.spec.vocabulary import LayerType, ShapeError, Vocabulary

LARGEST_EXAMPLE: Final = 100_000_000
"""Numbers that one example may take in one layer."""

_WITH_SPREAD: Final = ("gaussian", *OF_COUNTS)


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
    decoder = tuple(other.planned.values())
    if spec.tied:
        decoder = tuple(tied(decoder, encoder, vocabulary))
    plan = Plan(spec, encoder, decoder, parts, conditions)
    problems = half.problems + other.problems
    if not problems:
        problems = [*_end_problems(spec, encoder, plan.decoder), *_size_problems(plan)]
    if problems:
        raise SpecError(problems)
    return plan


def _encoder_half(spec: Spec, vocabulary: Vocabulary) -> _Half:
    """Plan the encoder, with the problems of layers that stand or are read in the wrong place."""
    entries = [
        Entry(layer.type, layer.config, ("layers", index))
        for index, layer in enumerate(spec.layers)
    ]
    half = _Half(spec, vocabulary, "encoder", {})
    half.plan(entries, ())
    half.problems += [*_misplaced(entries, spec, vocabulary), *_unread(entries, vocabulary)]
    half.problems += _crossing(entries, vocabulary)
    return half


def _decoder_half(
    spec: Spec, vocabulary: Vocabulary, encoder: dict[int, PlannedLayer], start: Shape | None
) -> _Half:
    """Plan the decoder from the shape ``start``; ``None``: the encoder has a problem."""
    entries: list[Entry] = []
    if spec.decoder is not None:
        entries = declared_decoder(spec, spec.decoder)
    elif start is not None:
        entries = mirrored(spec, vocabulary, tuple(encoder.values()), start)
    half = _Half(spec, vocabulary, "decoder", encoder)
    half.plan(entries, start)
    if spec.decoder is not None:
        half.problems += _crossing(entries, vocabulary)
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
        self._mirror_is_normalised = vocabulary.heads[spec.head.type].normalises_decoder

    def plan(self, entries: Sequence[Entry], start: Shape | None) -> None:
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

    def _shape(self, layer_type: LayerType, entry: Entry, current: Shape) -> Shape | None:
        try:
            shape = layer_type.shape_in_network(entry.config, current, self._read_by(layer_type))
        except ShapeError as error:
            self._report(entry, str(error), error.advice, error.path)
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
        self, index: int, entry: Entry, below: Shape, above: Shape, is_output: bool
    ) -> PlannedLayer:
        layer_type = self._layers[entry.type]
        follows = self._spec.use_batch_norm and layer_type.batch_norm_follows and not is_output
        batch_norm = follows or entry.config.get("batch_norm", False)
        if entry.mirrors is not None and not self._mirror_is_normalised:
            batch_norm = False
        read = self._read_by(layer_type)
        parameters = layer_type.parameters_in_network(entry.config, below, read)
        notation = layer_type.notation(entry.config)
        if batch_norm:
            parameters += layer_type.batch_norm_parameters(entry.config, above)
        if is_output and self._spec.reconstruction in TWO_OUTPUTS:
            # Once for the mean, once for the log-variance, or the logits of a dropout.
            parameters *= 2
        if is_output and self._spec.reconstruction in OF_COUNTS:
            # The dispersion of every feature.
            parameters += prod(above)
        return PlannedLayer(
            index=index,
            name=layer_name(self._side, index, entry.type),
            type=entry.type,
            config=entry.config,
            input_shape=below,
            output_shape=above,
            parameters=parameters,
            batch_norm=batch_norm,
            mirrors=entry.mirrors,
            notation=f"{notation} {notation}_bn" if batch_norm else notation,
            nested=layer_type.nested(entry.config, below),
            switches=layer_type.switches(entry.config, below),
            takes_glimpses=layer_type.takes_glimpses,
            compiles=layer_type.compiles,
        )

    def _read_by(self, layer_type: LayerType) -> Mapping[int, PlannedLayer]:
        return self.planned if layer_type.reads_own_half else self._encoder

    def _report(
        self, entry: Entry, message: str, advice: str | None = None, inside: TreePath = ()
    ) -> None:
        self.problems.append(Problem(message, (*entry.path, *inside), advice=advice))


# --- checks over the whole network --------------------------------------------------------------


def _misplaced(encoder: Sequence[Entry], spec: Spec, vocabulary: Vocabulary) -> Iterator[Problem]:
    if vocabulary.heads[spec.head.type].takes_inner_levels:
        return
    for entry in encoder[:-1]:
        if entry.type == GAUSSIAN:
            yield Problem(
                "a Gaussian layer must be the last of the encoder under this head",
                entry.path,
                advice="move it to the end, or put a Dense in its place",
            )


def _crossing(entries: Sequence[Entry], vocabulary: Vocabulary) -> Iterator[Problem]:
    """Yield a problem for each layer that reads past a Gaussian: levels depend on neighbours."""
    lowest = 0
    for index, entry in enumerate(entries):
        read = vocabulary.layers[entry.type].reads(entry.config, index)
        if any(below < lowest for below in read if index):
            yield Problem(
                f"this {entry.type} reads a layer on the other side of a Gaussian, and a level of "
                "a hierarchy depends on the level next to it alone",
                entry.path,
                advice=f"read layers from {lowest} on, or leave this {entry.type} out",
            )
        if entry.type == GAUSSIAN:
            lowest = index


def _unread(encoder: Sequence[Entry], vocabulary: Vocabulary) -> Iterator[Problem]:
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
    if not spec.decodes:
        return
    if spec.decoder is None and output_index(decoder) is None:
        yield Problem(
            "there is nothing to learn: these layers only pool, reshape or scale",
            ("layers",),
            advice="add a Dense or a Conv layer",
        )
    elif spec.reconstruction in _WITH_SPREAD and output_index(decoder) is None:
        yield Problem(
            f"reconstruction '{spec.reconstruction}' needs a decoder layer with weights",
            ("reconstruction",),
            advice="add a Dense to the decoder, or use reconstruction 'squared_error'",
        )
    yield from _prior_problems(spec, encoder, decoder)
    yield from _bare_output(spec, decoder)
    yield from _tie_problems(spec, decoder)
    wanted = encoder[0].output_shape
    reached = (decoder or encoder)[-1].output_shape
    if reached != wanted:
        place = ("decoder", len(decoder) - 1) if decoder else ("decoder",)
        yield Problem(
            f"the decoder ends with the shape {list(reached)}, but the input has {list(wanted)}",
            place,
            advice=f"end with {_ending(reached, wanted)}",
        )


def _prior_problems(
    spec: Spec, encoder: Sequence[PlannedLayer], decoder: Sequence[PlannedLayer]
) -> Iterator[Problem]:
    """Check that a stated decoder has one Gaussian for each of the encoder's below the bottleneck.

    Where the mirror makes the decoder it has them.
    """
    wanted = [each.output_shape[0] for each in reversed(encoder[:-1]) if each.type == GAUSSIAN]
    found = [each.output_shape[0] for each in decoder if each.type == GAUSSIAN]
    if found != wanted:
        yield Problem(
            "the decoder's Gaussian layers are the priors of those below the bottleneck, from the "
            f"top: expected {wanted or 'none'}, and it has {found or 'none'}",
            ("decoder",),
            advice="write decoder: mirror, or one Gaussian of its size for each of them",
        )
    outputs = [each for each in decoder[_after_priors(decoder) :] if "non_linearity" in each.config]
    if found and not outputs:
        yield Problem(
            "no layer with weights decodes the lowest level",
            ("decoder", len(decoder) - 1),
            advice="end the decoder with a Dense or a Deconv layer",
        )


def _after_priors(decoder: Sequence[PlannedLayer]) -> int:
    """Return the place after the last Gaussian."""
    return max((each.index + 1 for each in decoder if each.type == GAUSSIAN), default=0)


def _tie_problems(spec: Spec, decoder: Sequence[PlannedLayer]) -> Iterator[Problem]:
    """Yield a problem for ties that cannot be: nothing to tie, or two outputs to one kernel."""
    if not spec.tied:
        return
    path, advice = ("decoder",), "write decoder: mirror"
    if spec.reconstruction in TWO_OUTPUTS:
        message = (
            f"reconstruction '{spec.reconstruction}' has two outputs, which cannot both have one "
            "kernel"
        )
        yield Problem(message, path, advice=f"{advice}, or another reconstruction")
    elif all(layer.tied_to is None for layer in decoder):
        yield Problem("no layer of the decoder finds a kernel to share", path, advice=advice)


def _bare_output(spec: Spec, decoder: Sequence[PlannedLayer]) -> Iterator[Problem]:
    """Yield a problem for a stated decoder whose last non-linearity stands alone."""
    output = output_index(decoder)
    if spec.decoder is not None and output is not None and not decoder[output].parameters:
        yield Problem(
            f"the decoder's output is a {decoder[output].type}, which has no weights",
            ("decoder", output),
            advice="write its non_linearity in the last layer with weights, and leave it out",
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
