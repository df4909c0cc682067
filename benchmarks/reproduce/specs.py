"""The specs of a run: as it is shipped, and with what the run changes of it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache
from typing import Any

from archbuild.data import arch_stem
from archbuild.io.documents import json_text
from archbuild.registry import default_vocabulary
from archbuild.spec import Spec, load_spec
from archbuild.spec.override import length_path
from archbuild.spec.reading import parse_text
from archbuild.spec.template import KINDS, spec_text
from benchmarks.reproduce.declared import Run


def shipped_spec(run: Run) -> Spec:
    """Return the spec with the run's head, without its overrides and lengths.

    Raises:
        DataError, SpecError, UsageError: there is no such dataset or spec.
    """
    return spec_of(replace(run, overrides=(), stages={}))


def spec_of(run: Run) -> Spec:
    """Return the spec as the run trains it.

    Raises:
        DataError, SpecError, UsageError: there is no such dataset or spec, or it cannot be changed
            so.
    """
    lengths = tuple((stage, count) for stage, count in run.stages.items() if count is not None)
    return _loaded(run.dataset, run.arch, run.head, run.overrides, lengths)


@cache  # a name is looked for in all files, and every page needs all specs
def _loaded(
    dataset: str,
    arch: str,
    head: str | None,
    overrides: tuple[str, ...],
    lengths: tuple[tuple[str, int], ...],
) -> Spec:
    return load_spec(
        arch,
        default_vocabulary(),
        stem=arch_stem(dataset),
        overrides=overrides,
        head=head,
        lengths=dict(lengths),
    )


def digest(run: Run) -> str:
    """Return twelve hexadecimal digits that change with anything in the run's spec.

    A spec that is written for data is not known without them: of it the digits change with what
    ``archbuild new`` writes for each kind of data.
    """
    tree = [*_templates(), *run.overrides] if run.own else spec_of(run).tree
    return hashlib.sha256(json_text(tree).encode()).hexdigest()[:12]


@cache
def _templates() -> list[Any]:
    return [parse_text(spec_text(kind), name, "yaml").tree for name, kind in KINDS.items()]


def length(spec: Spec, stage: str) -> dict[str, int]:
    """Return the length of a stage by what it counts: ``epochs``, or ``rounds``."""
    section, key = length_path(spec.tree, stage, default_vocabulary())
    return {key: spec.tree[section][key]}
