"""Specs and a vocabulary that the tests of this room share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from archbuild.errors import Problem, SpecError
from archbuild.registry import default_vocabulary
from archbuild.spec import HeadType, Plan, Vocabulary, spec_from_tree
from archbuild.spec.fields import Kind, choice, entries, integer, number, schedule

TREE: dict[str, Any] = {
    "spec_version": 1,
    "name": "small",
    "layers": [
        {"type": "Input", "output_shape": [1, 8, 8]},
        {"type": "Conv2D", "num_filters": 4, "filter_size": [3, 3]},
        {"type": "MaxPool2D", "filter_size": [2, 2]},
        {"type": "Dense", "num_units": 5, "non_linearity": "linear"},
    ],
}


class PickyHead(HeadType):
    """A head that wants no more clusters than the latent space has dimensions."""

    name = "picky"
    summary = "for tests"
    fields = (integer("n_clusters", "How many.", default=None),)

    @classmethod
    def check(cls, config: Mapping[str, Any], plan: Plan) -> Sequence[tuple[str, str, str]]:
        if (config["n_clusters"] or 0) > plan.latent_size:
            return [("n_clusters", "more clusters than dimensions", "ask for fewer")]
        return []


class ModularHead(HeadType):
    """A head with lists of typed entries: one with a default, one optional, one within another."""

    name = "modular"
    summary = "for tests"
    fields = (
        entries(
            "modules",
            [
                Kind(
                    "gmm",
                    "a mixture",
                    (
                        integer("sweeps", "How often.", default=100),
                        choice("inference", ["gibbs", "em"], "How.", default="gibbs"),
                        number("scale", "How wide.", default=1),
                        schedule("weight", "How much.", default=0.0),
                    ),
                ),
                Kind("markov", "a chain"),
                Kind(
                    "topics",
                    "words in topics",
                    (
                        integer("count", "How many."),
                        entries("words", [Kind("plain", "as it is")], "Which.", default=None),
                    ),
                ),
            ],
            "What exchanges messages.",
            noun="module",
            maximum=3,
            default=[{"type": "gmm"}],
        ),
        entries("readers", [PickyHead], "What reads them.", default=None),
    )


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    """archbuild's own layers and heads, and two heads that an extension brings."""
    own = default_vocabulary()
    return Vocabulary(own.layers, {**own.heads, "picky": PickyHead, "modular": ModularHead})


@pytest.fixture
def tree() -> dict[str, Any]:
    return deepcopy(TREE)


@pytest.fixture
def problems_of(vocabulary: Vocabulary) -> Callable[..., tuple[Problem, ...]]:
    """The problems of a tree; fails where there are none."""

    def problems(tree: Any, **options: Any) -> tuple[Problem, ...]:
        with pytest.raises(SpecError) as caught:
            spec_from_tree(tree, vocabulary, **options)
        return caught.value.problems

    return problems


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Any], Path]:
    """Write a file: bytes and text as they are, other things as JSON."""

    def write_file(name: str, content: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(content, bytes | str):
            content = json.dumps(content, indent=2)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file
