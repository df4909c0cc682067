"""The plan of a network as text, encoder and decoder side by side, and as a plain document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

from archbuild.spec.plan import Plan, PlannedLayer

WIDTH: Final = 100
"""Columns that a plan takes at most, as far as its layers allow."""

_HIDDEN: Final = {"output_shape", "inverse_of", "batch_norm"}
_DERIVED: Final = {"output_padding"}  # what the mirror chooses, so that shapes come out exactly
_SHOWN_BARE: Final = {"num_units", "num_filters", "filter_size", "rate", "times", "stddev"}
_BETWEEN: Final = "  |  "
_USUAL: Final[Mapping[str, Any]] = {
    "stride": 1,
    "dilation": 1,
    "groups": 1,
    "conv_mode": "valid",
    "undone_by": "repeat",
    "shortcut": "identity",
    "downsample": 1,
    "transform": "affine",
    "outside": "zeros",
    "use_bias": True,
    "initialiser": "glorot_uniform",
}
"""What is not shown; of other keys, 0."""

_Facing = tuple[PlannedLayer | None, PlannedLayer | None]


def side_by_side(plan: Plan) -> str:
    """Draw the encoder from top to bottom, with the decoder layers that undo each layer.

    The decoder therefore reads from the bottom to the top. A decoder that the spec states begins
    at the top with its output. Shapes are the spec's: channels first. Where a line would be longer
    than ``WIDTH``, the details of each layer stand in a line of their own. Above them the network
    stands in one line, however long (``Plan.notation``).
    """
    pairs = list(_facing(plan))
    lines = _lines(pairs, split=False)
    if max(map(len, lines)) > WIDTH:
        lines = _lines(pairs, split=True)
    return "\n".join([*_heading(plan), "", *lines, *_head_lines(plan)])


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return the plan as JSON-ready data."""
    return {
        "name": plan.spec.name,
        "input_shape": list(plan.input_shape),
        "latent_size": plan.latent_size,
        "parameters": plan.parameters,
        "notation": plan.notation,
        "head": plan.spec.head.type,
        "encoder": [_document(layer) for layer in plan.encoder],
        "decoder": [_document(layer) for layer in plan.decoder],
        "head_parameters": plan.head_parameters,
        "parts": [
            {"name": part.name, "widths": list(part.widths), "parameters": part.parameters}
            for part in plan.parts
        ],
        "conditions": [
            {"name": condition.name, "size": condition.size} for condition in plan.conditions
        ],
    }


def shape_text(shape: Sequence[int | None]) -> str:
    """Return a shape as people write it: ``1x28x28``; an extent that is left open is ``auto``."""
    return "x".join("auto" if extent is None else str(extent) for extent in shape)


def layer_text(layer: PlannedLayer) -> tuple[str, str]:
    """Return a layer and its details: ``Conv2D 32 of 3x3``, ``stride 2, rectify``."""
    hidden = _HIDDEN if layer.mirrors is None else _HIDDEN | _DERIVED
    what, details = [layer.type], []
    for key, value in layer.config.items():
        if key in hidden or _is_plain(key, value) or _is_nested(value):
            continue
        shown = _value_text(key, value)
        if key in ("of", "blocks") or (key == "filter_size" and "num_filters" in layer.config):
            what += ["of", shown]
        elif key in _SHOWN_BARE:
            what.append(shown)
        else:
            details.append(shown if isinstance(value, str) else f"{key} {shown}")
    if layer.batch_norm:
        details.append("batch norm")
    if layer.tied_to is not None:
        details.append(f"tied to {layer.tied_to}")
    return " ".join(what), ", ".join(details)


def _value_text(key: str, value: Any) -> str:
    if key == "blocks":
        return ", ".join(value)
    if isinstance(value, Mapping):
        parts = [
            str(part) if name == "type" else f"{name} {part:g}" for name, part in value.items()
        ]
        return " ".join(parts)
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, list | tuple):
        return f"{value:g}" if isinstance(value, float) else str(value)
    return ", ".join(map(str, value)) if key == "of" else shape_text(value)


def _is_nested(value: Any) -> bool:
    """Return whether a value is a list of layers, which have lines of their own."""
    return isinstance(value, list) and isinstance(value[0], Mapping)


