"""Plans to try layers in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from archbuild.spec import Plan
from tests.layers import contract


@pytest.fixture(scope="session")
def plan_of() -> Callable[..., Plan]:
    """Plan a network from its encoder's layers and any other keys of a spec."""
    return contract.plan_of
