"""Exported graphs, read by other programs, give the numbers that the model itself gives."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec

import keras
import numpy as np
import pytest
import tensorflow as tf

from archbuild.data import load_dataset
from archbuild.data.columns import ColumnEncoding, TableEncoding
from archbuild.data.dataset import Dataset
from archbuild.data.origin import Origin
from archbuild.data.scaling import Scaler
from archbuild.errors import RunError, UsageError
from archbuild.heads import HEADS
from archbuild.models import exports
from archbuild.models.model import Model
from archbuild.networks.builder import build_network
from archbuild.registry import default_vocabulary
from archbuild.spec import make_plan, spec_from_tree
from archbuild.spec.resolve import filled

pytestmark = pytest.mark.graphs(False)
TABLE = {
    "scaling": "standardise",
    "output_non_linearity": "linear",
    "layers": [
        {"type": "Input", "output_shape": [5]},
        {"type": "Dense", "num_units": 8},
        {"type": "Gaussian", "num_units": 2},
    ],
}
PIXELS = {
    "use_batch_norm": True,
    "reconstruction": "bernoulli",
    "layers": [
        {"type": "Input", "output_shape": [1, 8, 8]},
        {"type": "Conv2D", "num_filters": 4, "filter_size": 3},
        {"type": "MaxPool2D", "filter_size": 2},
        {"type": "Dropout", "rate": 0.2},
        {"type": "Dense", "num_units": 3, "non_linearity": "linear"},
    ],
}
LAYERS = PIXELS["layers"]
OF_HEADS = {
    "kld": {},
    "kmeans": {},
    "gmm": {},
    "gmvae": {"posterior": "network", "prior_units": 2},
    "gmvae, bayes": {"posterior": "bayes", "prior_units": 2},
    "messages": {"modules": [{"type": "gmm", "inference": "em", "chains": 1}]},
    "messages, gibbs": {"modules": [{"type": "gmm", "inference": "gibbs", "chains": 1}]},
}


def model_of(tree, rows, name="kld", **config):
    """A model and its rows, as a stage could have left it: weights and statistics are random."""
    rng, vocabulary = np.random.default_rng(1), default_vocabulary()
    spec = spec_from_tree({"spec_version": 1, "name": "small", **tree}, vocabulary)
    plan = make_plan(spec, vocabulary)
    network = build_network(plan, vocabulary, seed=0)
    for variable in network.variables:
        if "moving" in variable.path:  # of batch normalisation, which starts as the identity
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
    kind = HEADS[name]
    head = kind(filled({"n_clusters": 3, **config}, kind.fields), plan)
    if head.arrays():
        head.restore({key: rng.uniform(0.2, 1, was.shape) for key, was in head.arrays().items()})
    else:  # what it holds depends on the codes
        head.initialise(rng.normal(size=(60, 2 * plan.latent_size)).astype("float32"))
    dataset = Dataset("rows", rows)
    origin = Origin.of(dataset, Scaler.fit(dataset, spec.scaling))
    return Model(plan, network, head, origin, epoch=1), dataset


def a_table():
    """Columns of very different units."""
    places, scales = (0, 500, -30, 0, 7), (1, 10, 100, 0.1, 1)
    return np.random.default_rng(0).normal(places, scales, (120, 5)).astype("float32")


def digits():
    return load_dataset("DIGITS").rows(np.arange(120)).reshape(120, 8, 8, 1)


@pytest.fixture(scope="module", params=OF_HEADS)
def table(request):
    """A model of a table with each of the heads, and its rows."""
    name = request.param.partition(",")[0]
    return model_of(TABLE, a_table(), name, **OF_HEADS[request.param])


@pytest.fixture(scope="module")
def pixels():
    """A convolutional model with batch normalisation and a Bernoulli decoder, and its images."""
    return model_of(PIXELS, digits())


def by_keras(path, rows):
    return keras.saving.load_model(path).predict(rows, verbose=0)


def by_onnxruntime(path, rows):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (given,), (wanted,) = session.get_inputs(), session.get_outputs()
    assert not isinstance(given.shape[0], int)  # any number of rows
    ends = (given.name, wanted.name)
    assert ends in [("rows", "latents"), ("latents", "rows"), ("rows", "probabilities")]
    return session.run(None, {given.name: rows})[0]


def by_tensorflow(path, rows):
    loaded = tf.saved_model.load(path)
    return loaded.serve(rows).numpy()


READERS = {
    "keras": ("model.keras", by_keras),
    "onnx": ("model.onnx", by_onnxruntime),
    "saved_model": ("model", by_tensorflow),
}


def exported(model, part, kind, rows, folder):
    """What a reader of the format makes of rows."""
    if kind == "onnx":
        pytest.importorskip("tf2onnx", reason="tf2onnx is not installed (archbuild[onnx])")
    name, read = READERS[kind]
    exports.export(model, part, kind, folder / name)
    assert [path.name for path in folder.iterdir()] == [name]  # nothing else is left
    return read(folder / name, rows)


def with_gaps(origin):
    """The record of the same training rows, if some of their values had been missing."""
    return replace(origin, known=replace(origin.known, gaps=True))


def close(found, expected):
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("kind", READERS)
def test_the_assignment_of_every_head(table, kind, tmp_path):
    model, dataset = table
    (predicted,) = model.predict(dataset)
    assert np.ptp(predicted.probabilities, axis=0).max() > 0.01  # there is something to compare
    found = exported(model, "assign", kind, dataset.rows(slice(None)), tmp_path)
    close(found, predicted.probabilities)


@pytest.mark.parametrize("table", ["gmm"], indirect=True)
@pytest.mark.parametrize("kind", READERS)
def test_a_table_in_its_own_units_to_latents_and_back(table, kind, tmp_path):
    model, dataset = table
    (predicted,) = model.predict(dataset)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    latents = exported(model, "encoder", kind, dataset.rows(slice(None)), tmp_path / "a")
    close(latents, predicted.latents)
    rows = exported(model, "decoder", kind, predicted.latents, tmp_path / "b")
    close(rows, model.decode(predicted.latents))
    assert rows[:, 1].mean() > 100  # of the data's size, not the network's


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("part", exports.PARTS)
def test_images_with_batch_normalisation_and_a_bernoulli_decoder(pixels, part, kind, tmp_path):
    model, dataset = pixels
    (predicted,) = model.predict(dataset)
    rows = dataset.rows(slice(None))
    given = predicted.latents if part == "decoder" else rows
    expected = {
        "encoder": predicted.latents,
        "decoder": model.decode(predicted.latents),
        "assign": predicted.probabilities,
    }
    found = exported(model, part, kind, given, tmp_path)
    close(found, expected[part])
    if part == "decoder":
        assert 0 < found.min() < found.max() < 1  # means, not logits


LINEAR = {"type": "Dense", "num_units": 3, "non_linearity": "linear"}
SAME = {"type": "Conv2D", "num_filters": 4, "filter_size": 3, "conv_mode": "same"}
SERIES = {"type": "Input", "output_shape": [2, 12]}
OF_LAYERS = {
    "residual": [LAYERS[0], SAME, SAME, {"type": "Add", "of": [1, 2]}, LINEAR],
    "groups": [LAYERS[0], SAME, {**SAME, "groups": 2, "dilation": 2}, LINEAR],
    "depthwise": [LAYERS[0], SAME, {"type": "DepthwiseConv2D", "filter_size": 3}, LINEAR],
    "finished": [LAYERS[0], SAME, {"type": "GroupNorm", "groups": 2}, {"type": "PReLU"}, LINEAR],
    "bilinear": [LAYERS[0], {"type": "AveragePool2D", "filter_size": 2}, SAME, LINEAR],
    "volumes": [
        {"type": "Input", "output_shape": [1, 4, 4, 4]},
        {"type": "Conv3D", "num_filters": 3, "filter_size": 3, "conv_mode": "same", "stride": 2},
        LINEAR,
    ],
    "lstm": [SERIES, {"type": "LSTM", "num_units": 4}, LINEAR],
    "both ways": [SERIES, {"type": "GRU", "num_units": 3, "bidirectional": True}, LINEAR],
    "causal": [
        SERIES,
        {"type": "Conv1D", "num_filters": 4, "filter_size": 3, "conv_mode": "causal"},
        LINEAR,
    ],
    "embedding": [
        {"type": "Input", "output_shape": [5]},
        {"type": "Embedding", "blocks": {"a": [1, 3]}},
        LINEAR,
    ],
}


@pytest.mark.parametrize("name", OF_LAYERS)
def test_layers_of_all_kinds_agree_in_onnx(name, tmp_path):
    layers = OF_LAYERS[name]
    channels, *places = layers[0]["output_shape"]
    rows = np.random.default_rng(0).normal(size=(7, *places, channels)).astype("float32")
    model, dataset = model_of({"layers": layers}, rows)
    (predicted,) = model.predict(dataset)
    for part, given, expected in (
        ("encoder", rows, predicted.latents),
        ("decoder", predicted.latents, model.decode(predicted.latents)),
    ):
        (tmp_path / part).mkdir()
        close(exported(model, part, "onnx", given, tmp_path / part), expected)


@pytest.mark.parametrize("kind", READERS)
def test_missing_values_are_what_they_are_in_training(kind, tmp_path):
    model, dataset = model_of(TABLE, a_table(), "gmm")
    rows = dataset.rows(slice(None)).copy()
    rows[::3, 1] = np.nan
    model = Model(model.plan, model.network, model.head, with_gaps(model.origin), epoch=1)
    (predicted,) = model.predict(replace(dataset, values=rows, gaps=True))
    assert np.isfinite(predicted.probabilities).all()
    close(exported(model, "assign", kind, rows, tmp_path), predicted.probabilities)


def test_what_is_to_be_known_of_the_rows_of_a_table_is_said():
    _, dataset = model_of(TABLE, a_table())
    scaler = Scaler.fit(dataset, "none")
    assert exports.remarks(Origin.of(dataset, scaler)) == []
    columns = (ColumnEncoding("city", "category", ("a", "b"), masked=True),)
    encoded = Dataset("t", dataset.values[:, :2], encoding=TableEncoding(columns), gaps=True)
    encoding, gaps = exports.remarks(Origin.of(encoded, scaler))
    assert encoding.startswith("rows: 2 features, 'city=a', 'city=b'; the encoding of the table")
    assert gaps == "missing values: NaN in rows stands for one"


ELSEWHERE = """
import sys
sys.modules["archbuild"] = None  # whoever imports it fails
import keras, numpy as np
graph = keras.saving.load_model("model.keras")
np.save("found.npy", graph.predict(np.load("rows.npy"), verbose=0))
keras.saving.load_model("decoder.keras")
keras.saving.load_model("switched.keras")
"""


def test_a_keras_file_needs_no_archbuild_and_no_certain_backend(pixels, tmp_path):
    backend = next(name for name in ("jax", "torch", "tensorflow") if find_spec(name))
    model, dataset = pixels
    np.save(tmp_path / "rows.npy", dataset.rows(slice(None)))
    exports.export(model, "assign", "keras", tmp_path / "model.keras")
    exports.export(model, "decoder", "keras", tmp_path / "decoder.keras")  # it has an Unpool2D
    layers = [{**layer, "type": layer["type"].replace("Pool2D", "Pool2D*")} for layer in LAYERS]
    switched, _ = model_of({**PIXELS, "layers": layers}, digits())
    exports.export(switched, "assign", "keras", tmp_path / "switched.keras")
    environment = os.environ | {"KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", ELSEWHERE]
    subprocess.run(command, env=environment, cwd=tmp_path, check=True, capture_output=True)
    (predicted,) = model.predict(dataset)
    close(np.load(tmp_path / "found.npy"), predicted.probabilities)


def test_the_logarithm_that_onnx_lacks_is_precise(tmp_path):
    pytest.importorskip("tf2onnx", reason="tf2onnx is not installed (archbuild[onnx])")
    x = np.logspace(-12, 12, 500, dtype="float32")[:, None]
    given = keras.Input((1,), name="rows")
    graph = keras.Model(given, keras.ops.log1p(given), name="latents")
    exports.save_onnx(graph, tmp_path / "log1p.onnx")
    expected = np.log1p(x.astype("float64"))
    np.testing.assert_allclose(by_onnxruntime(tmp_path / "log1p.onnx", x), expected, rtol=5e-7)


def test_without_tf2onnx_the_extra_is_named(pixels, monkeypatch, tmp_path):
    exports._register_log1p.cache_clear()
    monkeypatch.setitem(sys.modules, "tf2onnx.handler", None)
    with pytest.raises(UsageError, match=r"pip install 'archbuild\[onnx\]'"):
        exports.export(pixels[0], "encoder", "onnx", tmp_path / "model.onnx")
    assert not any(tmp_path.iterdir())


def test_other_backends_are_refused(pixels, monkeypatch, tmp_path):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(UsageError, match="KERAS_BACKEND=tensorflow"):
        exports.export(pixels[0], "encoder", "keras", tmp_path / "model.keras")


def test_a_decoder_that_reads_switches_is_refused_and_its_encoder_is_not(tmp_path):
    layers = [*PIXELS["layers"]]
    layers[2] = {"type": "MaxPool2D*", "filter_size": 2}
    model, dataset = model_of({**PIXELS, "layers": layers}, digits())
    with pytest.raises(UsageError, match=r"MaxPool2D\* layers found maxima"):
        exports.export(model, "decoder", "keras", tmp_path / "model.keras")
    exports.export(model, "encoder", "keras", tmp_path / "model.keras")
    (predicted,) = model.predict(dataset)
    found = by_keras(tmp_path / "model.keras", dataset.rows(slice(None)))
    close(found, predicted.latents)


@pytest.mark.parametrize("kind", ["keras", "saved_model"])
def test_glimpses_are_exported_and_latents_decoded_as_the_identity_has_them(kind, tmp_path):
    find = [{"type": "Dense", "num_units": 3}]
    aligned = {"type": "SpatialTransformer", "localisation": find, "transform": "translation"}
    tree = {**PIXELS, "layers": [LAYERS[0], aligned, *LAYERS[1:]]}
    model, dataset = model_of(tree, digits())
    (predicted,) = model.predict(dataset)
    read = {"keras": by_keras, "saved_model": by_tensorflow}[kind]
    rows = dataset.rows(slice(None))
    for part, given, expected in (
        ("encoder", rows, predicted.latents),
        ("decoder", predicted.latents, model.decode(predicted.latents)),
    ):
        place = tmp_path / (f"{part}.keras" if kind == "keras" else part)
        exports.export(model, part, kind, place)
        close(read(place, given), expected)


def test_sequences_of_classes_are_exported(tmp_path):
    find = [{"type": "Conv2D", "num_filters": 2, "filter_size": 3}]
    layers = [
        LAYERS[0],
        {"type": "RecurrentSpatialTransformer", "localisation": find, "steps": 2, "num_units": 3},
        {"type": "TimeDistributed", "layers": [{"type": "Dense", "num_units": 5}]},
    ]
    reads = {"n_labels": 2, "reads": "step"}
    tree = {
        "layers": layers,
        "decoder": "none",
        "supervision": {"labels": "all"},
        "head": {"type": "classifier", "n_clusters": 3, **reads},
    }
    model, dataset = model_of(tree, digits(), "classifier", **reads)
    exports.export(model, "assign", "keras", tmp_path / "model.keras")
    (predicted,) = model.predict(dataset)
    assert predicted.probabilities.shape == (120, 2, 3)
    close(by_keras(tmp_path / "model.keras", dataset.rows(slice(None))), predicted.probabilities)


def test_a_pretrained_network_has_no_clusters(pixels, tmp_path):
    model, _ = pixels
    without = Model(model.plan, model.network, None, model.origin, epoch=1)
    with pytest.raises(RunError, match="no clusters"):
        exports.export(without, "assign", "keras", tmp_path / "model.keras")


@pytest.mark.parametrize(("kind", "name"), [("keras", "a.keras"), ("saved_model", "a")])
def test_only_an_export_is_replaced_and_only_when_asked(pixels, kind, name, tmp_path):
    path, other = tmp_path / name, tmp_path / f"other-{name}"
    exports.export(pixels[0], "encoder", kind, path)
    with pytest.raises(UsageError, match=r"already exists; .* --force"):
        exports.export(pixels[0], "decoder", kind, path)
    exports.export(pixels[0], "decoder", kind, path, force=True)
    found = READERS[kind][1](path, np.zeros((1, 3), "float32"))
    assert found.shape == (1, 8, 8, 1)
    other.mkdir()
    with pytest.raises(UsageError, match="--force replaces"):
        exports.export(pixels[0], "decoder", kind, other, force=True)
    assert sorted(place.name for place in tmp_path.iterdir()) == sorted([name, other.name])


def test_a_failing_export_leaves_what_was_there(pixels, monkeypatch, tmp_path):
    path = tmp_path / "a"
    exports.export(pixels[0], "encoder", "saved_model", path)

    def fails(graph, place):
        place.mkdir()
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(exports.FORMATS, "saved_model", fails)
    with pytest.raises(RunError, match="no space left"):
        exports.export(pixels[0], "decoder", "saved_model", path, force=True)
    assert by_tensorflow(path, np.zeros((1, 8, 8, 1), "float32")).shape == (1, 3)
    assert [place.name for place in tmp_path.iterdir()] == ["a"]


def test_keras_files_bear_their_ending(tmp_path):
    with pytest.raises(UsageError, match=r"does not end in \.keras"):
        exports.refuse_place(tmp_path / "model.h5", "keras", force=False)
