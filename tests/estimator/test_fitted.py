"""The answers of a fitted estimator: clusters, latents, rows and the score."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from archbuild import DeepClustering
from archbuild.errors import RunError
from archbuild.estimator.backend import CollapseWarning
from archbuild.heads import HEADS
from archbuild.models.model import Model
from tests.estimator.conftest import SHORT

pytestmark = pytest.mark.graphs(False)


def test_the_clusters_of_every_head(fitted, blobs):
    X, _ = blobs
    probabilities = fitted.predict_proba(X)
    assert probabilities.shape == (64, 4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(fitted.labels_, probabilities.argmax(axis=1))
    np.testing.assert_array_equal(fitted.labels_, fitted.predict(X))
    epochs = 1 if HEADS[fitted.head].learns else 0
    assert (fitted.n_iter_, fitted.n_features_in_) == (epochs, 6)
    assert isinstance(fitted.converged_, bool)


def test_latents_decode_to_rows_in_the_units_of_the_data(blobs):
    X = 1000 * blobs[0] + 50_000
    model = DeepClustering(n_clusters=4, **SHORT).fit(X)
    rows = model.inverse_transform(model.transform(X))
    assert np.all(np.abs(rows.mean(axis=0) - X.mean(axis=0)) < X.std(axis=0))


def test_a_generative_head_draws_rows_of_every_cluster(fitted):
    if not HEADS[fitted.head].generates:
        with pytest.raises(RunError, match="no generative process"):
            fitted.sample()
        return
    rows, clusters = fitted.sample(3)
    assert rows.shape == (12, 6)
    np.testing.assert_array_equal(clusters, np.repeat(range(4), 3))
    np.testing.assert_array_equal(rows, fitted.sample(3)[0])


def test_images_come_back_as_images(of_images, images):
    latents = of_images.transform(images)
    assert latents.shape == (90, 3)
    assert of_images.n_features_in_ == 64
    assert of_images.inverse_transform(latents).shape == (90, 8, 8, 1)


def test_bytes_are_read_as_0_to_1(of_images, images):
    as_floats = of_images.transform(images.astype("float64") / 255)
    np.testing.assert_allclose(of_images.transform(images), as_floats, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("overrides", [(), ("data.channels=first",)])
def test_channels_in_front_come_back_in_front(images, overrides):
    colour = np.concatenate([images, images[::-1], 0 * images], axis=-1)
    first = np.moveaxis(colour, -1, 1)[:, :, :, :7]
    overrides = (*SHORT["overrides"], *overrides)
    model = DeepClustering(n_clusters=2, **{**SHORT, "overrides": overrides}).fit(first)
    latents = model.transform(first)
    np.testing.assert_array_equal(model.transform(first.reshape(len(first), -1)), latents)
    rows = model.inverse_transform(latents)
    assert rows.shape == first.shape
    assert rows[:, 2].max() < rows[:, 0].max()


def test_flat_rows_are_images_too(of_images, images):
    flat = images.reshape(90, 64)
    np.testing.assert_array_equal(of_images.transform(flat), of_images.transform(images))


def test_rows_of_another_shape_are_refused(of_images, images):
    for other in (images.reshape(90, 4, 16, 1), images[:, :4]):
        with pytest.raises(ValueError, match=r"was fitted on rows of shape \(8, 8, 1\)"):
            of_images.predict(other)
    with pytest.raises(ValueError, match="has 32 features"):
        of_images.predict(images[:, :4].reshape(90, 32))


def test_rows_in_other_units_are_answered_with_a_warning(of_images, images):
    with pytest.warns(UserWarning, match="in the same units"):
        assert of_images.predict(1000.0 * images).shape == (90,)


def test_whole_numbers_of_another_type_are_read_as_the_bytes_were(of_images, images):
    for kind in (float, np.int64):
        np.testing.assert_array_equal(of_images.predict(images.astype(kind)), of_images.labels_)


def test_what_is_not_fitted_says_so(blobs):
    for method in ("predict", "transform", "inverse_transform", "score"):
        with pytest.raises(NotFittedError):
            getattr(DeepClustering(), method)(blobs[0])
    with pytest.raises(NotFittedError):
        DeepClustering().sample()


def test_the_score_is_the_simplified_silhouette_of_the_latents(fitted, blobs):
    X, _ = blobs
    latents, clusters = fitted.transform(X).astype("float64"), fitted.predict(X)
    names = np.unique(clusters)
    means = np.stack([latents[clusters == name].mean(axis=0) for name in names])
    distances = np.linalg.norm(latents[:, None] - means, axis=2)
    mine = clusters[:, None] == names
    own, other = distances[mine], np.where(mine, np.inf, distances).min(axis=1)
    widths = (other - own) / np.maximum(own, other)
    widths[(clusters[:, None] == clusters).sum(axis=1) == 1] = 0
    assert fitted.score(X) == pytest.approx(widths.mean())


def test_the_score_runs_the_network_once(fitted, blobs, monkeypatch):
    calls, predict = [], Model.predict
    monkeypatch.setattr(Model, "predict", lambda *given: calls.append(1) or predict(*given))
    fitted.score(blobs[0])
    assert len(calls) == 1


def test_one_cluster_has_the_lowest_score(fitted, blobs):
    assert fitted.score(blobs[0][:1]) == -1.0


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_with_categories_and_gaps_are_encoded(library):
    frames = pytest.importorskip(library)
    rows = np.random.default_rng(0).normal(size=60) + 5 * (np.arange(60) % 2)
    frame = frames.DataFrame(
        {
            "size": [None if row % 7 == 0 else float(rows[row]) for row in range(60)],
            "colour": ["red" if row % 2 else "blue" for row in range(60)],
            "name": [f"row {row}" for row in range(60)],
        }
    )
    model = DeepClustering(n_clusters=2, pretrain_epochs=1, cluster_epochs=1, random_state=0)
    clusters = model.fit(frame).predict(frame[:9])
    np.testing.assert_array_equal(clusters, model.labels_[:9])
    assert model.n_features_in_ == 3
    assert model.get_encoded_names().tolist() == [
        *("size", "size is missing", "colour=blue", "colour=red")
    ]


def test_a_frame_may_be_embedded_and_masked():
    pandas = pytest.importorskip("pandas")
    rows = np.random.default_rng(0).normal(size=60) + 5 * (np.arange(60) % 2)
    rows[::7] = np.nan
    frame = pandas.DataFrame({"size": rows, "colour": ["red", "blue"] * 30})
    told = ["data.gaps=mask", "data.columns.colour=embedding"]
    model = DeepClustering(n_clusters=2, **{**SHORT, "overrides": (*SHORT["overrides"], *told)})
    clusters = model.fit(frame).predict(frame[:9])
    np.testing.assert_array_equal(clusters, model.labels_[:9])
    assert model.get_encoded_names().tolist() == ["size", "colour=blue", "colour=red"]
    layers = model._memory.model.plan.spec.layers
    assert layers[1].config["blocks"] == {"colour": [1, 2]}
    assert model._memory.origin.known.gaps


def test_a_column_that_identifies_the_rows_of_a_frame_is_no_feature(blobs):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(blobs[0], columns=list("abcdef"))
    frame.insert(2, "customer_id", range(1000, 1000 + len(frame)))
    told = (*SHORT["overrides"], "data.columns.customer_id=identifier")
    model = DeepClustering(n_clusters=4, **{**SHORT, "overrides": told}).fit(frame)
    assert model.get_encoded_names().tolist() == list("abcdef")
    for same in (frame, frame[["f", "customer_id", *"abcde"]], frame[[*"abcdef"]]):
        np.testing.assert_array_equal(model.predict(same), model.labels_)


def test_arrays_with_nan_are_masked_where_that_is_told(blobs):
    X = blobs[0].copy()
    X[::5, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        DeepClustering(n_clusters=4, **SHORT).fit(X)
    told = (*SHORT["overrides"], "data.gaps=mask")
    model = DeepClustering(n_clusters=4, **{**SHORT, "overrides": told}).fit(X)
    np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_latents_come_as_a_frame_where_they_are_asked_for(blobs):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(blobs[0], columns=list("abcdef"))
    model = DeepClustering(n_clusters=4, **SHORT).set_output(transform="pandas")
    latents = model.fit(frame).transform(frame)
    assert list(latents.columns) == list(model.get_feature_names_out())
    assert model.feature_names_in_.tolist() == list("abcdef")


def test_columns_that_float32_would_blur_are_scaled_first():
    X = np.stack([1_700_000_000_000 + 20_000 * (np.arange(60) % 2), np.arange(60)], axis=1)
    model = DeepClustering(n_clusters=2, **SHORT).fit(X)
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    scaled = model._memory.model.origin.scaler.apply(X.astype(np.float64))
    assert np.ptp(scaled[:, 0]) > 0.9


def test_a_collapse_is_warned_about():
    rows = np.repeat(np.arange(4.0), [96, 1, 1, 2])[:, None] * [1.0, 1.0]
    overrides = (*SHORT["overrides"], "head.start=k-means")
    with pytest.warns(CollapseWarning, match="whether the rows differ"):
        DeepClustering(n_clusters=30, **{**SHORT, "overrides": overrides}).fit(rows)
