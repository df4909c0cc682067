"""A key of a spec: name, JSON Schema, default and meaning together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol


class _Required:
    """The default of a field that has none."""

    def __repr__(self) -> str:
        return "required"


REQUIRED: Final = _Required()


@dataclass(frozen=True)
class Field:
    """One key of a spec.

    Attributes:
        name: the key.
        schema: a draft-07 JSON Schema fragment for its value.
        default: what stands when the key is absent; ``REQUIRED`` where it may not be.
        doc: one sentence for the schema, the reference and ``archbuild list``.
        parts: where the value may be a mapping, the fields of that.
        kinds: where the value is a list of mappings with a ``type``, what each type means.
        noun: what messages call an entry of that list.
        implicit: whether the resolved spec leaves the key out where its value is the default, so
            that the specs of runs from before there was such a key stay what they are.
    """

    name: str
    schema: Mapping[str, Any] = field(hash=False)
    default: Any = field(default=REQUIRED, hash=False)
    doc: str = ""
    parts: tuple[Field, ...] = field(default=(), hash=False)
    kinds: Mapping[str, Typed] = field(default_factory=dict, hash=False)
    noun: str = ""
    implicit: bool = False

    @property
    def takes_fractions(self) -> bool:
        """True if a number may be a fraction."""
        branches = self.schema.get("anyOf", [self.schema])
        return any(branch.get("type") == "number" for branch in branches)

    @property
    def required(self) -> bool:
        """True if the field has no default."""
        return self.default is REQUIRED


class Typed(Protocol):
    """Something that a ``type`` in a spec names: a layer, a head, or an entry of a field's list."""

    @property
    def name(self) -> str:
        """The word after ``type``."""

    @property
    def summary(self) -> str:
        """Its description, in one sentence."""

    @property
    def fields(self) -> Sequence[Field]:
        """The keys beside ``type``."""
