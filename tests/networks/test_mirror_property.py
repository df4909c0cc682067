"""For every valid encoder the decoder ends with the input's shape: planned, and really built."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from keras.ops import convert_to_numpy

from archbuild.layers import LAYERS
from archbuild.layers.shapes import channels_last
from archbuild.registry import default_vocabulary
from archbuild.spec import Plan, ShapeError, make_plan, spec_from_tree
from archbuild.spec.top import OF_COUNTS, ZERO_INFLATED

Tree = dict[str, Any]
VOCABULARY = default_vocabulary()
LEARNING = {"Dense", "Embedding", "Conv1D", "Conv2D", "DepthwiseConv2D", "LSTM", "GRU", "Conv3D"}
NESTING = {
    "SpatialTransformer": "localisation",
    "RecurrentSpatialTransformer": "localisation",
    "TimeDistributed": "layers",
}

WAYS = ["repeat", "nearest", "bilinear"]
INPUTS = st.one_of(
    st.tuples(st.integers(1, 3), st.integers(1, 17), st.integers(1, 17)),
    st.tuples(st.integers(1, 2), st.integers(12, 31), st.integers(12, 31)),
    st.tuples(st.integers(1, 3), st.integers(1, 30)),
    st.tuples(st.integers(1, 2), st.integers(1, 6), st.integers(1, 6), st.integers(1, 6)),
    st.tuples(st.integers(1, 20)),
)


@st.composite
def encoders(draw: st.DrawFn) -> Tree:
    """The tree of a spec: up to five layers, each possible on what the last one gives."""
    shape = draw(INPUTS)
    layers: list[Tree] = [{"type": "Input", "output_shape": list(shape)}]
    shapes = [shape]
    for _ in range(draw(st.integers(1, 6))):
        shapes += [shape] * (len(layers) - len(shapes))
        layer = draw(_layer(shape, len(layers)))
        if layer["type"] == "Concat":
            layers += [layer, {"type": "Dense", "num_units": draw(st.integers(1, 12))}]
            shapes.append(shape)
            shape = (layers[-1]["num_units"],)
            continue
        if layer["type"] == "Add":
            others = [i for i, other in enumerate(shapes[:-1]) if len(other) == len(shape)]
            if others:
                of = [draw(st.sampled_from(others)), len(layers) - 1]
                layers.append({"type": "Add", "of": of, "shortcut": "projection"})
            continue
        layer_type = LAYERS[layer["type"]]
        config = {field.name: layer.get(field.name, field.default) for field in layer_type.fields}
        try:
            shape = layer_type.output_shape(config, shape)
        except ShapeError:
            continue
        layers.append(layer)
    kinds = ["squared_error", "bernoulli", "gaussian"]
    kinds += [*OF_COUNTS] if len(layers[0]["output_shape"]) == 1 else []
    reconstruction = draw(st.sampled_from(kinds))
    if not LEARNING & {layer["type"] for layer in layers}:
        layers.append({"type": "Dense", "num_units": draw(st.integers(1, 12))})
    elif draw(st.booleans()):
        layers.append({"type": "Gaussian", "num_units": draw(st.integers(1, 5))})
    return {
        "spec_version": 1,
        "name": "random",
        "layers": layers,
        "use_batch_norm": draw(st.booleans()),
        "reconstruction": reconstruction,
    }


@st.composite
def _layer(draw: st.DrawFn, shape: tuple[int, ...], index: int) -> Tree:
    axes = len(shape) - 1
    kinds = ["Dense", "Flatten", "Reshape", "Dropout", "BatchNorm", "Concat", "GaussianNoise"]
    kinds += ["Activation", "PReLU", "LayerNorm", "GroupNorm", "Add", "Add"]
    if axes:
        # Convolutions and pools are where sizes get lost, and a Dense ends the place for them.
        pools = [f"MaxPool{axes}D"] * 4 + [f"AveragePool{axes}D"] * 2 + ["GlobalAveragePool"]
        kinds = [f"Conv{axes}D"] * 10 + pools + kinds
    if axes == 2:
        kinds = ["SpatialTransformer", "RecurrentSpatialTransformer"] * 2 + kinds
        kinds = ["MaxPool2D*"] * 4 + ["DepthwiseConv2D"] * 3 + kinds
    if axes == 1:
        kinds = ["LSTM", "GRU"] * 3 + kinds
    if not axes and index == 1:
        kinds = ["Embedding"] * 8 + kinds
    if axes in (1, 3):
        kinds = ["TimeDistributed"] * 2 + kinds
    kind = draw(st.sampled_from(kinds))
    return {"type": kind, **draw(_fields(kind, shape, index))}


@st.composite
def _fields(draw: st.DrawFn, kind: str, shape: tuple[int, ...], index: int) -> Tree:
    def sizes(low: int, high: int) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=axes, max_size=axes))

    axes = len(shape) - 1
    if kind == "Dense":
        return {"num_units": draw(st.integers(1, 12)), "non_linearity": "elu"}
    if kind == "Embedding":
        first = draw(st.integers(0, shape[0] - 1))
        return {"blocks": {"a": [first, draw(st.integers(1, shape[0] - first))]}}
    if kind in NESTING:
        of = {"num_units": draw(st.integers(1, 5)), "type": "Dense"}
        own = {"steps": 2, "num_units": 3} if kind.startswith("Recurrent") else {}
        return {NESTING[kind]: [of], **own}
    if kind in ("LSTM", "GRU"):
        fields = ("return_sequences", "bidirectional")
        flags = {field: draw(st.booleans()) for field in fields}
        return {"num_units": draw(st.integers(1, 5)), **flags}
    if kind == "GroupNorm":
        return {"groups": draw(st.sampled_from([n for n in (1, 2, 3) if shape[0] % n == 0]))}
    if kind == "GaussianNoise":
        return {"stddev": 0.1}
    if kind == "Dropout":
        return {"rate": 0.2}
    if kind == "Concat":
        others = st.lists(st.integers(0, index - 1), max_size=3)
        return {"of": sorted({*draw(others), index - 1})}
    if kind == "Reshape":
        return {"output_shape": draw(st.sampled_from(_forms(prod(shape))))}
    if kind == "MaxPool2D*":
        return {"filter_size": sizes(1, 4)}
    if "Pool" in kind and kind != "GlobalAveragePool":
        return {
            "filter_size": sizes(1, 4),
            "stride": draw(st.one_of(st.none(), st.just(sizes(1, 4)))),
            "conv_mode": draw(st.sampled_from(["valid", "same"])),
            **({} if axes == 3 else {"undone_by": draw(st.sampled_from(WAYS))}),
        }
    if "Conv" in kind:
        same, dilated = draw(st.booleans()), draw(st.integers(0, 3)) == 0
        groups = draw(st.sampled_from([n for n in (1, 1, 2, 3) if shape[0] % n == 0]))
        causal = kind == "Conv1D" and draw(st.integers(0, 3)) == 0
        mode = "causal" if causal else "same" if same else "valid"
        own = {"num_filters": groups * draw(st.integers(1, 4)), "groups": groups}
        return {
            **({} if kind == "DepthwiseConv2D" else own),
            "filter_size": sizes(1, 5),
            "stride": 1 if dilated or causal else sizes(1, 4),
            **({} if axes == 3 else {"dilation": sizes(1, 3) if dilated else 1}),
            "use_bias": draw(st.booleans()),
            "conv_mode": mode,
            "padding": sizes(0, 2) if mode == "valid" else 0,
        }
    return {}


def _forms(size: int) -> list[list[int]]:
    """The shapes of up to two axes with small channels that hold ``size`` numbers."""
    forms = [[size], [1, size]]
    forms += [[c, size // c] for c in (2, 3) if size % c == 0]
    forms += [[1, h, size // h] for h in (2, 3, 5) if size % h == 0]
    return forms


def _plan(tree: Tree) -> Plan:
    return make_plan(spec_from_tree({**tree, "head": {"type": "kld"}}, VOCABULARY), VOCABULARY)


@settings(max_examples=800, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(encoders())
def test_the_decoder_ends_with_the_inputs_shape(tree: Tree) -> None:
    plan = _plan(tree)
    assert plan.decoder[-1].output_shape == plan.input_shape
    places = zip(plan.decoder, plan.decoder[1:], strict=False)
    assert all(above.input_shape == below.output_shape for below, above in places)
    assert plan.decoder[0].input_shape == plan.encoder[-1].output_shape


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(encoders())
def test_a_sample_is_built_and_called(tree: Tree) -> None:
    from archbuild.networks.builder import build_network

    plan = _plan(tree)
    assume(len(plan.encoder) > 2)
    network = build_network(plan, VOCABULARY, seed=0)
    assert network.count_params() == plan.parameters
    shape = (2, *channels_last(plan.input_shape))
    rows = np.random.default_rng(0).normal(size=shape).astype("float32")
    if plan.spec.reconstruction in OF_COUNTS:
        rows = np.abs(rows)  # counts
    encoding = network.encode(rows, training=True)
    reconstruction = network.decode(encoding.mean, encoding.switches, training=True)
    assert tuple(encoding.mean.shape) == (2, plan.latent_size)
    assert tuple(reconstruction.value.shape) == shape
    assert (encoding.log_variance is not None) == plan.stochastic
    gaussian = plan.spec.reconstruction == "gaussian"
    assert (reconstruction.log_variance is not None) == gaussian
    counts = plan.spec.reconstruction in OF_COUNTS
    assert (reconstruction.log_dispersion is not None) == counts
    inflated = plan.spec.reconstruction == ZERO_INFLATED
    assert (reconstruction.dropout_logits is not None) == inflated
    assert np.isfinite(convert_to_numpy(network.expected(reconstruction))).all()
