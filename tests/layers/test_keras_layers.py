"""Keras layers for anybody's model, against NumPy; the inverse of pooling has its own file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from archbuild import layers
from archbuild.registry import default_vocabulary

PIXELS = (7, 9, 2)


def _pools() -> keras.Model:
    rows = keras.Input(PIXELS)
    pooled, switches = layers.SwitchedMaxPool2D((2, 3), name="pool")(rows)
    back = layers.InverseMaxPool2D((2, 3))([pooled, switches])
    repeated = layers.Unpool2D((2, 3), output_padding=(1, 0))(pooled)
    return keras.Model(rows, [back, repeated])


def _clusters() -> keras.Model:
    rows = keras.Input((5,))
    return keras.Model(rows, layers.ClusteringLayer(3, degrees_of_freedom=2.0)(rows))


def _series() -> keras.Model:
    rows = keras.Input((4, 2))
    return keras.Model(rows, layers.Unpool1D(3, output_padding=2)(rows))


def _sizes() -> keras.Model:
    rows = keras.Input((4, 3, 2))
    return keras.Model(rows, layers.Resize((9, 5))(layers.Spread((2, 3))(layers.Noise(2.0)(rows))))


def test_spreading_puts_zeros_between(rng: np.random.Generator) -> None:
    image, series = rng.normal(size=(2, 3, 4, 2)), rng.normal(size=(2, 3, 2))
    expected = np.zeros((2, 5, 10, 2), "float32")
    expected[:, ::2, ::3] = image
    np.testing.assert_array_equal(convert_to_numpy(layers.Spread((2, 3))(image)), expected)
    apart = convert_to_numpy(layers.Spread([3])(series))
    assert apart.shape == (2, 7, 2)
    np.testing.assert_array_equal(apart[:, ::3], series.astype("float32"))


def test_resizing_to_a_multiple_by_the_nearest_repeats(rng: np.random.Generator) -> None:
    image, series = rng.normal(size=(2, 3, 4, 2)), rng.normal(size=(2, 3, 2))
    found = convert_to_numpy(layers.Resize((6, 12), "nearest")(image))
    np.testing.assert_array_equal(found, image.repeat(2, 1).repeat(3, 2).astype("float32"))
    longer = convert_to_numpy(layers.Resize([6], "nearest")(series))
    np.testing.assert_array_equal(longer, series.repeat(2, axis=1).astype("float32"))


def test_unpooling_repeats_and_puts_zeros_after(rng: np.random.Generator) -> None:
    image, series = rng.normal(size=(2, 3, 4, 2)), rng.normal(size=(2, 3, 2))
    expected = image.repeat(2, axis=1).repeat(3, axis=2)
    expected = np.pad(expected, [(0, 0), (0, 1), (0, 2), (0, 0)]).astype("float32")
    layer = layers.Unpool2D((2, 3), output_padding=(1, 2))
    np.testing.assert_array_equal(convert_to_numpy(layer(image)), expected)
    assert layer.compute_output_shape((None, 3, None, 2)) == (None, 7, None, 2)
    longer = np.pad(series.repeat(2, axis=1), [(0, 0), (0, 1), (0, 0)]).astype("float32")
    np.testing.assert_array_equal(convert_to_numpy(layers.Unpool1D(2, 1)(series)), longer)


def test_where_the_maxima_are_with_a_rest_left_out() -> None:
    image = np.array([[1, 3, 9], [3, 2, 9]], "float32")[None, :, :, None]
    pooled, switches = layers.SwitchedMaxPool2D(2)(image)
    np.testing.assert_array_equal(convert_to_numpy(pooled), np.full((1, 1, 1, 1), 3.0))
    np.testing.assert_array_equal(convert_to_numpy(switches)[0, :, :, 0], [[0, 1, 0], [1, 0, 0]])


def test_the_soft_assignment_is_that_of_the_paper(rng: np.random.Generator) -> None:
    rows, centres = rng.normal(size=(6, 5)), rng.normal(size=(3, 5))
    layer = layers.ClusteringLayer(3, degrees_of_freedom=2.0)
    layer.build((None, 5))
    layer.set_weights([centres])
    squared = np.square(rows[:, None] - centres[None]).sum(axis=2)
    kernel = (1 + squared / 2.0) ** (-(2.0 + 1) / 2)
    expected = kernel / kernel.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(convert_to_numpy(layer(rows)), expected, rtol=1e-5)


@pytest.mark.parametrize("arguments", [{"n_clusters": 0}, {"degrees_of_freedom": 0.0}])
def test_a_clustering_layer_refuses_what_makes_no_kernel(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected n_clusters of at least 1"):
        layers.ClusteringLayer(**{"n_clusters": 2, **arguments})


def test_deep_embedded_clustering_in_plain_keras(rng: np.random.Generator) -> None:
    """The target distribution of the layer's own output pulls the rows towards their centres."""
    from archbuild.objectives import target_distribution

    rows = np.concatenate([rng.normal(-2, 0.5, (40, 5)), rng.normal(2, 0.5, (40, 5))])
    model = _clusters()
    model.compile("adam", "kl_divergence")
    model.layers[-1].set_weights([rows[[0, 20, 60]]])
    targets = convert_to_numpy(target_distribution(model.predict(rows, verbose=0)))
    history = model.fit(rows, targets, epochs=5, verbose=0).history["loss"]
    assert history[-1] < history[0]


