"""Every layer type passes the same contract, in networks that show its corners."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from archbuild.layers import LAYERS
from archbuild.layers.pooling import MaxPool2D
from archbuild.spec import LayerType
from tests.layers.contract import plan_of, run_layer_contract

Tree = dict[str, Any]

IMAGE = {"type": "Input", "output_shape": [2, 7, 9]}
SERIES = {"type": "Input", "output_shape": [2, 13]}
ROW = {"type": "Input", "output_shape": [6]}
CODE = {"type": "Dense", "num_units": 3}
TOP = {"type": "Gaussian", "num_units": 2}
CONV = {"type": "Conv2D", "num_filters": 4, "filter_size": 3}
SAME = {**CONV, "conv_mode": "same"}
CONV1D = {"type": "Conv1D", "num_filters": 3, "filter_size": 3}
VOLUME = {"type": "Input", "output_shape": [1, 4, 5, 6]}
CONV3D = {"type": "Conv3D", "num_filters": 3, "filter_size": 3}
POOL = {"type": "MaxPool2D*", "filter_size": [2, 3]}
FIND = [CONV, {"type": "Dense", "num_units": 3, "batch_norm": True}]
GLIMPSE = {"type": "SpatialTransformer", "localisation": FIND}
GLIMPSES = {"type": "RecurrentSpatialTransformer", "localisation": FIND, "steps": 2}
FULL = [{"type": "Dense", "num_units": 126}, {"type": "Reshape", "output_shape": [2, 7, 9]}]


def _encoder(*layers: Tree, index: int = 1, **keys: Any) -> tuple[str, int, list[Tree], Tree]:
    return "encoder", index, list(layers), keys


def _decoder(*layers: Tree, decoder: list[Tree], index: int) -> tuple[str, int, list[Tree], Tree]:
    return "decoder", index, list(layers), {"decoder": decoder}


def _levels(side: str, *layers: Tree, index: int) -> tuple[str, int, list[Tree], Tree]:
    """A case of a hierarchy, whose decoder is its mirror."""
    return side, index, [ROW, *layers], {"reconstruction": "gaussian", "head": {"type": "ladder"}}


def _of(kind: str, **fields: Any) -> Tree:
    return {"type": kind, **fields}


CASES = {
    "Input": [_encoder(IMAGE, CODE, index=0)],
    "Dense": [
        _encoder(ROW, _of("Dense", num_units=4), CODE),
        _encoder(IMAGE, _of("Dense", num_units=4, non_linearity="tanh")),
        _encoder(ROW, _of("Dense", num_units=4, use_bias=False, initialiser="orthogonal"), CODE),
        _encoder(ROW, _of("Dense", num_units=4, batch_norm=True), CODE),
        _encoder(ROW, _of("Dense", num_units=4, use_bias=False, batch_norm=True), CODE),
    ],
    "Embedding": [
        _encoder(ROW, _of("Embedding", blocks={"b": [3, 3], "a": [1, 2]}), CODE),
        _encoder(ROW, _of("Embedding", blocks={"a": [0, 6]}, num_units=2)),
    ],
    "Conv2D": [
        _encoder(IMAGE, CONV, CODE),
        _encoder(IMAGE, {**CONV, "stride": [2, 3], "padding": [1, 0]}, use_batch_norm=True),
        _encoder(IMAGE, {**CONV, "filter_size": [2, 3], "stride": 2, "conv_mode": "same"}),
        _encoder(IMAGE, {**CONV, "dilation": [2, 3]}, CODE),
        _encoder(IMAGE, {**CONV, "groups": 2, "stride": [2, 3], "padding": 2}, use_batch_norm=True),
        _encoder(IMAGE, CONV, {**CONV, "use_bias": False}, use_batch_norm=True, index=2),
    ],
    "Conv1D": [
        _encoder(SERIES, _of("Conv1D", num_filters=3, filter_size=4, stride=3), CODE),
        _encoder(SERIES, _of("Conv1D", num_filters=3, filter_size=[4], padding=2, stride=5)),
        _encoder(SERIES, {**CONV1D, "dilation": 4, "conv_mode": "same"}, CODE),
        _encoder(SERIES, {**CONV1D, "groups": 2, "num_filters": 6, "stride": 2}, CODE),
        _encoder(SERIES, {**CONV1D, "conv_mode": "causal"}, CODE),
        _encoder(SERIES, {**CONV1D, "conv_mode": "causal", "dilation": 4}, use_batch_norm=True),
    ],
    "Conv3D": [
        _encoder(VOLUME, CONV3D, CODE),
        _encoder(VOLUME, {**CONV3D, "stride": [2, 1, 3], "conv_mode": "same"}, use_batch_norm=True),
        _encoder(VOLUME, {**CONV3D, "padding": [1, 0, 2], "stride": 2}),
        _encoder(
            VOLUME,
            {**CONV3D, "conv_mode": "same"},
            {**CONV3D, "groups": 3, "stride": [1, 2, 1]},
            index=2,
        ),
    ],
    "MaxPool3D": [_encoder(VOLUME, _of("MaxPool3D", filter_size=[2, 3, 2]), CODE)],
    "AveragePool3D": [
        _encoder(VOLUME, CONV3D, _of("AveragePool3D", filter_size=2, conv_mode="same"), index=2),
    ],
    "Deconv3D": [
        _decoder(
            VOLUME,
            {**CONV3D, "filter_size": 1},
            decoder=[_of("Deconv3D", num_filters=1, filter_size=1)],
            index=0,
        )
    ],
    "Unpool3D": [
        _decoder(
            VOLUME,
            _of("MaxPool3D", filter_size=2),
            decoder=[_of("Unpool3D", filter_size=2, output_padding=[0, 1, 0])],
            index=0,
        )
    ],
    "DepthwiseConv2D": [
        _encoder(IMAGE, _of("DepthwiseConv2D", filter_size=3), CODE),
        _encoder(
            IMAGE,
            _of("DepthwiseConv2D", filter_size=[2, 3], stride=[3, 2], conv_mode="same"),
            use_batch_norm=True,
        ),
    ],
    "LSTM": [
        _encoder(SERIES, _of("LSTM", num_units=4)),
        _encoder(SERIES, _of("LSTM", num_units=4, return_sequences=True), CODE),
        _encoder(SERIES, _of("LSTM", num_units=4, bidirectional=True)),
    ],
    "GRU": [
        _encoder(SERIES, _of("GRU", num_units=2)),
        _encoder(SERIES, CONV1D, _of("GRU", num_units=3, return_sequences=True), index=2),
        _encoder(SERIES, _of("GRU", num_units=3, return_sequences=True, bidirectional=True), CODE),
    ],
    "Repeat": [
        _decoder(
            SERIES,
            _of("LSTM", num_units=4),
            decoder=[
                _of("Repeat", times=13),
                _of("GRU", num_units=3, return_sequences=True),
                _of("Deconv1D", num_filters=2, filter_size=1),
            ],
            index=0,
        )
    ],
    "Add": [
        _encoder(IMAGE, CONV, SAME, SAME, _of("Add", of=[1, 3]), CODE, index=4),
        _encoder(
            IMAGE,
            CONV,
            {**SAME, "num_filters": 6, "stride": [1, 2]},
            _of("Add", of=[1, 2], shortcut="projection"),
            index=3,
        ),
        _encoder(ROW, CODE, CODE, _of("Add", of=[1, 2]), CODE, index=3),
        _decoder(
            ROW,
            CODE,
            decoder=[
                CODE,
                _of("Dense", num_units=6),
                _of("Add", of=[0, 1], shortcut="projection"),
            ],
            index=2,
        ),
    ],
    "GaussianNoise": [_encoder(IMAGE, _of("GaussianNoise", stddev=0.2), CODE)],
    "LayerNorm": [
        _encoder(IMAGE, CONV, _of("LayerNorm"), CODE, index=2),
        _encoder(ROW, CODE, _of("LayerNorm"), CODE, index=2),
    ],
    "GroupNorm": [
        _encoder(IMAGE, CONV, _of("GroupNorm", groups=2), CODE, index=2),
        _encoder(ROW, CODE, _of("GroupNorm", groups=3), index=2),
    ],
    "Activation": [
        _encoder(IMAGE, CONV, _of("Activation", non_linearity="elu"), CODE, index=2),
        _encoder(
            ROW,
            CODE,
            _of("Activation", non_linearity={"type": "leaky_rectify", "slope": 0.1}),
            index=2,
        ),
    ],
    "PReLU": [
        _encoder(IMAGE, CONV, _of("PReLU"), CODE, index=2),
        _encoder(ROW, CODE, _of("PReLU"), CODE, index=2),
    ],
    "MaxPool2D": [
        _encoder(IMAGE, _of("MaxPool2D", filter_size=[2, 4]), CODE),
        _encoder(IMAGE, _of("MaxPool2D", filter_size=3, stride=[2, 1], conv_mode="same"), CODE),
        _encoder(IMAGE, _of("MaxPool2D", filter_size=2, stride=3, undone_by="bilinear"), CODE),
    ],
    "MaxPool2D*": [_encoder(IMAGE, POOL, CODE)],
    "MaxPool1D": [_encoder(SERIES, _of("MaxPool1D", filter_size=3), CODE)],
    "AveragePool2D": [
        _encoder(IMAGE, _of("AveragePool2D", filter_size=[2, 4]), CODE),
        _encoder(IMAGE, _of("AveragePool2D", filter_size=3, stride=2), CODE),
        _encoder(IMAGE, CONV, _of("AveragePool2D", filter_size=2, conv_mode="same"), index=2),
    ],
    "AveragePool1D": [
        _encoder(SERIES, _of("AveragePool1D", filter_size=3), CODE),
        _encoder(SERIES, _of("AveragePool1D", filter_size=4, stride=3, undone_by="nearest"), CODE),
        _encoder(SERIES, _of("AveragePool1D", filter_size=2, conv_mode="same"), CODE),
    ],
    "GlobalAveragePool": [
        _encoder(IMAGE, CONV, _of("GlobalAveragePool"), index=2),
        _encoder(SERIES, _of("GlobalAveragePool"), CODE),
    ],
    "Reshape": [_encoder(ROW, _of("Reshape", output_shape=[1, 2, 3]), CODE)],
    "Flatten": [_encoder(IMAGE, _of("Flatten"), CODE)],
    "Dropout": [_encoder(IMAGE, _of("Dropout", rate=0.5), CODE)],
    "BatchNorm": [_encoder(IMAGE, CONV, _of("BatchNorm", non_linearity="elu"), CODE, index=2)],
    "Concat": [
        _encoder(IMAGE, CONV, CODE, _of("Concat", of=[1, 2]), index=3),
        _encoder(IMAGE, CODE, _of("Concat", of=[1]), CODE, index=2),
    ],
    "SpatialTransformer": [
        _encoder(IMAGE, GLIMPSE, CODE),
        _encoder(IMAGE, SAME, {**GLIMPSE, "downsample": 2.5, "transform": "attention"}, index=2),
        _encoder(IMAGE, {**GLIMPSE, "transform": "translation"}, CODE, reconstruction="gaussian"),
    ],
    "InverseSpatialTransformer": [
        _decoder(
            IMAGE,
            GLIMPSE,
            CODE,
            decoder=[*FULL, _of("InverseSpatialTransformer", inverse_of=1)],
            index=2,
        )
    ],
    "RecurrentSpatialTransformer": [
        _encoder(IMAGE, {**GLIMPSES, "num_units": 5}, CODE),
        _encoder(IMAGE, {**GLIMPSES, "downsample": 3, "outside": "border"}, CODE),
    ],
    "TimeDistributed": [
        _encoder(IMAGE, GLIMPSES, _of("TimeDistributed", layers=FIND), CODE, index=2),
        _encoder(SERIES, _of("TimeDistributed", layers=[CODE])),
        _encoder(IMAGE, GLIMPSES, _of("TimeDistributed", layers=[CONV, CONV]), CODE, index=2),
    ],
    "Gaussian": [
        _encoder(IMAGE, _of("Gaussian", num_units=3)),
        _encoder(ROW, _of("Gaussian", num_units=3), reconstruction="gaussian"),
        _encoder(IMAGE, _of("Gaussian", num_units=3, batch_norm=True)),
        _levels("encoder", _of("Gaussian", num_units=3), CODE, TOP, index=1),
        _levels("decoder", _of("Gaussian", num_units=3, batch_norm=True), CODE, TOP, index=1),
        _levels("decoder", _of("Gaussian", num_units=6), TOP, index=0),
    ],
    "Deconv2D": [
        _decoder(
            _of("Input", output_shape=[2, 7, 10]),
            {**CONV, "filter_size": 1},
            decoder=[_of("Deconv2D", num_filters=2, filter_size=1)],
            index=0,
        ),
        _decoder(
            _of("Input", output_shape=[2, 7, 10]),
            {**CONV, "filter_size": [3, 4], "stride": 2, "conv_mode": "same"},
            decoder=[
                _of(
                    "Deconv2D",
                    num_filters=2,
                    filter_size=[3, 4],
                    stride=2,
                    conv_mode="same",
                    output_padding=[0, None],
                )
            ],
            index=0,
        ),
    ],
    "Deconv1D": [
        _decoder(
            SERIES,
            _of("Conv1D", num_filters=3, filter_size=3, stride=2),
            decoder=[_of("Deconv1D", num_filters=2, filter_size=3, stride=2)],
            index=0,
        )
    ],
    "Unpool2D": [
        _decoder(
            IMAGE,
            _of("MaxPool2D", filter_size=2),
            decoder=[_of("Unpool2D", filter_size=2, output_padding=1)],
            index=0,
        )
    ],
    "Unpool1D": [
        _decoder(
            SERIES,
            _of("MaxPool1D", filter_size=5),
            decoder=[_of("Unpool1D", filter_size=5, output_padding=[3])],
            index=0,
        )
    ],
    "UpSample": [
        _decoder(
            IMAGE,
            _of("MaxPool2D", filter_size=2),
            decoder=[_of("UpSample", filter_size=2, output_padding=1)],
            index=0,
        ),
        _decoder(
            SERIES,
            _of("MaxPool1D", filter_size=3, conv_mode="same"),
            decoder=[_of("UpSample", filter_size=[3], interpolation="nearest", output_cropping=2)],
            index=0,
        ),
    ],
    "InverseMaxPool2D": [
        _decoder(IMAGE, POOL, decoder=[_of("InverseMaxPool2D", inverse_of=1)], index=0),
        _decoder(
            IMAGE,
            POOL,
            decoder=[_of("InverseMaxPool2D", inverse_of=1, filter_size=[2, 3]), *FULL],
            index=0,
        ),
    ],
}


def test_every_type_is_tried() -> None:
    assert set(CASES) == set(LAYERS.own)


@pytest.mark.backends
@pytest.mark.parametrize(
    ("kind", "case"),
    [(kind, case) for kind, cases in CASES.items() for case in cases],
    ids=[f"{kind}-{i}" for kind, cases in CASES.items() for i in range(len(cases))],
)
def test_contract(
    kind: str,
    case: tuple[str, int, list[Tree], Tree],
) -> None:
    side, index, layers, keys = case
    plan = plan_of(*layers, **keys)
    assert getattr(plan, side)[index].type == kind
    run_layer_contract(plan, side, index)


NOTATIONS = {
    "Input": [""],
    "Dense": ["fc[4]", "fc[4]", "fc[4]", "fc[4] fc[4]_bn", "fc[4] fc[4]_bn"],
    "Embedding": ["emb[2>1,3>2]", "emb[6>2]"],
    "Conv2D": [
        "4[3x3]",
        "4[3x3]/2x3 4[3x3]/2x3_bn",
        "4[2x3]/2",
        "4[3x3]d2x3",
        "4[3x3]g2/2x3 4[3x3]g2/2x3_bn",
        "4[3x3] 4[3x3]_bn",
    ],
    "Conv1D": ["3[4]/3", "3[4]/5", "3[3]d4", "6[3]g2/2", "3[3]", "3[3]d4 3[3]d4_bn"],
    "Conv3D": [
        "3[3x3x3]",
        "3[3x3x3]/2x1x3 3[3x3x3]/2x1x3_bn",
        "3[3x3x3]/2",
        "3[3x3x3]g3/1x2x1",
    ],
    "MaxPool3D": ["max[2x3x2]"],
    "AveragePool3D": ["avg[2x2x2]"],
    "Deconv3D": ["1[1x1x1]"],
    "Unpool3D": ["ups[2x2x2]"],
    "DepthwiseConv2D": ["dw[3x3]", "dw[2x3]/3x2 dw[2x3]/3x2_bn"],
    "LSTM": ["lstm[4]", "lstm[4]s", "bilstm[4]"],
    "GRU": ["gru[2]", "gru[3]s", "bigru[3]s"],
    "Repeat": ["rep[13]"],
    "Add": ["add[1,3]", "add[1,2]", "add[1,2]", "add[0,1]"],
    "GaussianNoise": ["noise[0.2]"],
    "LayerNorm": ["ln", "ln"],
    "GroupNorm": ["gn[2]", "gn[3]"],
    "Activation": ["act", "act"],
    "PReLU": ["prelu", "prelu"],
    "MaxPool2D": ["max[2x4]", "max[3x3]/2x1", "max[2x2]/3"],
    "MaxPool2D*": ["max[2x3]"],
    "MaxPool1D": ["max[3]"],
    "AveragePool2D": ["avg[2x4]", "avg[3x3]/2", "avg[2x2]"],
    "AveragePool1D": ["avg[3]", "avg[4]/3", "avg[2]"],
    "GlobalAveragePool": ["gap", "gap"],
    "Reshape": ["rsh"],
    "Flatten": ["flat"],
    "Dropout": ["drop[0.5]"],
    "BatchNorm": ["bn"],
    "Concat": ["cat[1,2]", "cat[1]"],
    "SpatialTransformer": ["st", "st/2.5", "st"],
    "InverseSpatialTransformer": ["st*"],
    "RecurrentSpatialTransformer": ["rst[2x5]", "rst[2x256]/3"],
    "TimeDistributed": [
        "each(4[3x3] fc[3] fc[3]_bn)",
        "each(fc[3])",
        "each(4[3x3] 4[3x3])",
    ],
    "Gaussian": [
        "gauss[3]",
        "gauss[3]",
        "gauss[3] gauss[3]_bn",
        "gauss[3]",
        "gauss[3] gauss[3]_bn",
        "gauss[6]",
    ],
    "Deconv2D": ["2[1x1]", "2[3x4]/2"],
    "Deconv1D": ["2[3]/2"],
    "Unpool2D": ["ups[2x2]"],
    "Unpool1D": ["ups[5]"],
    "UpSample": ["ups[2]bilinear", "ups[3]nearest"],
    "InverseMaxPool2D": ["ups*", "ups*[2x3]"],
}


@pytest.mark.parametrize("kind", CASES)
def test_each_type_has_its_word_in_the_notation_of_one_line(kind: str) -> None:
    plans = ((plan_of(*layers, **keys), side, i) for side, i, layers, keys in CASES[kind])
    assert [getattr(plan, side)[i].notation for plan, side, i in plans] == NOTATIONS[kind]


def test_a_type_that_says_no_word_goes_by_its_name() -> None:
    class AveragePool(MaxPool2D):
        name = "AveragePool"
        notation = LayerType.notation

    assert AveragePool().notation({"filter_size": 2}) == "AveragePool"


def test_keras_waits_until_a_layer_is_built() -> None:
    code = "import sys, archbuild.layers; print(sorted({'keras', 'numpy'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr
