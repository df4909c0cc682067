"""The decoder's layers: those that a spec states, or the mirror of its encoder.

The mirror walks the encoder backwards, and each layer answers with its inverse:

* The bottleneck has no inverse of its own where it makes a code (Dense, Gaussian, Concat), and what
  only reshapes or scales the code after it is passed over; a convolution or a pool is undone.
* Before an inverse, the current shape must be the output shape of the encoder layer to be undone.
  Where it is not, a Dense with that many units and a Reshape complete it, or the Reshape alone
  where the numbers are as many. That Dense has the non-linearity of the encoder layer whose output
  it rebuilds.
* A Dense inside the encoder rebuilds its own output, whatever comes; so does a recurrent layer, at
  the bottleneck too.
* A Gaussian inside the encoder, a level of a hierarchy, is mirrored by a Gaussian of its width: the
  prior of its latent, given the level above. Below the lowest one there is a layer with weights.
* What finishes a layer (an Activation, a normalisation) stands where that layer's output has been
  rebuilt, in the encoder's order.
* Where the encoder adds an earlier output, the decoder adds the tensor that it began to undo the
  sum with, once it has rebuilt that output.
* The last layer with a non-linearity is the output layer: it gets ``output_non_linearity`` (none
  under ``reconstruction: bernoulli``, which works on logits), and no batch normalisation. A
  BatchNorm that would act on the output is left out.

* A decoder that starts from a code has a layer with weights, also where the shapes agree already.

So the shape that the decoder ends with is the input's for every encoder that has shapes at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import prod
from typing import Any

from archbuild.spec.plan import GAUSSIAN, LayerSpec, NonLinearity, PlannedLayer, Shape, Spec
from archbuild.spec.top import ON_LOGITS
from archbuild.spec.vocabulary import LayerType, Vocabulary


@dataclass(frozen=True)
class Entry:
    """A layer to be planned; ``path`` is where problems with it are shown."""

    type: str
    config: Mapping[str, Any]
    path: tuple[str | int, ...]
    mirrors: int | None = None


def output_index(layers: Sequence[LayerSpec | PlannedLayer | Entry]) -> int | None:
    """Return the index of the last layer with a non-linearity, the output; else ``None``."""
    candidates = [i for i, layer in enumerate(layers) if "non_linearity" in layer.config]
    return candidates[-1] if candidates else None


def declared_decoder(spec: Spec, layers: Sequence[LayerSpec]) -> list[Entry]:
    """Return the layers that a spec states; some kinds of reconstruction take logits."""
    entries = [
        Entry(layer.type, layer.config, ("decoder", index)) for index, layer in enumerate(layers)
    ]
    output = output_index(entries)
    if output is not None and spec.reconstruction in ON_LOGITS:
        entries[output] = _with_non_linearity(entries[output], "linear")
    return entries


def mirrored(
    spec: Spec, vocabulary: Vocabulary, encoder: Sequence[PlannedLayer], start: Shape
) -> list[Entry]:
    """Return the mirror of ``encoder`` from the shape ``start``, its output as the spec says."""
    entries = list(_Mirror(spec, vocabulary, encoder, start).entries())
    if not vocabulary.heads[spec.head.type].normalises_decoder:
        entries = [_without_normalisation(entry, vocabulary) for entry in entries]
    for index in reversed(range(len(entries))):
        if _must_not_act_on_output(vocabulary.layers[entries[index].type]):
            del entries[index]
        elif "non_linearity" in entries[index].config:
            entries[index] = _as_output(entries[index], spec)
            break
    return entries


def tied(
    decoder: Sequence[PlannedLayer], encoder: Sequence[PlannedLayer], vocabulary: Vocabulary
) -> Iterator[PlannedLayer]:
    """Yield the decoder's layers, those tied that find a kernel of their shape further down.

    Each kernel is shared once, the topmost first; layers without a partner keep their own.
    """
    types, below = vocabulary.layers, list(reversed(encoder))
    for layer in decoder:
        wanted = types[layer.type].shared_shape(layer)
        shapes = [types[other.type].kernel_shape(other) for other in below]
        if wanted is None or wanted not in shapes:
            yield layer
            continue
        place = shapes.index(wanted)
        own = layer.parameters - prod(wanted)
        yield replace(layer, tied_to=below[place].index, parameters=own)
        below = below[place + 1 :]


def _must_not_act_on_output(layer_type: LayerType) -> bool:
    finishing = layer_type.mirroring == "finishing"
    return finishing or layer_type.reads_own_half or layer_type.name == "BatchNorm"


def _without_normalisation(entry: Entry, vocabulary: Vocabulary) -> Entry:
    """Return the non-linearity alone in the place of a BatchNorm, else the entry."""
    if entry.type != "BatchNorm":
        return entry
    given = {"non_linearity": entry.config["non_linearity"]}
    fields = vocabulary.layers["Activation"].fields
    config = {field.name: given.get(field.name, field.default) for field in fields}
    return replace(entry, type="Activation", config=config)


def _as_output(entry: Entry, spec: Spec) -> Entry:
    """Return the entry with the output's non-linearity, with a bias and unnormalised if it may."""
    logits = spec.reconstruction in ON_LOGITS
    changed: dict[str, Any] = {"non_linearity": "linear" if logits else spec.output_non_linearity}
    if "use_bias" in entry.config:
        changed["use_bias"] = True
    if "batch_norm" in entry.config:
        changed["batch_norm"] = False
    return replace(entry, config={**entry.config, **changed})


