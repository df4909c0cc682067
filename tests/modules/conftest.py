"""Fixtures of the tests of modules."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(params=[2, 3])
def short_chain(request, rng):
    """Five rows: likelihoods and transitions of two or three states."""
    k = request.param
    return rng.uniform(0.05, 1, size=(5, k)), rng.dirichlet(np.ones(k), size=k)
