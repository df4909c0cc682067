"""The models that travel with the package: whole, small, and as good as they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from archbuild.data import load_dataset
from archbuild.errors import UsageError
from archbuild.evaluation.scores import clustering_accuracy
from archbuild.models.published import find_published, published_names

NAMES = published_names()


def test_the_promised_models_are_there() -> None:
    assert {"digits", "mnist", "spiral"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_whole_and_small_and_names_no_place(name: str) -> None:
    model = find_published(name)
    model.stage.verify()
    assert model.size < 3_000_000
    assert model.stage.origin is not None
    assert model.stage.origin.location is None
    assert model.run.command.startswith(f"archbuild -d {model.run.dataset_name} -a ")
    assert " --out" not in model.run.command


@pytest.mark.parametrize("name", ["digits", "spiral"])  # their rows are always at hand
def test_a_model_reaches_the_accuracy_that_it_names(name: str) -> None:
    model = find_published(name)
    rows = load_dataset(model.run.dataset_name)
    clusters = [part.clusters for part in model.stage.open().predict(rows)]
    found = clustering_accuracy(rows.labels, [number for part in clusters for number in part])
    assert found == pytest.approx(model.scores["acc"], abs=1e-3)


def test_another_name_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"digits, .*spiral: did you mean 'digits'\?"):
        find_published("digit")
