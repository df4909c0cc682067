from __future__ import annotations

import json
import logging

import numpy as np
import pytest

from archbuild.data import load_dataset
from archbuild.data.request import ReadOptions
from archbuild.errors import DataError, UsageError
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest

pytestmark = pytest.mark.graphs(False)
SHORT = ("pretrain.epochs=2", "cluster.epochs=1")


def spec_of(**blocks):
    """A spec for tables of an age, a city and a shop."""
    return {
        "spec_version": 1,
        "name": "cities",
        "scaling": "standardise",
        "output_non_linearity": "linear",
        "batch_size": 10,
        "data": {"columns": {"city": "embedding", "shop": "category"}},
        "layers": [
            {"type": "Input", "output_shape": [6]},
            {"type": "Embedding", "blocks": {"city": [1, 3], **blocks}},
            {"type": "Dense", "num_units": 2, "non_linearity": "linear"},
        ],
        "head": {"type": "kld", "n_clusters": 2},
    }


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    """A function from keys of the spec to the experiment on a table that the test writes."""
    monkeypatch.chdir(tmp_path)
    rows = [f"{row},{['Oslo', 'Rome', 'Bern'][row % 3]},{'ab'[row % 2]}" for row in range(30)]
    (tmp_path / "rows.csv").write_text("\n".join(["age,city,shop", *rows]) + "\n")

    def made(spec):
        (tmp_path / "spec.json").write_text(json.dumps(spec))
        return Experiment(ExperimentRequest("rows.csv", "spec.json", overrides=SHORT))

    return made


def test_embedded_categories_train_and_predict_also_unknown_ones(experiment, tmp_path, caplog):
    run = experiment(spec_of())
    assert run.pretrain()
    assert run.cluster()
    model = run.results().latest().open()
    (tmp_path / "new.csv").write_text("shop,city,age\na,Rome,3\nb,Paris,9\n")
    with caplog.at_level(logging.WARNING):
        new = load_dataset(
            "new.csv", options=ReadOptions.of(run.spec.data), known=model.origin.known
        )
    assert "'city' has categories that the model does not know, in 1 rows: 'Paris'" in caplog.text
    np.testing.assert_array_equal(new.values, [[3, 0, 0, 1, 1, 0], [9, 0, 0, 0, 0, 1]])
    (predicted,) = model.predict(new)
    assert np.isfinite(predicted.probabilities).all()


def test_blocks_elsewhere_than_in_the_data_are_refused(experiment):
    spec = spec_of()
    spec["layers"][1]["blocks"] = {"city": [0, 3]}
    with pytest.raises(DataError, match=r'write blocks: \{"city": \[1, 3\]\} in that layer'):
        experiment(spec)


def test_a_block_of_a_column_that_is_not_embedded_is_refused(experiment):
    with pytest.raises(DataError, match=r"embeds 'shop', and rows\.csv has no such column"):
        experiment(spec_of(shop=[4, 2]))


@pytest.mark.parametrize("size", [1e-40, 1e30])
def test_values_whose_squares_do_not_fit_are_refused_with_scalings(tmp_path, size):
    spec = {
        "spec_version": 1,
        "name": "sizes",
        "scaling": "none",
        "output_non_linearity": "linear",
        "layers": [
            {"type": "Input", "output_shape": [2]},
            {"type": "Dense", "num_units": 2, "non_linearity": "linear"},
        ],
        "head": {"type": "kld", "n_clusters": 2},
    }
    np.save(tmp_path / "x.npy", size * np.arange(40.0).reshape(20, 2))
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    paths = (str(tmp_path / name) for name in ("x.npy", "spec.json"))
    with pytest.raises(
        UsageError, match=r"squares float32 does not hold.*use scaling: standardise"
    ):
        Experiment(ExperimentRequest(*paths, out=tmp_path)).pretrain()


def test_labels_that_supervision_needs_are_missed_before_the_number_of_classes(tmp_path):
    (tmp_path / "rows.csv").write_text(
        "\n".join(["a,b", *(f"{row},{row % 7}" for row in range(30))])
    )
    spec = {
        "spec_version": 1,
        "name": "classes",
        "decoder": "none",
        "layers": [{"type": "Input", "output_shape": [2]}, {"type": "Dense", "num_units": 2}],
        "head": {"type": "classifier"},
        "supervision": {"labels": "all"},
    }
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    request = ExperimentRequest(
        str(tmp_path / "rows.csv"), str(tmp_path / "spec.json"), out=tmp_path
    )
    with pytest.raises(DataError, match="rows has no labels, and the spec's supervision needs"):
        Experiment(request).spec  # noqa: B018
