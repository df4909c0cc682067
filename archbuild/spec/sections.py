"""A section of a spec on its own, before there is a spec."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from archbuild.errors import Problem, SpecError
from archbuild.spec.hints import key_hint
from archbuild.spec.override import apply_overrides
from archbuild.spec.top import DATA_FIELDS
from archbuild.spec.values import did_you_mean, value_problems


def data_section(assignments: Sequence[str]) -> dict[str, Any]:
    """Return the ``data`` section that assignments such as ``data.header=false`` make.

    Raises:
        SpecError: a key is unknown, or a value is not allowed.
    """
    tree, _ = apply_overrides({}, assignments)
    section: dict[str, Any] = tree.get("data", {})
    fields = {field.name: field for field in DATA_FIELDS}
    problems = [
        Problem("unknown key", ("data", key), None, ", ".join(fields), _advice(key, fields))
        for key in section
        if key not in fields
    ]
    for key in section.keys() & fields.keys():
        problems += value_problems(fields[key], section[key], ("data", key))
    if problems:
        raise SpecError(problems)
    return section


def _advice(key: str, allowed: Collection[str]) -> str | None:
    return key_hint(key, allowed) or did_you_mean(key, allowed)
