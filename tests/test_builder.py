"""The Python face of specs and networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import archbuild
from archbuild.errors import SpecError, UsageError
from archbuild.heads import HEADS
from archbuild.spec.parts import Condition

ROOT = Path(__file__).resolve().parents[1]
TREE = {
    "spec_version": 1,
    "name": "small",
    "batch_size": 20,
    "output_non_linearity": "linear",
    "layers": [
        {"type": "Input", "output_shape": [4]},
        {"type": "Dense", "num_units": 8},
        {"type": "Dense", "num_units": 2, "non_linearity": "linear"},
    ],
}
SWITCHED = {
    **TREE,
    "layers": [
        {"type": "Input", "output_shape": [1, 5, 4]},
        {"type": "MaxPool2D*", "filter_size": 2},
        {"type": "Dense", "num_units": 2},
    ],
}
VARIATIONAL = {
    **TREE,
    "reconstruction": "bernoulli",
    "layers": [*TREE["layers"][:2], {"type": "Gaussian", "num_units": 3}],
}


@pytest.fixture(scope="module")
def blobs() -> tuple[np.ndarray, np.ndarray]:
    """Rows ``(120, 4)`` of three clusters that stand far apart, and the clusters."""
    rng = np.random.default_rng(0)
    clusters = np.arange(120) % 3
    centres = np.array([[0.0, 0, 3, 3], [3, 0, 0, 3], [3, 3, 3, 0]])
    return (centres[clusters] + 0.2 * rng.normal(size=(120, 4))).astype("float32"), clusters


@pytest.fixture(scope="module")
def trained(blobs: tuple[np.ndarray, np.ndarray]) -> archbuild.NetworkBuilder:
    builder = archbuild.NetworkBuilder(TREE, seed=3)
    autoencoder = builder.build().autoencoder
    autoencoder.compile(keras.optimizers.Adam(0.01), "mse")
    autoencoder.fit(blobs[0], blobs[0], epochs=30, verbose=0)
    return builder


def test_a_spec_is_found_by_path_and_name_and_index() -> None:
    path = ROOT / "archs" / "mnist.json"
    second = archbuild.load_spec(path, index=1)
    for same in (
        archbuild.load_spec(str(path), name=second.name),
        archbuild.load_spec("mnist", index=1),
        archbuild.load_spec("MNIST", name=second.name),
        archbuild.load_spec(second.name),
        archbuild.load_spec(second.tree),
    ):
        assert same == second
    changed = archbuild.load_spec(path, 1, head="kmeans", overrides=["pretrain.epochs=3"])
    assert (changed.head.type, changed.pretrain["epochs"]) == ("kmeans", 3)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"arch": "mnist", "index": 1, "name": "a"}, "index=1 and name='a' are both given"),
        ({"arch": TREE, "index": 0}, "arch is a mapping"),
        ({"arch": "mnist", "index": 99}, "there is no spec 99 in"),
        ({"arch": "nowhere.json", "index": 0}, "nowhere.json"),
    ],
)
def test_what_means_nothing_is_refused(how: dict[str, Any], said: str) -> None:
    with pytest.raises((UsageError, SpecError), match=said):
        archbuild.NetworkBuilder(**how)


def test_the_plan_is_there_before_the_network() -> None:
    builder = archbuild.NetworkBuilder(TREE)
    assert builder.plan.latent_size == 2
    assert [layer.type for layer in builder.plan.decoder] == ["Dense", "Dense"]
    models = builder.build()
    assert models is builder.build()
    assert models.autoencoder.count_params() == builder.plan.parameters
    assert models.encoder.output_shape == (None, 2)
    assert models.decoder.output_shape == models.autoencoder.output_shape == (None, 4)


def test_the_three_models_are_one(rng: np.random.Generator) -> None:
    rows = rng.normal(size=(6, 5, 4, 1)).astype("float32")
    encoder, decoder, autoencoder = archbuild.NetworkBuilder(SWITCHED).build()
    np.testing.assert_allclose(
        decoder.predict(encoder.predict(rows, verbose=0), verbose=0),
        autoencoder.predict(rows, verbose=0),
        rtol=1e-5,
    )


def test_a_gaussian_bottleneck_gives_mean_and_log_variance(rng: np.random.Generator) -> None:
    rows = rng.random(size=(6, 4)).astype("float32")
    encoder, decoder, autoencoder = archbuild.NetworkBuilder(VARIATIONAL).build()
    mean, log_variance = encoder.predict(rows, verbose=0)
    assert mean.shape == log_variance.shape == (6, 3)
    found = autoencoder.predict(rows, verbose=0)
    assert 0 < found.min() < found.max() < 1  # means, not logits
    np.testing.assert_allclose(decoder.predict(mean, verbose=0), found, rtol=1e-5)


@pytest.fixture
def conditioned(monkeypatch: pytest.MonkeyPatch) -> archbuild.NetworkBuilder:
    """A network whose decoder also takes a style of two numbers."""
    conditions = classmethod(lambda cls, config, plan: (Condition("style", 2),))
    monkeypatch.setattr(HEADS["kld"], "conditions", conditions)
    return archbuild.NetworkBuilder({**TREE, "head": {"type": "kld", "n_clusters": 3}})


def test_conditions_are_further_inputs(
    conditioned: archbuild.NetworkBuilder, blobs: tuple[np.ndarray, np.ndarray]
) -> None:
    rows, style = blobs[0][:6], np.ones((6, 2), "float32")
    encoder, decoder, autoencoder = conditioned.build()
    assert [each.name for each in decoder.inputs] == ["latent", "style"]
    assert [each.name for each in autoencoder.inputs] == ["rows", "style"]
    latents = encoder.predict(rows, verbose=0)
    found = autoencoder.predict([rows, style], verbose=0)
    np.testing.assert_allclose(decoder.predict([latents, style], verbose=0), found, rtol=1e-5)
    assert not np.allclose(decoder.predict([latents, 0 * style], verbose=0), found)


def test_no_head_is_attached_to_a_decoder_with_conditions(
    conditioned: archbuild.NetworkBuilder,
) -> None:
    with pytest.raises(UsageError, match="needs further inputs of the decoder, which fit has not"):
        conditioned.attach("kmeans", n_clusters=3)


def test_the_seed_decides_the_weights() -> None:
    one, same, other = (archbuild.NetworkBuilder(TREE, seed=seed).build() for seed in (1, 1, 2))
    kernels = [models.autoencoder.get_weights()[0] for models in (one, same, other)]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


@pytest.mark.parametrize("head", ["kld", "kmeans"])
def test_an_attached_head_clusters_what_the_network_encodes(
    trained: archbuild.NetworkBuilder, blobs: tuple[np.ndarray, np.ndarray], head: str
) -> None:
    rows, clusters = blobs
    weights = trained.build().autoencoder.get_weights()
    model = trained.attach(head, n_clusters=3, cluster_weight=1.0)
    with pytest.raises(UsageError, match="there are no clusters yet"):
        model.predict(rows)
    with pytest.raises(UsageError, match=r"call compile\(optimizer\) before fit"):
        model.fit(rows)
    model.compile("adam")
    first = model.fit(rows, epochs=2, verbose=0)
    then = model.fit(rows, epochs=1, verbose=0)
    assert (first.epoch, then.epoch) == ([0, 1], [2])
    assert set(first.history) == {"loss", *model.head.term_names, *model.head.monitored_names}
    found = model.predict(rows)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    pairs = set(zip(found.argmax(axis=1), clusters, strict=True))
    assert len(pairs) == 3
    encoder, _, autoencoder = trained.build()
    assert not np.array_equal(weights[0], autoencoder.get_weights()[0])  # trained in place
    np.testing.assert_allclose(model.encode(rows), encoder.predict(rows, verbose=0), atol=1e-5)


def test_the_targets_follow_the_rows(
    trained: archbuild.NetworkBuilder, blobs: tuple[np.ndarray, np.ndarray]
) -> None:
    """Every row meets its own target: with rows at their centres the distance is what is left."""
    model = trained.attach("kmeans", n_clusters=3, cluster_weight=1.0, reconstruction_weight=0)
    model.compile(keras.optimizers.SGD(0.0))
    rows = blobs[0]
    distance = model.fit(rows, verbose=0).history["distance"][0]
    codes = model.encode(rows)
    centres = model.head.arrays()["centres"]
    squared = np.square(codes[:, None] - centres[None]).sum(axis=2).min(axis=1)
    assert distance == pytest.approx(squared.mean() / 2, rel=1e-4)


def test_fit_augments_as_the_spec_says(
    trained: archbuild.NetworkBuilder, blobs: tuple[np.ndarray, np.ndarray]
) -> None:
    weights = trained.build().autoencoder.get_weights()

    def fitted(augment: dict[str, float]) -> tuple[float, np.ndarray]:
        builder = archbuild.NetworkBuilder({**TREE, "batch_size": 60, "augment": augment})
        builder.build().autoencoder.set_weights(weights)
        model = builder.attach("kmeans", n_clusters=3)
        model.compile(keras.optimizers.SGD(0.0))
        loss = model.fit(blobs[0], verbose=0).history["reconstruction"][0]
        return loss, model.predict(blobs[0])

    plain, assigned = fitted({})
    augmented, as_before = fitted({"jitter": 1.0})
    assert augmented > 1.5 * plain
    assert fitted({"jitter": 1.0})[0] == augmented
    np.testing.assert_array_equal(as_before, assigned)  # only steps of training see changed rows


def test_schedules_move_a_weight_before_every_step() -> None:
    rows = np.random.default_rng(0).random((30, 4)).astype("float32")
    builder = archbuild.NetworkBuilder(VARIATIONAL)
    schedule = {"start": 0.0, "end": 1.0, "ramp": 2, "unit": "epochs"}
    model = builder.attach("gmm", n_clusters=2, kl_weight=schedule)
    model.compile("adam")
    seen: list[float] = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(float(model.head.scheduled["kl_weight"]))

    model.fit(rows, batch_size=10, epochs=2, verbose=0, callbacks=[Watch()])
    np.testing.assert_allclose(seen, np.arange(1, 7) / 6, rtol=1e-5)


@pytest.mark.parametrize(
    ("head", "fields", "said"),
    [
        ("kdl", {}, "did you mean 'kld'"),
        ("kld", {"cluster_wieght": 1}, "did you mean 'cluster_weight'"),
        ("gmm", {}, "Gaussian"),
    ],
)
def test_a_head_that_does_not_fit_is_refused(head: str, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        archbuild.NetworkBuilder(TREE).attach(head, n_clusters=3, **fields)


@pytest.mark.parametrize(
    ("declared", "value", "said"),
    [
        ("labels_used", "some", "needs labels, which fit has not"),
        (
            "conditions",
            classmethod(lambda cls, config, plan: (Condition("style", 2),)),
            "needs further inputs of the decoder, which fit has not",
        ),
    ],
)
def test_a_head_that_needs_more_than_rows_is_refused(
    monkeypatch: pytest.MonkeyPatch, declared: str, value: Any, said: str
) -> None:
    builder = archbuild.NetworkBuilder(TREE)
    monkeypatch.setattr(HEADS["kld"], declared, value)
    with pytest.raises(UsageError, match=said):
        builder.attach("kld", n_clusters=3)


def test_a_head_that_learns_in_rounds_is_refused() -> None:
    modules = [{"type": "gmm"}]
    with pytest.raises(
        UsageError, match=r"rounds, which fit has not; train it with archbuild\.Deep"
    ):
        archbuild.NetworkBuilder(VARIATIONAL).attach("messages", n_clusters=3, modules=modules)


def test_a_head_that_trains_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="the manifold head trains nothing"):
        archbuild.NetworkBuilder(TREE).attach("manifold", n_clusters=3)
