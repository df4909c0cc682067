"""Makers of fields, by the kind of their values: numbers, choices, shapes, schedules, sections."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from archbuild.spec.field import REQUIRED, Field, Typed
from archbuild.spec.fragments import by_type, mapping_of, typed_mapping

NON_LINEARITIES: Final = {
    # the seed's names, and those of Keras: spec name -> Keras activation
    "rectify": "relu",
    "relu": "relu",
    "linear": "linear",
    "elu": "elu",
    "selu": "selu",
    "gelu": "gelu",
    "silu": "silu",
    "softplus": "softplus",
    "leaky_relu": "leaky_relu",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
}


@dataclass(frozen=True)
class Kind:
    """A type of entry that is nothing but its fields."""

    name: str
    summary: str
    fields: tuple[Field, ...] = ()


def integer(
    name: str,
    doc: str,
    *,
    minimum: int = 1,
    maximum: int = 10_000_000,
    word: str | None = None,
    default: Any = REQUIRED,
) -> Field:
    """Declare a whole number from ``minimum`` to ``maximum``; ``word`` may replace it."""
    whole = {"type": "integer", "minimum": minimum, "maximum": maximum}
    schema = whole if word is None else {"anyOf": [{"const": word}, whole]}
    return Field(name, schema, default, doc)


def number(
    name: str,
    doc: str,
    *,
    minimum: float | None = 0.0,
    maximum: float | None = None,
    above: float | None = None,
    default: Any = REQUIRED,
) -> Field:
    """Declare a finite number; ``above`` excludes its bound, the others include theirs."""
    schema: dict[str, Any] = {"type": "number"}
    if above is not None:
        schema["exclusiveMinimum"] = above
    elif minimum is not None:
        schema["minimum"] = minimum
    if maximum is not None:
        schema["maximum"] = maximum
    return Field(name, schema, default, doc)


def boolean(name: str, doc: str, *, default: Any = REQUIRED) -> Field:
    """Declare true or false; the classic format's 0 and 1 are migrated before the check."""
    return Field(name, {"type": "boolean"}, default, doc)


def text(name: str, doc: str, *, default: Any = REQUIRED) -> Field:
    """Declare a text that is not empty."""
    return Field(name, {"type": "string", "minLength": 1}, default, doc)


def choice(name: str, options: Sequence[str], doc: str, *, default: Any = REQUIRED) -> Field:
    """Declare one of a closed list of words."""
    return Field(name, {"type": "string", "enum": list(options)}, default, doc)


def non_linearity(*, default: Any = "rectify") -> Field:
    """Declare the activation after a layer."""
    return activation("non_linearity", "The activation.", default=default)


def activation(name: str, doc: str, *, default: Any) -> Field:
    """Declare an activation: its name, or a mapping that gives its slope too."""
    named = {"type": "string", "enum": list(NON_LINEARITIES)}
    return Field(name, {"anyOf": [named, _mapping(SLOPE_PARTS)]}, default, doc, SLOPE_PARTS)


def size(name: str, axes: int, doc: str, *, minimum: int = 1, default: Any = REQUIRED) -> Field:
    """Declare one whole number for every axis, or a list with one for each of ``axes``."""
    whole = {"type": "integer", "minimum": minimum, "maximum": 65_536}
    each = {"type": "array", "items": whole, "minItems": axes, "maxItems": axes}
    return Field(name, {"anyOf": [whole, each]}, default, doc)


def widths(name: str, doc: str, *, default: Any = REQUIRED) -> Field:
    """Declare the widths of a stack of layers, from below; an empty list for none."""
    whole = {"type": "integer", "minimum": 1, "maximum": 65_536}
    return Field(name, {"type": "array", "items": whole, "maxItems": 20}, default, doc)


def implicit(field: Field) -> Field:
    """Return a field that resolved specs leave out where it has its default."""
    return replace(field, implicit=True)


def shape(name: str, doc: str, *, default: Any = REQUIRED) -> Field:
    """Declare a shape without the batch.

    ``[features]``, ``[channels, length]``, ``[channels, height, width]`` or ``[channels, depth,
    height, width]``.
    """
    whole = {"type": "integer", "minimum": 1, "maximum": 100_000_000}
    return Field(
        name, {"type": "array", "items": whole, "minItems": 1, "maxItems": 4}, default, doc
    )


def section(name: str, parts: Sequence[Field], doc: str, *, default: Any = REQUIRED) -> Field:
    """Declare a mapping with fields of its own."""
    return Field(name, _mapping(parts), default, doc, tuple(parts))


def schedule(name: str, doc: str, *, default: Any = REQUIRED) -> Field:
    """Declare a weight: a number, or a schedule (``SCHEDULE_PARTS``)."""
    constant = {"type": "number", "minimum": 0.0}
    schema = {"anyOf": [constant, _mapping(SCHEDULE_PARTS)]}
    return Field(name, schema, default, doc, SCHEDULE_PARTS)


def entries(
    name: str,
    kinds: Iterable[Typed],
    doc: str,
    *,
    noun: str = "entry",
    minimum: int = 1,
    maximum: int = 100,
    default: Any = REQUIRED,
) -> Field:
    """Declare a list of mappings, each with a ``type`` that is one of ``kinds``.

    The type decides the other keys of its entry, as that of a layer does. ``default`` is such a
    list, in which fields may be left out too, or ``None``.
    """
    by_name = {kind.name: kind for kind in kinds}
    items = {
        "description": f"a mapping (type: {', '.join(by_name)})",
        **by_type({kind.name: typed_mapping(kind) for kind in by_name.values()}),
    }
    schema = {"type": "array", "minItems": minimum, "maxItems": maximum, "items": items}
    return Field(name, schema, default, doc, kinds=by_name, noun=noun)


def _mapping(parts: Sequence[Field]) -> dict[str, Any]:
    needed = [part.name for part in parts if part.required]
    optional = [part.name for part in parts if not part.required]
    more = ", ".join(optional)
    words = f"{' and '.join(needed)} (optional: {more})" if needed else f"any of {more}"
    return {"description": f"a mapping with {words}", **mapping_of(parts)}


SLOPE_PARTS: Final = (
    choice("type", ["leaky_rectify", "leaky_relu"], "Activation; both names mean the same."),
    number("slope", "Slope below 0; leaky_relu alone has 0.2.", maximum=1.0),
)

UNIT: Final = choice("unit", ["epochs", "steps"], "Unit of the lengths.", default="epochs")

SCHEDULE_PARTS: Final = (
    number("start", "Value at the beginning.", default=0.0),
    number("end", "Value at the end of the ramp."),
    number("ramp", "Length of the way from start to end.", above=0.0),
    number("hold", "Length of the stay at the end before a repetition.", default=0.0),
    number(
        "power",
        "Exponent of the ramp: 1 is a line, 3 rises slowly at first.",
        above=0.0,
        default=1.0,
    ),
    boolean("repeat", "Repetition of ramp and hold.", default=False),
    UNIT,
)