class _Mirror:
    """The walk backwards, with the shape that the decoder has reached."""

    def __init__(
        self, spec: Spec, vocabulary: Vocabulary, encoder: Sequence[PlannedLayer], start: Shape
    ) -> None:
        self._spec, self._layers, self._encoder = spec, vocabulary.layers, encoder
        self._planned = {layer.index: layer for layer in encoder}
        self._shape = start
        self._learns = False
        self._count = 0
        self._rebuilt: set[int] = set()
        self._shortcuts: dict[int, list[int]] = {}  # encoder index -> decoder entries to add there

    def entries(self) -> Iterator[Entry]:
        """Return the decoder's layers, from the latent to the input's shape."""
        bottleneck = self._bottleneck()
        makes_code = self._type(self._encoder[bottleneck]).mirroring == "code"
        top = bottleneck - 1 if makes_code else bottleneck
        layers = self._encoder[1 : top + 1]
        for alike, run in groupby(reversed(layers), self._keeps_shape):
            group = list(run)
            if alike and any(self._type(layer).mirroring == "finishing" for layer in group):
                yield from self._finished(group[::-1])
            else:
                for layer in group:
                    yield from self._undone(layer)
        rebuilding = any(self._type(layer).mirroring == "rebuilding" for layer in layers)
        # A code as long as the input is no reconstruction yet, nor what a recurrent layer gives.
        learn = (makes_code or rebuilding) and not self._learns
        yield from self._completion(self._encoder[0], learn=learn)

    def _bottleneck(self) -> int:
        """Return the last layer that does more than to reshape or scale."""
        index = len(self._encoder) - 1
        while index and self._type(self._encoder[index]).mirroring in ("passing", "finishing"):
            index -= 1
        return index

    def _keeps_shape(self, layer: PlannedLayer) -> bool:
        passes = self._type(layer).mirroring in ("passing", "finishing")
        return passes and layer.input_shape == layer.output_shape

    def _finished(self, layers: Sequence[PlannedLayer]) -> Iterator[Entry]:
        """Rebuild the output below ``layers``, then finish it as they did, in their order."""
        below = self._encoder[layers[0].index - 1]
        if self._type(below).rebuilds(below):
            yield from self._inverse(below)
            self._rebuilt.add(below.index)
        else:
            yield from self._completion(below)
        for layer in layers:
            for fields in self._type(layer).mirror(layer):
                yield self._entry(fields, layer)
        for layer in layers:
            yield from self._rejoined(layer)

    def _undone(self, layer: PlannedLayer) -> Iterator[Entry]:
        """Undo one layer; where others took its output too, add what they give back."""
        shortcuts = self._type(layer).shortcuts(layer.config, layer.index)
        if shortcuts:
            yield from self._branching(layer, shortcuts)
        rebuilds = self._type(layer).rebuilds(layer)
        if not rebuilds:
            yield from self._rejoined(layer)
        if layer.index not in self._rebuilt:
            yield from self._inverse(layer)
        if rebuilds:
            yield from self._rejoined(layer)

    def _inverse(self, layer: PlannedLayer) -> Iterator[Entry]:
        layer_type = self._type(layer)
        inverse = layer_type.mirror_from(layer, self._shape)
        if inverse is None:
            yield from self._completion(layer)
            inverse = layer_type.mirror(layer)
        for fields in inverse:
            yield self._entry(fields, layer)

    def _branching(self, layer: PlannedLayer, shortcuts: Sequence[int]) -> Iterator[Entry]:
        """Note that the tensor here, in the shape of a sum, is added again further on."""
        yield from self._completion(layer)
        if not self._count:  # the latent itself is no decoder layer
            same = {"type": "Reshape", "output_shape": list(layer.output_shape)}
            yield self._entry(same, layer)
        for index in shortcuts:
            self._shortcuts.setdefault(index, []).append(self._count - 1)

    def _rejoined(self, layer: PlannedLayer) -> Iterator[Entry]:
        """Yield a sum for each branch that begins at ``layer`` in the encoder."""
        for start in self._shortcuts.pop(layer.index, ()):
            yield from self._completion(layer)
            if start < self._count - 1:
                of = [start, self._count - 1]
                yield self._entry({"type": "Add", "of": of, "shortcut": "projection"}, layer)

    def _completion(self, layer: PlannedLayer, *, learn: bool = False) -> Iterator[Entry]:
        """Yield the layers from the current shape to ``layer``'s; ``learn``: with weights."""
        wanted = layer.output_shape
        if learn or prod(self._shape) != prod(wanted):
            fields = self._learned(wanted)
            yield self._entry({**fields, "non_linearity": self._non_linearity_of(layer)}, layer)
        if self._shape != wanted:
            yield self._entry({"type": "Reshape", "output_shape": list(wanted)}, layer)

    def _learned(self, wanted: Shape) -> dict[str, Any]:
        """Return the layer that gives ``wanted``; place by place where only channels differ."""
        axes = len(wanted) - 1
        if axes and self._shape[1:] == wanted[1:]:
            return {"type": f"Deconv{axes}D", "num_filters": wanted[0], "filter_size": 1}
        return {"type": "Dense", "num_units": prod(wanted)}

    def _non_linearity_of(self, layer: PlannedLayer) -> NonLinearity:
        """Return the one that made the numbers which ``layer`` gives, before they are finished."""
        for below in reversed(self._encoder[1 : layer.index + 1]):
            if "non_linearity" in below.config and self._type(below).mirroring != "finishing":
                non_linearity: NonLinearity = below.config["non_linearity"]
                return non_linearity
        return self._spec.output_non_linearity

    def _entry(self, fields: Mapping[str, Any], layer: PlannedLayer) -> Entry:
        layer_type = self._layers[fields["type"]]
        config = {field.name: fields.get(field.name, field.default) for field in layer_type.fields}
        self._count += 1
        if layer_type.mirroring == "rebuilding" or layer_type.name == GAUSSIAN:
            self._learns = False
        elif "non_linearity" in config:
            self._learns |= layer_type.mirroring in ("inverse", "code")
        if not layer_type.reads_own_half:
            self._shape = layer_type.shape_in_network(config, self._shape, self._planned)
        return Entry(layer_type.name, config, ("layers", layer.index), layer.index)

    def _type(self, layer: PlannedLayer) -> LayerType:
        return self._layers[layer.type]


def _with_non_linearity(entry: Entry, non_linearity: NonLinearity) -> Entry:
    return replace(entry, config={**entry.config, "non_linearity": non_linearity})
