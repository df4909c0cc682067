from __future__ import annotations

import numpy as np
import pytest

from archbuild.data.location import DataLocation
from archbuild.data.registry import load_dataset
from archbuild.data.request import ReadOptions
from archbuild.errors import DataError
from archbuild.registry import default_vocabulary
from archbuild.spec import spec_of

TREE = {
    "spec_version": 1,
    "name": "own",
    "layers": [{"type": "Input", "output_shape": [2]}, {"type": "Dense", "num_units": 1}],
}


def spec(**keys):
    return spec_of({**TREE, **keys}, default_vocabulary())


def test_rows_are_read_as_the_spec_says(tmp_path):
    np.savez(tmp_path / "own.npz", x=np.eye(2), y=np.arange(2))
    location = DataLocation(str(tmp_path / "own.npz"))
    assert location.load(spec()).n_classes == 2
    assert location.load(spec(data={"labels": "none"})).labels is None
    assert location.load_held_out(spec()) is None


def test_a_location_survives_json(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = DataLocation("own.csv:kind", tmp_path)
    found = DataLocation.from_json(place.to_json())
    assert found == DataLocation(f"{tmp_path / 'own.csv'}:kind", tmp_path)
    assert DataLocation.from_json(DataLocation("DIGITS").to_json()) == DataLocation("DIGITS")


def test_a_named_dataset_takes_no_decision_but_that_of_labels():
    assert load_dataset("DIGITS", options=ReadOptions(labels="none")).labels is None
    with pytest.raises(DataError, match="only labels: none applies"):
        load_dataset("DIGITS", options=ReadOptions(header=True))
