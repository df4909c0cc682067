"""Pictures of the levels of latents: which row shows what, for every kind of answer."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from archbuild.data import dataset_from_arrays
from archbuild.figures.levels import LevelsPicture


class OfTwoLevels:
    """A model whose rows hold the number of their level, and of their cluster behind the point."""

    begun_head = SimpleNamespace(latent_names=("a", "z"))

    class_names = ("no", "yes")

    def __init__(self, n_clusters):
        self.n_clusters = n_clusters

    def generate(self, per_cluster, seed, level):
        rows = level + np.arange(self.n_clusters)[:, None, None] / 10
        return np.broadcast_to(rows, (self.n_clusters, per_cluster, 3))


@pytest.fixture
def drawn(monkeypatch):
    """What is drawn of a head: the level and cluster of each row of samples, and the names."""
    given = {}

    def drawing(rows, title, path, caption, *, row_names, **_):
        given.update(rows=rows[:, 0, 0].tolist(), names=row_names, title=title)
        return path

    monkeypatch.setattr("archbuild.figures.levels.draw_generated", drawing)

    def draw(n_clusters, answers):
        stage = SimpleNamespace(
            model=OfTwoLevels(n_clusters),
            finds_clusters=answers != "nothing",
            finds_classes=answers == "classes",
            space="deep",
            progress="",
        )
        run = SimpleNamespace(
            dataset=dataset_from_arrays("some", np.eye(20, 3)),
            spec=SimpleNamespace(input_shape=(3,)),
            seed=0,
            title=str,
        )
        LevelsPicture().draw_stage(run, stage, Path("x.png"))
        return given

    return draw


def test_the_top_level_stands_in_the_first_row(drawn):
    found = drawn(1, "nothing")
    assert found["names"] == ["z", "a"]
    assert found["rows"] == [2, 1]
    assert found["title"] == "latents of deep, one level varied at a time"


def test_each_level_has_a_row_for_each_class(drawn):
    found = drawn(2, "classes")
    assert found["names"] == ["z · no", "z · yes", "a · no", "a · yes"]
    assert found["rows"] == [2, 2.1, 1, 1.1]


def test_each_level_has_a_row_for_each_cluster(drawn):
    assert drawn(2, "clusters")["names"][:2] == ["z · cluster 0", "z · cluster 1"]
