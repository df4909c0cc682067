"""Networks that the tests of this room share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from archbuild.registry import default_vocabulary
from archbuild.spec import Plan, make_plan, spec_from_tree


def plan_of(*layers: Mapping[str, Any], **keys: Any) -> Plan:
    vocabulary = default_vocabulary()
    tree = {"spec_version": 1, "name": "test", "layers": list(layers), **keys}
    return make_plan(spec_from_tree(tree, vocabulary), vocabulary)


@pytest.fixture(name="plan_of", scope="session")
def plan_of_fixture() -> Callable[..., Plan]:
    """Plan a network from its encoder's layers and any other keys of a spec."""
    return plan_of


@pytest.fixture(scope="session")
def network_of() -> Callable[..., Any]:
    """Build a network likewise; ``seed`` is 0 unless given."""
    from archbuild.networks.builder import build_network

    def network(*layers: Mapping[str, Any], seed: int = 0, **keys: Any) -> Any:
        return build_network(plan_of(*layers, **keys), default_vocabulary(), seed)

    return network
