"""Both tiers of the check, as far as the first lets the second go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from archbuild.errors import Problem
from archbuild.spec.resolve import resolve
from archbuild.spec.semantics import semantic_problems
from archbuild.spec.structure import structure_problems
from archbuild.spec.vocabulary import HeadType, Vocabulary


def check(tree: Any, vocabulary: Vocabulary) -> list[Problem]:
    """Return everything wrong with a spec of the current version; paths but no places.

    Where the structure of ``layers`` is right the network is followed through even if other parts
    of the spec are not: those count as absent meanwhile.
    """
    problems = structure_problems(tree, vocabulary)
    broken = {problem.path[0] if problem.path else "" for problem in problems}
    if not isinstance(tree, Mapping) or broken & {"", "layers"}:
        return problems
    usable = {"name": "unnamed"} | {key: tree[key] for key in tree if key not in broken}
    if "head" in broken:
        usable["head"] = {"type": _NoHead.name}
        usable.pop("supervision", None)  # whether it is right depends on the head
        vocabulary = replace(vocabulary, heads={_NoHead.name: _NoHead})
    return problems + semantic_problems(resolve(usable, vocabulary), vocabulary)


class _NoHead(HeadType):
    """Stand in for a head that has problems, and find none in the network."""

    name = "none"
    summary = "no head"
