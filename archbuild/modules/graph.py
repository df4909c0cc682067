"""Graphs of modules: learning in turn, and recognising new rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archbuild.errors import UsageError
from archbuild.modules.checks import at_least
from archbuild.modules.module import Learned, Module, ancestors, side_by_side
from archbuild.modules.observation import Observation


def learning(module: Module) -> dict[int, Module]:
    """Return a module and all below it that learn, by number; observations are counted too."""
    numbered = enumerate(ancestors([module]))
    return {number: each for number, each in numbered if not isinstance(each, Observation)}


def exchange(*modules: Module, rounds: int = 1) -> None:
    """Update modules and all below them, from below, ``rounds`` times.

    Raises:
        UsageError: as ``Module.update``, or ``rounds`` is no number from 1.
    """
    at_least("rounds", rounds, 1)
    order = ancestors(modules)
    for _ in range(rounds):
        for module in order:
            module.update()


def recognise(module: Module, values: Mapping[Observation, Any]) -> dict[Module, Learned]:
    """Apply a graph that has learned to new rows.

    Args:
        module: the uppermost that is wanted.
        values: new rows for every observation below it.

    Returns:
        For the module and each below it, what it recognises.

    Raises:
        UsageError: an observation has no new rows, they differ in number, or a module has not
            learned.
        DataError: new rows are not like those that were learned from.
    """
    found: dict[Module, Learned] = {}
    for each in ancestors([module]):
        if isinstance(each, Observation):
            if each not in values:
                raise UsageError(
                    f"the observation {each.name} has no new rows; give values for each observation"
                )
            found[each] = each.recognise(values[each])
            continue
        messages = [found[parent].forward for parent in each.parents]
        each.refuse_other_rows(messages)
        found[each] = each.recognise(side_by_side(messages))
    return found