def _is_plain(key: str, value: Any) -> bool:
    """Return whether a value is the usual one: absent, no padding, stride one."""
    usual = _USUAL.get(key, 0)
    parts = value if isinstance(value, list | tuple) else [value]
    return all(part is None or part == usual for part in parts)


def _heading(plan: Plan) -> list[str]:
    head = f", head {plan.spec.head.type}"
    if plan.parts:
        head += f" with {plan.head_parameters:,} of its own"
    return [
        plan.spec.name,
        f"input {shape_text(plan.input_shape)}, latent {plan.latent_size}, "
        f"{plan.parameters:,} parameters{head}",
        plan.notation,
    ]


def _head_lines(plan: Plan) -> Iterator[str]:
    """Yield the lines of the head's own networks and of the decoder's further inputs."""
    if plan.parts:
        width = max(len(part.name) for part in plan.parts)
        yield from ("", "networks of the head")
        for part in plan.parts:
            widths = " -> ".join(map(str, part.widths))
            yield f"   {part.name:<{width}}  {widths}  {part.parameters:,}"
    for condition in plan.conditions:
        yield f"   the decoder also takes {condition.name} ({condition.size})"


def _facing(plan: Plan) -> Iterator[_Facing]:
    """Yield each encoder layer with the decoder layer that undoes it, from the input down."""
    if plan.spec.decoder is not None:
        yield from zip_longest(plan.encoder, reversed(plan.decoder))
        return
    for layer in plan.encoder:
        inverse = [other for other in reversed(plan.decoder) if other.mirrors == layer.index]
        yield from zip_longest([layer], inverse)


def _lines(pairs: Sequence[_Facing], *, split: bool) -> list[str]:
    left = _half("encoder, downwards", [pair[0] for pair in pairs], split)
    if not any(right for _, right in pairs):
        return [line.rstrip() for lines in left for line in lines]
    right = _half("decoder, upwards", [pair[1] for pair in pairs], split)
    width = max(len(line) for lines in left for line in lines)
    return [
        f"{one:<{width}}{_BETWEEN}{other}".rstrip()
        for lines, others in zip(left, right, strict=True)
        for one, other in zip_longest(lines, others, fillvalue="")
    ]


def _half(title: str, layers: Sequence[PlannedLayer | None], split: bool) -> list[list[str]]:
    """Return the lines of one half: those of the title, then those of each layer, one or two."""
    texts = [("", "") if layer is None else layer_text(layer) for layer in layers]
    limit = max(len(what) for what, _ in texts) if split else None
    cells = (_all_cells(layer, *text, limit) for layer, text in zip(layers, texts, strict=True))
    groups = [[[title, "", "shape", "parameters"]], *cells]
    rows = [row for group in groups for row in group]
    widths = [max(len(row[column]) for row in rows) for column in (0, 2, 3)]
    return [[line for row in group for line in _row_lines(row, *widths)] for group in groups]


def _row_lines(row: Sequence[str], first: int, shape: int, size: int) -> list[str]:
    line = f"{row[0]:<{first}}  {row[2]:>{shape}}  {row[3]:>{size}}"
    return [line, row[1]] if row[1] else [line]


def _all_cells(
    layer: PlannedLayer | None, what: str, details: str, limit: int | None
) -> list[list[str]]:
    """Return the cells of the layer and, further to the right, of its nested layers."""
    nested = () if layer is None else layer.nested
    within = (_cells(each, *layer_text(each), limit) for each in nested)
    inner = [[f"   {row[0]}", row[1] and f"   {row[1]}", *row[2:]] for row in within]
    return [_cells(layer, what, details, limit), *inner]


def _cells(layer: PlannedLayer | None, what: str, details: str, limit: int | None) -> list[str]:
    """Return the layer, the details for a line of their own, the output shape, the size.

    Details stay beside the layer where both together are no longer than ``limit``.
    """
    if layer is None:
        return [""] * 4
    size = f"{layer.parameters:,}" if layer.parameters else ""
    shape = shape_text(layer.output_shape)
    text = f"{what}, {details}" if details else what
    if limit is not None and len(text) > limit:
        return [f"{layer.index:>2} {what}", f"   {details}", shape, size]
    return [f"{layer.index:>2} {text}", "", shape, size]


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
        **({} if layer.tied_to is None else {"tied_to": layer.tied_to}),
        **({"nested": [_document(each) for each in layer.nested]} if layer.nested else {}),
    }
