"""Commented specs to start from; ``archbuild new`` prints them."""

from __future__ import annotations

from typing import Final

_HEADER: Final = """\
# A spec for archbuild: the encoder; the decoder, the loss and the training follow from it.
#   archbuild validate THIS_FILE             finds every mistake
#   archbuild show -a THIS_FILE              shows encoder and derived decoder, layer by layer
#   archbuild -d DATA -a THIS_FILE --pretrain --cluster --metrics --visualize
# What stands after a '#' is a comment; keys that are commented out show their defaults.

spec_version: 1               # the version of this language
name: {name:<23} # names the run folder: letters, digits and . _ - +
# batch_size: 256             # rows in one training step
# use_batch_norm: false       # true: batch normalisation after every convolution
# scaling: none               # none, minmax (to 0..1) or standardise (mean 0, spread 1)
# reconstruction: squared_error   # or bernoulli (data in 0..1), or gaussian
# output_non_linearity: linear    # the decoder's last activation; default: the first layer's
output_non_linearity: linear

"""

_FOOTER: Final = """\

# decoder: mirror             # derived from the layers above; or state it as a list of layers
{augment}
head:                         # what clusters the bottleneck; see: archbuild list heads
  type: kld                   # soft k-means that sharpens itself; or kmeans; gmm and gmvae
                              # want a bottleneck {{type: Gaussian, num_units: 10}}
  # n_clusters: 10            # default: as many as the dataset declares classes

pretrain:                     # --pretrain learns to reconstruct
  epochs: 50                  # passes over the data
  optimizer: adam             # or sgd
  learning_rate: 0.001        # the highest one
  # schedule: one_cycle       # or constant, exponential, cosine

cluster:                      # --cluster refines with the head
  epochs: 20
  optimizer: adam
  learning_rate: 0.0005
  # batch_size: 256           # default: that of the spec

# train: {{epochs: 100}}        # --train learns network and head as one, where the head can
"""

_NO_AUGMENT: Final = (
    "# augment: {rotate: 10, shift: 0.1}   # for images only; see 'archbuild new --kind conv'\n"
)
_AUGMENT: Final = """\
augment:                      # random changes to images while training; leave out for none
  rotate: 10                  # at most so many degrees either way
  shift: 0.1                  # at most this fraction of the side
"""

_DENSE: Final = """\
layers:                       # the encoder, from the data to the bottleneck
  - type: Input
    output_shape: [64]        # how many numbers a row has
  - type: Dense
    num_units: 256
    non_linearity: rectify    # or linear, elu, selu, gelu, silu, tanh, sigmoid, ...
  - type: Dense
    num_units: 256
    non_linearity: rectify
  - type: Dense
    num_units: 10             # the bottleneck: what is clustered
    non_linearity: linear
"""

_CONV: Final = """\
layers:                       # the encoder, from the data to the bottleneck
  - type: Input
    output_shape: [1, 28, 28] # channels, height, width
  - type: Conv2D
    num_filters: 32
    filter_size: [5, 5]       # height, width
    stride: 2                 # every second place; default: 1
    conv_mode: same           # or valid (default): no padding
    non_linearity: rectify    # or linear, elu, selu, gelu, silu, tanh, sigmoid, ...
  - type: Conv2D
    num_filters: 64
    filter_size: [3, 3]
    conv_mode: same
    non_linearity: rectify
  - type: MaxPool2D           # the largest of each 2 x 2; undone by repeating
    filter_size: [2, 2]
  - type: Flatten
  - type: Dense
    num_units: 10             # the bottleneck: what is clustered
    non_linearity: linear
"""

_CONV1D: Final = """\
layers:                       # the encoder, from the data to the bottleneck
  - type: Input
    output_shape: [1, 128]    # channels, length
  - type: Conv1D
    num_filters: 32
    filter_size: 7            # how many steps the filter sees
    stride: 2                 # every second step; default: 1
    conv_mode: same           # or valid (default): no padding
    non_linearity: rectify    # or linear, elu, selu, gelu, silu, tanh, sigmoid, ...
  - type: Conv1D
    num_filters: 64
    filter_size: 5
    conv_mode: same
    non_linearity: rectify
  - type: MaxPool1D           # the largest of each 2
    filter_size: 2
  - type: Flatten
  - type: Dense
    num_units: 10             # the bottleneck: what is clustered
    non_linearity: linear
"""

_BODIES: Final = {"dense": _DENSE, "conv": _CONV, "conv1d": _CONV1D}


def template(kind: str) -> str:
    """A commented YAML spec that validates.

    Args:
        kind: ``dense`` for tables, ``conv`` for images, ``conv1d`` for series.

    Raises:
        ValueError: ``kind`` is none of these.
    """
    if kind not in _BODIES:
        raise ValueError(f"there is no template '{kind}'; there are {', '.join(_BODIES)}")
    footer = _FOOTER.format(augment=_AUGMENT if kind == "conv" else _NO_AUGMENT)
    return _HEADER.format(name=f"my-{kind}") + _BODIES[kind] + footer
