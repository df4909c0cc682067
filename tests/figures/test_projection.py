from __future__ import annotations

import warnings

import numpy as np
import pytest

from archbuild.errors import DataError
from archbuild.figures import projection
from archbuild.figures.projection import project, sample_indices


def test_sample_depends_on_the_three_numbers_alone():
    chosen = sample_indices(70_000, 4, 5000)
    assert chosen.shape == (5000,)
    assert (np.diff(chosen) > 0).all()
    assert np.array_equal(chosen, sample_indices(70_000, 4, 5000))
    assert not np.array_equal(chosen, sample_indices(70_000, 5, 5000))


def test_few_rows_are_all_taken():
    assert sample_indices(7, 0, 10).tolist() == list(range(7))


def test_every_space_of_a_dataset_gets_the_same_rows(rng):
    raw, latents = rng.random((90, 12)), rng.random((90, 2))
    assert np.array_equal(project(raw, 1, limit=40).indices, project(latents, 1, limit=40).indices)


def test_tsne_keeps_blobs_together_and_repeats_itself(rng, monkeypatch):
    labels = np.repeat([0, 1, 2], 40)
    values = rng.normal(size=(120, 8)) + 12 * np.eye(3, 8)[labels]
    first = project(values, 0)
    monkeypatch.setattr(projection, "_MAPS", {})
    second = project(values, 0)
    assert first.method == "t-SNE"
    assert first.points.shape == (120, 2)
    assert np.array_equal(first.points, second.points)
    distance = np.linalg.norm(first.points[:, None] - first.points[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    assert (labels[distance.argmin(axis=1)] == labels).mean() > 0.97


def test_the_same_points_are_mapped_once(rng, monkeypatch):
    mapped = []
    monkeypatch.setattr(projection, "_MAPS", {})
    monkeypatch.setattr(projection, "tsne", lambda rows, seed: mapped.append(seed) or rows[:, :2])
    values = rng.random((30, 5))
    for rows, seed in ((values, 0), (values.copy(), 0), (values, 1), (values + values**2, 0)):
        project(rows, seed)
    assert mapped == [0, 1, 0]


def test_two_dimensions_come_as_they_are(rng):
    values = rng.random((30, 2))
    space = project(values, 0)
    assert space.method == "as is"
    assert np.array_equal(space.points, values)


def test_one_dimension_is_spread_vertically(rng):
    values = rng.random((30, 1))
    space = project(values, 0)
    assert np.array_equal(space.points[:, 0], values[:, 0])
    assert np.ptp(space.points[:, 1]) > 0.5


def test_images_are_flattened(rng):
    images = rng.random((20, 4, 4, 1)).astype(np.float32)
    assert np.array_equal(project(images, 0).points, project(images.reshape(20, 16), 0).points)


@pytest.mark.parametrize("count", [1, 2, 3, 9, 10, 11, 31])
def test_any_number_of_rows_gives_finite_points(rng, count):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        points = project(rng.random((count, 5)), 0).points
    assert points.shape == (count, 2)
    assert np.isfinite(points).all()


@pytest.mark.parametrize("distinct", [1, 2, 12])
@pytest.mark.parametrize("level", [0.1, 1e30])
def test_duplicates_give_finite_points(rng, distinct, level):
    values = np.repeat(level * rng.random((distinct, 7), dtype=np.float32), 30, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        space = project(values, 0)
    assert np.isfinite(space.points).all()
    assert space.method == ("PCA" if distinct < 10 else "t-SNE")
    if distinct == 1:
        assert not space.points.any()


def test_only_the_sampled_rows_are_read():
    class OnDisk:
        """Stands for a memory map: notes which rows were asked for."""

        shape = (1000, 3)

        def __len__(self):
            return 1000

        def __getitem__(self, rows):
            self.read = rows
            return np.random.default_rng(0).random((len(rows), 3))

    values = OnDisk()
    space = project(values, 0, limit=15)
    assert values.read.tolist() == space.indices.tolist()


def test_broken_rows_are_refused_with_their_number(rng):
    values = rng.random((30, 4))
    values[17, 2] = np.nan
    with pytest.raises(DataError, match=r"1 of the 30 rows .* row 17"):
        project(values, 0)


@pytest.mark.parametrize("shape", [(0, 4), (4, 0)])
def test_nothing_to_draw_is_refused(shape):
    with pytest.raises(DataError, match="nothing to draw"):
        project(np.empty(shape), 0)
