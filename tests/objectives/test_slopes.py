"""Values and slopes of Gaussians and mixtures, on whichever backend runs, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild import objectives
from tests.objectives import references
from tests.objectives.cases import CHAINS, EXTREMES, GAUSSIAN, MIXTURE, arguments, chain
from tests.objectives.tensors import evaluate, gradients

CASES = GAUSSIAN + MIXTURE
pytestmark = pytest.mark.backends


@pytest.fixture(scope="module")
def found():
    """Every value and gradient by name."""
    named = {
        f"{name}({given})": (getattr(objectives, name), arguments(given)) for name, given in CASES
    }
    extremes = {f"{[*names]}": (chain(*names[1:]), EXTREMES[names[0]]) for names in CHAINS}
    found = {}
    for label, (function, given) in (named | extremes).items():
        found[f"{label}, value"] = evaluate(function, *given)
        for which, gradient in enumerate(gradients(function, *given)):
            found[f"{label}, gradient {which}"] = gradient
    return found


@pytest.mark.parametrize(("name", "given"), CASES)
def test_values_and_gradients_are_those_of_the_equation(found, name, given):
    equation, label = getattr(references, name), f"{name}({given})"
    expected = equation(*(each.astype("float64") for each in arguments(given)))
    np.testing.assert_allclose(found[f"{label}, value"], expected, rtol=1e-4, atol=1e-5)
    for which, slopes in enumerate(references.numerical_gradients(equation, *arguments(given))):
        gradient = found[f"{label}, gradient {which}"]
        np.testing.assert_allclose(gradient, slopes, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("names", CHAINS, ids=", ".join)
def test_values_and_gradients_stay_finite(found, names):
    of_chain = {label: each for label, each in found.items() if label.startswith(f"{[*names]}")}
    assert len(of_chain) == 6  # the value, and a gradient for each part of the model
    assert [label for label, each in of_chain.items() if not np.all(np.isfinite(each))] == []
