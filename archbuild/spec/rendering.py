"""The plan of a network as text, encoder and decoder side by side, and as a plain document."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from archbuild.spec.plan import Plan, PlannedLayer, Shape

_HIDDEN = {"output_shape", "inverse_of"}
_SHOWN_BARE = {"num_units", "num_filters", "filter_size", "rate"}


def side_by_side(plan: Plan) -> str:
    """The encoder from top to bottom; beside each layer, the decoder layers that undo it.

    The decoder therefore reads from the bottom to the top. Shapes are the spec's: channels first.
    """
    left = ["encoder (downwards)", "", ""], ["decoder (upwards)", "", ""]
    rows: list[tuple[list[str], list[str]]] = [left]
    for layer in plan.encoder:
        inverse = [other for other in reversed(plan.decoder) if other.mirrors == layer.index]
        rows += _facing(layer, inverse)
    extra = [other for other in reversed(plan.decoder) if other.mirrors is None]
    rows += [([""] * 3, _cells(layer)) for layer in extra]
    lines = _aligned(rows)
    return "\n".join([_heading(plan), "", *lines])


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan as JSON-ready data."""
    return {
        "name": plan.spec.name,
        "input_shape": list(plan.input_shape),
        "latent_size": plan.latent_size,
        "parameters": plan.parameters,
        "head": None if plan.spec.head is None else plan.spec.head.type,
        "encoder": [_document(layer) for layer in plan.encoder],
        "decoder": [_document(layer) for layer in plan.decoder],
    }


def shape_text(shape: Shape) -> str:
    """A shape as people write it: ``1x28x28``."""
    return "x".join(map(str, shape))


def layer_text(layer: PlannedLayer) -> str:
    """A layer in a few words: ``Conv2D 32 3x3, stride 2x2, rectify``."""
    bare = [layer.type]
    named = []
    for key, value in layer.config.items():
        if key in _HIDDEN or _is_plain(key, value):
            continue
        shown = shape_text(tuple(value)) if isinstance(value, list | tuple) else str(value)
        if key in _SHOWN_BARE:
            bare.append(shown)
        else:
            named.append(shown if isinstance(value, str) else f"{key} {shown}")
    text = ", ".join([" ".join(bare), *named])
    return f"{text}, batch norm" if layer.batch_norm else text


def _is_plain(key: str, value: Any) -> bool:
    """Whether a value says nothing: absent, no padding, a stride of one step, the usual mode."""
    parts = set(value) if isinstance(value, list | tuple) else {value}
    return parts <= {None, 0} or (key == "stride" and parts == {1}) or value == "valid"


def _heading(plan: Plan) -> str:
    head = "" if plan.spec.head is None else f", head {plan.spec.head.type}"
    return (
        f"{plan.spec.name}: input {shape_text(plan.input_shape)}, latent {plan.latent_size}, "
        f"{plan.parameters:,} parameters{head}"
    )


def _facing(
    layer: PlannedLayer, inverse: Sequence[PlannedLayer]
) -> list[tuple[list[str], list[str]]]:
    pairs = zip_longest([_cells(layer)], map(_cells, inverse), fillvalue=[""] * 3)
    return [(left, right) for left, right in pairs]


def _cells(layer: PlannedLayer) -> list[str]:
    size = f"{layer.parameters:,}" if layer.parameters else ""
    return [f"{layer.index:>2} {layer_text(layer)}", shape_text(layer.output_shape), size]


def _aligned(rows: Sequence[tuple[list[str], list[str]]]) -> list[str]:
    widths = [[max(len(row[side][i]) for row in rows) for i in range(3)] for side in (0, 1)]
    lines = []
    for row in rows:
        halves = [
            f"{cells[0]:<{w[0]}}  {cells[1]:>{w[1]}}  {cells[2]:>{w[2]}}"
            for cells, w in zip(row, widths, strict=True)
        ]
        lines.append("  |  ".join(halves).rstrip())
    return lines


def _document(layer: PlannedLayer) -> dict[str, Any]:
    return {
        "index": layer.index,
        "name": layer.name,
        "type": layer.type,
        "config": dict(layer.config),
        "input_shape": list(layer.input_shape),
        "output_shape": list(layer.output_shape),
        "parameters": layer.parameters,
        "batch_norm": layer.batch_norm,
        "mirrors": layer.mirrors,
    }
