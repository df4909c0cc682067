"""The reference of the spec language, generated from the same fields as the schema."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from archbuild.spec.augment import AUGMENT_FIELDS
from archbuild.spec.field import Field, Typed
from archbuild.spec.fragments import schema_of
from archbuild.spec.stages import STAGE_DEFAULTS, STAGE_FIELDS
from archbuild.spec.top import DATA_FIELDS, SUPERVISION_FIELDS, TOP_FIELDS
from archbuild.spec.values import describe, shown
from archbuild.spec.vocabulary import Vocabulary

_INTRODUCTION: Final = """\
# The spec language

Every key of a spec file, with its values, its default and its meaning. A file holds one spec or a
list of specs, in JSON or YAML. `archbuild validate FILE` checks it, `archbuild show -a FILE` draws
the network that it describes, and `archbuild schema` prints the same rules as a JSON Schema
for editors.

These are the files with `spec_version: 1`. For files without it see [classic.md](classic.md).

This page is generated: `archbuild schema --markdown`.
"""


def reference(vocabulary: Vocabulary, documented: Container[str] = ()) -> str:
    """Return the reference as Markdown: a table for the top, each section, layer and head.

    Args:
        vocabulary: the layer and head types.
        documented: names of the heads with a page of their own, which is linked.
    """
    return "\n".join([_INTRODUCTION, *_sections(vocabulary, documented)])


def _sections(vocabulary: Vocabulary, documented: Container[str]) -> Iterator[str]:
    yield _section("The top of a spec", "", TOP_FIELDS)
    about = "How the data are read. A key that is absent is guessed, and the guess is printed."
    yield _section("`data`", about, DATA_FIELDS)
    about = (
        "Changes to rows while training, drawn anew each time: [augmentation.md](augmentation.md)."
    )
    yield _section("`augment`", about, AUGMENT_FIELDS)
    about = "The only way for labels to reach training; for heads that use some."
    yield _section("`supervision`", about, SUPERVISION_FIELDS)
    stages = ", ".join(f"`{stage}`" for stage in STAGE_DEFAULTS)
    yield _section(stages, "Settings of a training stage.", STAGE_FIELDS, own=STAGE_DEFAULTS)
    yield "## Layers\n"
    for name, layer in vocabulary.layers.items():
        sides = " and ".join(sorted(layer.sides, reverse=True))
        yield _section(
            f"`{name}`", f"{_sentence(layer.summary)} Stands in: {sides}.", layer.fields, 3
        )
    yield "## Heads\n"
    for name, head in vocabulary.heads.items():
        link = f" In full: [heads/{name}.md](heads/{name}.md)." if name in documented else ""
        yield _section(f"`{name}`", _sentence(head.summary) + link, head.fields, 3)
        yield from _kinds(head.fields)
    yield from _parts(vocabulary)


def _kinds(fields: Iterable[Field]) -> Iterator[str]:
    """Yield a section for each list, with the types of its entries."""
    for field in _nested(fields):
        for name, kind in field.kinds.items():
            title = f"In `{field.name}`: `{name}`"
            yield _section(title, _sentence(kind.summary), kind.fields, 4)


def _parts(vocabulary: Vocabulary) -> Iterator[str]:
    """Return the mappings that may stand in place of a value, each once."""
    types: tuple[Typed, ...] = (*vocabulary.layers.values(), *vocabulary.heads.values())
    seen: dict[tuple[str, ...], Field] = {}
    for field in _nested(field for kind in types for field in kind.fields):
        if field.parts:
            seen.setdefault(tuple(part.name for part in field.parts), field)
    if seen:
        yield "## Mappings as values\n"
    for field in seen.values():
        yield _section(f"As `{field.name}`", "", field.parts, 3)


def _nested(fields: Iterable[Field]) -> Iterator[Field]:
    """Return the fields, and those of the mappings that their values may hold."""
    for field in fields:
        yield field
        yield from _nested(field.parts)
        for kind in field.kinds.values():
            yield from _nested(kind.fields)


def _section(
    title: str,
    about: str,
    fields: Sequence[Field],
    level: int = 2,
    own: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """Return a heading and a table; ``own``: the sections that share it, with their defaults."""
    heading = f"{'#' * level} {title}\n"
    rows = _table(fields, own or {}) if fields else ""
    return "\n".join(part for part in (heading, f"{about}\n" if about else "", rows) if part)


def _table(fields: Iterable[Field], own: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["| key | takes | default | meaning |", "|---|---|---|---|"]
    for field in fields:
        cells = [f"`{field.name}`", _takes(field), _default(field, own), field.doc]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _takes(field: Field) -> str:
    schema = schema_of(field)
    if "$ref" in str(schema):
        return "see below"
    return describe(schema)


def _default(field: Field, own: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the default, and the sections that have another."""
    if field.required:
        return "required"
    others = [
        f"in `{section}` {_code(values[field.name])}"
        for section, values in own.items()
        if values.get(field.name, field.default) != field.default
    ]
    return ", ".join([_code(field.default), *others])


def _code(value: Any) -> str:
    return f"`{value if isinstance(value, str) else shown(value)}`"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].removesuffix(".") + "."