@pytest.mark.parametrize("make", [_pools, _clusters, _series, _sizes])
def test_a_model_comes_back_from_its_file(
    make: Any, rng: np.random.Generator, tmp_path: Path
) -> None:
    model = make()
    rows = rng.normal(size=(4, *model.input_shape[1:]))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for found, expected in zip(
        keras.tree.flatten(again.predict(rows, verbose=0)),
        keras.tree.flatten(model.predict(rows, verbose=0)),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)
    assert [layer.get_config() for layer in again.layers] == [
        layer.get_config() for layer in model.layers
    ]


def test_networks_are_made_of_them(plan_of: Any) -> None:
    from archbuild.networks.builder import build_network

    plan = plan_of(
        {"type": "Input", "output_shape": [1, 9, 9]},
        {"type": "MaxPool2D*", "filter_size": 2},
        {"type": "MaxPool2D", "filter_size": 2},
        {"type": "Dense", "num_units": 3},
    )
    network = build_network(plan, default_vocabulary(), seed=0)
    kinds = {type(layer) for layer in (*network.encoder.layers, *network.decoder.layers)}
    assert {layers.SwitchedMaxPool2D, layers.InverseMaxPool2D, layers.Unpool2D} <= kinds


def test_weights_are_stored_under_the_names_of_before(plan_of: Any, tmp_path: Path) -> None:
    """Layers without weights do not move the names under which others are found."""
    import h5py

    from archbuild.networks.builder import build_network

    plan = plan_of(
        {"type": "Input", "output_shape": [1, 8, 8]},
        {"type": "Conv2D", "num_filters": 2, "filter_size": 3},
        {"type": "MaxPool2D*", "filter_size": 2},
        {"type": "Conv2D", "num_filters": 2, "filter_size": 2},
        {"type": "MaxPool2D", "filter_size": 2},
        {"type": "Dense", "num_units": 3},
    )
    build_network(plan, default_vocabulary(), seed=0).save_weights(tmp_path / "a.weights.h5")
    stored: list[str] = []
    with h5py.File(tmp_path / "a.weights.h5") as file:
        file.visititems(
            lambda name, thing: stored.append(name) if hasattr(thing, "dtype") else None
        )
    layers_of = {
        "encoder": ["conv2d", "conv2d_1", "dense"],
        "decoder": ["conv2d_transpose", "conv2d_transpose_1", "dense"],
    }
    assert sorted(stored) == sorted(
        f"{half}/layers/{layer}/vars/{index}"
        for half, names in layers_of.items()
        for layer in names
        for index in (0, 1)
    )


def test_they_are_named_without_keras_and_come_with_it() -> None:
    code = (
        "import sys, archbuild.layers as layers;"
        "assert 'keras' not in sys.modules, 'too early';"
        "assert set(layers.__all__) <= set(dir(layers));"
        "assert [getattr(layers, name).__name__ for name in layers.__all__] == layers.__all__"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'Pool'"):
        _ = layers.Pool
