"""Words of Keras, PyTorch and Lasagne for what a spec calls otherwise.

A hint is given only where the spec may say what it names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "inputlayer": ("Input",),
    "linear": ("Dense",),
    "fullyconnected": ("Dense",),
    "denselayer": ("Dense",),
    "convolution1d": ("Conv1D",),
    "convolution2d": ("Conv2D",),
    "conv1dtranspose": ("Deconv1D",),
    "convtranspose1d": ("Deconv1D",),
    "conv2dtranspose": ("Deconv2D",),
    "convtranspose2d": ("Deconv2D",),
    "conv3dtranspose": ("Deconv3D",),
    "maxpooling3d": ("MaxPool3D",),
    "averagepooling3d": ("AveragePool3D",),
    "upsampling3d": ("Unpool3D",),
    "depthwiseconv": ("DepthwiseConv2D",),
    "separableconv2d": ("DepthwiseConv2D",),
    "maxpooling1d": ("MaxPool1D",),
    "maxpooling2d": ("MaxPool2D",),
    "averagepooling1d": ("AveragePool1D",),
    "averagepooling2d": ("AveragePool2D",),
    "avgpool1d": ("AveragePool1D",),
    "avgpool2d": ("AveragePool2D",),
    "meanpool2d": ("AveragePool2D",),
    "globalaveragepooling1d": ("GlobalAveragePool",),
    "globalaveragepooling2d": ("GlobalAveragePool",),
    "globalavgpool2d": ("GlobalAveragePool",),
    "adaptiveavgpool2d": ("GlobalAveragePool",),
    "upsampling1d": ("Unpool1D", "UpSample"),
    "upsampling2d": ("Unpool2D", "UpSample"),
    "upscale2d": ("Unpool2D", "UpSample"),
    "batchnormalization": ("BatchNorm",),
    "batchnormalisation": ("BatchNorm",),
    "batchnorm1d": ("BatchNorm",),
    "batchnorm2d": ("BatchNorm",),
    "layernormalization": ("LayerNorm",),
    "layernormalisation": ("LayerNorm",),
    "groupnormalization": ("GroupNorm",),
    "groupnormalisation": ("GroupNorm",),
    "relu": ("Activation",),
    "leakyrelu": ("Activation",),
    "elu": ("Activation",),
    "softmax": ("Activation",),
    "nonlinearity": ("Activation",),
    "spatialdropout1d": ("Dropout",),
    "spatialdropout2d": ("Dropout",),
    "concatenate": ("Concat",),
    "repeatvector": ("Repeat",),
    "stn": ("SpatialTransformer", "RecurrentSpatialTransformer"),
    "transformerlayer": ("SpatialTransformer",),
    "spatialtransformerlayer": ("SpatialTransformer",),
    "simplernn": ("GRU",),
    "rnn": ("GRU", "LSTM"),
    "bidirectional": ("LSTM",),
    "embeddinglayer": ("Embedding",),
    "embeddingbag": ("Embedding",),
    "onehotencoder": ("Embedding",),
    "categoryencoding": ("Embedding",),
    "categoricalembedding": ("Embedding",),
}

_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "kernel_size": ("filter_size",),
    "kernel": ("filter_size",),
    "pool_size": ("filter_size",),
    "size": ("filter_size",),
    "filters": ("num_filters",),
    "channels": ("num_filters",),
    "out_channels": ("num_filters",),
    "units": ("num_units",),
    "out_features": ("num_units",),
    "hidden_size": ("num_units",),
    "activation": ("non_linearity",),
    "nonlinearity": ("non_linearity",),
    "alpha": ("non_linearity",),
    "negative_slope": ("non_linearity",),
    "strides": ("stride",),
    "padding": ("conv_mode",),
    "pad": ("padding", "conv_mode"),
    "dilation_rate": ("dilation",),
    "bias": ("use_bias",),
    "kernel_initializer": ("initialiser",),
    "initializer": ("initialiser",),
    "kernel_regularizer": ("regulariser",),
    "regularizer": ("regulariser",),
    "input_shape": ("output_shape",),
    "target_shape": ("output_shape",),
    "shape": ("output_shape",),
    "inputs": ("of",),
    "layers": ("of",),
    "n": ("times",),
    "p": ("rate",),
    "sigma": ("stddev",),
    "std": ("stddev",),
    "num_groups": ("groups",),
    "go_backwards": ("bidirectional",),
    "input_dim": ("blocks",),
    "num_embeddings": ("blocks",),
    "columns": ("blocks",),
    "output_dim": ("num_units",),
    "embedding_dim": ("num_units",),
    "encoder": ("layers",),
    "nan": ("gaps",),
    "na_values": ("missing",),
    "sep": ("separator",),
    "delimiter": ("separator",),
    "dtype": ("columns",),
    "dtypes": ("columns",),
    "types": ("columns",),
    "kinds": ("columns",),
    "target": ("labels",),
    "y": ("labels",),
    "label_column": ("labels",),
    "scale": ("divide_by",),
    "loss": ("reconstruction",),
    "lr": ("learning_rate",),
    "n_epochs": ("epochs",),
}

_IN_A_STAGE: Final = ("epochs", "learning_rate", "optimizer", "n_epochs", "lr")

_LEAKY: Final = "write {type: leaky_rectify, slope: 0.01}; leaky_relu alone has the slope 0.2"
_ACTIVATIONS: Final = {
    "swish": "did you mean 'silu'?",
    "leaky_rectify": _LEAKY,
    "leakyrectify": _LEAKY,
    "identity": "did you mean 'linear'?",
    "none": "did you mean 'linear'?",
    "prelu": "write non_linearity: linear, and a PReLU as the next layer",
    "softmax": "there is no softmax; the head finds the clusters: write linear",
}
_VALUES: Final[Mapping[str, Mapping[str, str]]] = {
    "padding": {
        "same": "write conv_mode: same in place of padding",
        "valid": "leave it out, or write conv_mode: valid",
        "causal": "write conv_mode: causal in place of padding, in a Conv1D",
    },
    "non_linearity": _ACTIVATIONS,
    "output_non_linearity": _ACTIVATIONS,
    "reconstruction": {
        "mse": "did you mean 'squared_error'?",
        "mean_squared_error": "did you mean 'squared_error'?",
        "bce": "did you mean 'bernoulli'?",
        "binary_crossentropy": "did you mean 'bernoulli'?",
        "cross_entropy": "did you mean 'bernoulli'?",
        "nb": "did you mean 'negative_binomial'?",
        "zinb": "did you mean 'zero_inflated_negative_binomial'?",
        "poisson": "did you mean 'negative_binomial'? Its dispersion is learned",
    },
    "initialiser": {
        "xavier": "did you mean 'glorot_uniform'?",
        "xavier_uniform": "did you mean 'glorot_uniform'?",
        "kaiming": "did you mean 'he_normal'?",
        "kaiming_normal": "did you mean 'he_normal'?",
    },
    "columns": {
        **dict.fromkeys(
            ("onehot", "one-hot", "one_hot", "text", "str"), "did you mean 'category'?"
        ),
        **dict.fromkeys(("float", "int", "integer", "numeric"), "did you mean 'number'?"),
        **dict.fromkeys(("id", "index", "name"), "did you mean 'identifier'?"),
        **dict.fromkeys(("drop", "skip", "none"), "did you mean 'ignore'?"),
        **dict.fromkeys(("class", "target", "y"), "did you mean 'label'?"),
    },
    "gaps": {
        "drop": "rows cannot be dropped here: drop them from the file, or write impute or mask",
        **dict.fromkeys(("mean", "fill", "fillna"), "did you mean 'impute'?"),
        **dict.fromkeys(("nan", "zero", "ignore"), "did you mean 'mask'?"),
    },
    "missing": dict.fromkeys(("mask", "impute"), "did you mean 'gaps'?"),
    "regulariser": {"l1": "write {l1: 0.01}", "l2": "write {l2: 0.01}"},
}


def type_hint(name: Any, kinds: Collection[str]) -> str | None:
    """Return advice for a layer type that another library knows.

    Args:
        name: what stands after ``type``.
        kinds: the types that may stand there; those of the other half are named with that word.
    """
    ours = _TYPES.get(re.sub("[^a-z0-9]", "", str(name).lower()), ())
    here = [kind for kind in ours if kind in kinds]
    if here:
        return _meant(here)
    if ours:
        return f"{_meant(ours)} It stands in the other half; the mirror of the encoder writes it"
    return None


def key_hint(key: Any, allowed: Collection[str]) -> str | None:
    """Return advice for a key that another library knows, where ``allowed`` has its counterpart."""
    meant = [ours for ours in _KEYS.get(str(key).lower(), ()) if ours in allowed]
    if meant:
        return _meant(meant)
    if key in _IN_A_STAGE and "pretrain" in allowed:
        ours = _KEYS.get(key, (key,))[0]
        return f"{ours} belongs to a stage: pretrain: {{{ours}: ...}}"
    return None


def value_hint(key: str, value: Any) -> str | None:
    """Return advice for a word that another library takes as the value of ``key``."""
    return _VALUES.get(key, {}).get(value.lower()) if isinstance(value, str) else None


def _meant(options: Collection[str]) -> str:
    return f"did you mean {' or '.join(repr(option) for option in options)}?"
