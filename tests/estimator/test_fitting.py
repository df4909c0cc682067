"""Labels on their way from ``y`` to training."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild import DeepClustering
from archbuild.data import dataset_from_arrays
from archbuild.errors import DataError
from archbuild.estimator.fitting import spec_for, with_labels
from archbuild.heads.self_training import SelfTrainingHead
from archbuild.models.run import open_run
from tests.estimator.conftest import SHORT

pytestmark = pytest.mark.graphs(False)
SUPERVISION = ["supervision.labels=all"]


@pytest.fixture
def taught(monkeypatch):
    """Lets the head that specs are written with have labels; it does nothing with them."""
    monkeypatch.setattr(SelfTrainingHead, "labels_used", "some")


def dataset_and_spec(overrides):
    dataset = dataset_from_arrays("rows", np.random.default_rng(0).normal(size=(9, 3)))
    changed = {"overrides": overrides, "head": None, "lengths": {}}
    return dataset, spec_for(dataset, None, changed)


@pytest.mark.usefixtures("taught")
@pytest.mark.parametrize(
    "y",
    [
        [7, 3, -1] * 3,
        [7.0, 3.0, np.nan] * 3,
        ["7", "3", ""] * 3,
        np.array([7, 3, None] * 3, object),
    ],
)
def test_labels_may_be_unknown(y):
    found = with_labels(*dataset_and_spec(SUPERVISION), y)
    assert found.labels.tolist() == [1, 0, -1] * 3
    assert found.class_names == ("3", "7")


@pytest.mark.usefixtures("taught")
def test_labels_that_cannot_be_are_refused():
    dataset, spec = dataset_and_spec(SUPERVISION)
    with pytest.raises(ValueError, match="the spec has supervision, and y is None"):
        with_labels(dataset, spec, None)
    with pytest.raises(DataError, match=r"the labels in y have shape \(2,\)"):
        with_labels(dataset, spec, [1, 2])


def test_without_supervision_labels_are_not_even_looked_at():
    assert with_labels(*dataset_and_spec([]), "no labels").labels is None


@pytest.mark.usefixtures("taught")
def test_labels_reach_the_stage(blobs, tmp_path):
    X, groups = blobs
    some = np.where(np.arange(len(X)) % 2, groups, -1)
    keys = {**SHORT, "overrides": [*SHORT["overrides"], *SUPERVISION]}
    model = DeepClustering(n_clusters=4, out=tmp_path, **keys)
    assert model.fit_predict(X, some).shape == (len(X),)
    (folder,) = {path.parent.parent for path in tmp_path.rglob("manifest.json")}
    assert open_run(folder).stage("cluster-self_training").labels_used == len(X) // 2
