"""Commented specs to start from, for a kind of data or for data that were looked at."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from archbuild.printable import one_line
from archbuild.spec.augment import CHANGES_BY_AXES
from archbuild.spec.plan import Shape

_COMMENTS_BEGIN: Final = 30
_LATENT: Final = 10
_LATENT_OF_IMAGES: Final = 32  # fewer lose which image is near which: docs/evidence.md
_MOST_FILTERS: Final = 128


@dataclass(frozen=True)
class Schedule:
    """Length of training."""

    batch_size: int
    pretrain_epochs: int
    cluster_epochs: int


_SCHEDULES: Final = {  # up to so many rows; the last one also for more
    500: Schedule(16, 200, 20),
    2_000: Schedule(32, 100, 20),
    20_000: Schedule(64, 50, 20),
    100_000: Schedule(256, 30, 15),
    1_000_000: Schedule(256, 10, 5),
    10_000_000: Schedule(512, 3, 2),
}


@dataclass(frozen=True)
class Subject:
    """The data that a spec is written for.

    Attributes:
        name: of the spec; what may not stand in one is replaced.
        shape: of a row: ``(features,)``, ``(channels, length)`` or ``(channels, height, width)``.
        n_rows: how many rows there are.
        title: what the data are, in one line.
        scaling: the spec's ``scaling``.
        scaling_reason: why that one.
        size_reason: what there is to say of the shape.
        n_clusters: the head's; ``None``: as many as the labels name classes.
        n_clusters_reason: where that comes from.
        start: the head's; one that works with what is installed.
        start_reason: why that one.
        remarks: lines about how the data were read.
        data: keys of the spec's ``data`` section, ``columns`` among them.
        blocks: of a table, the columns whose categories are embedded: name -> first feature, and
            number of features.
    """

    name: str
    shape: Shape
    n_rows: int = 10_000
    title: str = "no data in particular: set output_shape of Input to the shape of your rows"
    scaling: str = "none"
    scaling_reason: str = "or minmax (to 0..1), or standardise (mean 0, spread 1)"
    size_reason: str = ""
    n_clusters: int | str | None = None
    n_clusters_reason: str = "as many as the labels name classes; without labels write a number"
    start: str = "t-sne"
    start_reason: str = "Ward's clusters in a t-SNE map; or manifold (archbuild[manifold]), ..."
    remarks: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    blocks: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def schedule(self) -> Schedule:
        """Batches and epochs by the number of rows: many epochs for small sets, few for large ones.

        The shipped specs, from 1,797 rows in batches of 16 and 64 to 70,000 in batches of 256, lie
        on or near this scale.
        """
        sizes = (most for most in _SCHEDULES if self.n_rows <= most)
        return _SCHEDULES[next(sizes, max(_SCHEDULES))]


KINDS: Final[Mapping[str, Subject]] = {
    "dense": Subject("my-dense", (64,)),
    "conv": Subject("my-conv", (1, 28, 28)),
    "conv1d": Subject("my-conv1d", (1, 128)),
}
"""An example of each kind of data: tables, images, series."""


def template(kind: str) -> str:
    """Return a commented YAML spec that validates.

    Args:
        kind: ``dense`` for tables, ``conv`` for images, ``conv1d`` for series.

    Raises:
        ValueError: ``kind`` is none of these.
    """
    if kind not in KINDS:
        raise ValueError(f"there is no template '{kind}'; there are {', '.join(KINDS)}")
    return spec_text(KINDS[kind])


def spec_text(subject: Subject) -> str:
    """Return a commented YAML spec that fits the subject, and validates.

    Line breaks and control characters in what is said about the data are escaped.
    """
    parts = (_head_lines, _data_lines, _layer_lines, _augment_lines, _tail_lines)
    return "".join(f"{one_line(line)}\n" for part in parts for line in part(subject))


def spec_name(text: str) -> str:
    """Return the text as a spec's name: letters, digits and ``. _ - +``, at most 120."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", text).strip("-._+")[:120] or "mine"


# -- the parts of a spec ---------------------------------------------------------------------


def _head_lines(subject: Subject) -> Iterator[str]:
    yield "# A spec for archbuild: the encoder; decoder, loss and training follow from it."
    yield f"# For {subject.title}."
    yield "#   archbuild validate THIS_FILE             finds every mistake"
    yield "#   archbuild show -a THIS_FILE              shows encoder and decoder, layer by layer"
    yield "#   archbuild -d DATA -a THIS_FILE --pretrain --cluster --metrics --visualize"
    yield "# What stands after a '#' is a comment; keys that are commented out show their defaults."
    yield ""
    yield _line("spec_version: 1", "the version of this language")
    name = json.dumps(spec_name(subject.name))  # 1e3 or null would be no text
    yield _line(f"name: {name}", "names the run folder")
    yield _line(f"batch_size: {subject.schedule.batch_size}", "rows in one training step")
    yield _line("# use_batch_norm: false", "true: after every convolution")
    yield _line(f"scaling: {subject.scaling}", subject.scaling_reason)
    yield _line("reconstruction: squared_error", "or bernoulli (0..1), gaussian, ...")
    yield _line("output_non_linearity: linear", "of the decoder; default: the first layer's")
    yield ""


def _data_lines(subject: Subject) -> Iterator[str]:
    """Yield how the data are read: what was settled as keys, what was guessed as comments."""
    if not subject.data and not subject.remarks:
        return
    if subject.data:
        yield _line("data:", "how the data are read; what is not set here is guessed")
    for key, value in subject.data.items():
        if isinstance(value, Mapping):
            yield f"  {key}:"
            yield from (f"    {json.dumps(name)}: {kind}" for name, kind in value.items())
        else:
            yield f"  {key}: {json.dumps(value)}"
    yield from (f"# {remark}" for remark in subject.remarks)
    yield ""


def _layer_lines(subject: Subject) -> Iterator[str]:
    axes, layers = _LAYERS[len(subject.shape)]
    shape = json.dumps(list(subject.shape))
    size = f"; {subject.size_reason}" if subject.size_reason else ""
    yield _line("layers:", "the encoder, from the data to the bottleneck")
    yield f"  - {{type: Input, output_shape: {shape}}}   # {axes}{size}"
    if subject.blocks:
        yield "  # each category as a few learned numbers; blocks: [first feature, how many]"
        yield f"  - {{type: Embedding, blocks: {json.dumps(subject.blocks, ensure_ascii=False)}}}"
    yield from layers(subject)
    yield ""
    yield _line("# decoder: mirror", "derived from the layers above; or a list of layers")


def _augment_lines(subject: Subject) -> Iterator[str]:
    if len(subject.shape) != 3:
        examples = ", ".join(f"{name}: 0.1" for name in CHANGES_BY_AXES[len(subject.shape)])
        yield _line("# augment: null", f"or random changes while training: {{{examples}}}")
        return
    yield _line("augment:", "random changes while training; leave out for none")
    yield _line("  rotate: 10", "at most so many degrees either way")
    yield _line("  shift: 0.1", "at most this fraction of the side")
    yield _line("  # scale: 0", "at most this fraction larger or smaller")
    yield _line("  # shear: 0", "at most this fraction of a line's distance from the middle")
    yield _line("  # flip: false", "true: left and right exchanged in half of the images")
    yield _line("  # crop: 0", "at most this fraction of the side cut away, the rest enlarged")
    yield _line("  # noise: 0", "standard deviation of what is added to each value")


def _tail_lines(subject: Subject) -> Iterator[str]:
    n_clusters = "null" if subject.n_clusters is None else subject.n_clusters
    yield _line("head:", "the clustering head; see: archbuild list heads")
    yield _line("  type: self_training", "learns the start's clusters and corrects them; or kld,")
    yield _line("", "kmeans; gmm and gmvae need a bottleneck {type: Gaussian, num_units: 10}")
    yield _line(f"  n_clusters: {n_clusters}", subject.n_clusters_reason)
    yield _line(f"  start: {subject.start}", subject.start_reason)
    yield ""
    yield _line("pretrain:", "--pretrain learns to reconstruct")
    yield _line(f"  epochs: {subject.schedule.pretrain_epochs}", "passes over the data")
    yield _line("  learning_rate: 0.002", "the highest one, in one cycle")
    yield ""
    yield _line("cluster:", "--cluster refines with the head")
    yield _line(f"  epochs: {subject.schedule.cluster_epochs}", "passes over the data")
    yield _line("  learning_rate: 0.001", "the highest one")
    yield _line("  schedule: one_cycle", "or constant, exponential, cosine")
    yield ""
    yield _line("# train: {epochs: 100}", "--train learns network and head as one, if it can")


def _line(text: str, comment: str) -> str:
    return f"{text:<{_COMMENTS_BEGIN - 1}} # {comment}" if comment else text


# -- encoders --------------------------------------------------------------------------------


def _dense(subject: Subject) -> Iterator[str]:
    """Return two layers some eight times as wide as the table, no wider than its rows can fill."""
    (features,) = subject.shape
    width = min(_power_of_two(8 * features), _power_of_two(subject.n_rows // 8), 512)
    yield _line(
        "  # non_linearity: rectify", "or linear, elu, selu, gelu, silu, tanh, sigmoid, ..."
    )
    for _ in range(2):
        yield f"  - {{type: Dense, num_units: {max(width, 32)}, non_linearity: rectify}}"
    yield _bottleneck(min(_LATENT, max(2, features // 2)))


def _conv2d(subject: Subject) -> Iterator[str]:
    """Return strided convolutions until the shorter side is 4 or less."""
    yield _line("  # stride: 2", "halves the sides; conv_mode valid: without padding")
    side = min(subject.shape[1:])
    if side < 16:
        yield _convolution("Conv2D", 32, 3, 1)
    for depth, size in enumerate(_halvings(side, 4), start=side < 16):
        yield _convolution("Conv2D", min(32 << depth, _MOST_FILTERS), 5 if size >= 14 else 3, 2)
    yield "  - {type: Flatten}"
    yield _bottleneck(_LATENT_OF_IMAGES)


def _conv1d(subject: Subject) -> Iterator[str]:
    """Return strided convolutions until eight steps or less are left."""
    yield _line("  # stride: 2", "halves the length; conv_mode valid: without padding")
    length = subject.shape[1]
    if length <= 8:
        yield _convolution("Conv1D", 32, 3, 1)
    for depth, size in enumerate(_halvings(length, 8)):
        yield _convolution("Conv1D", min(32 << depth, _MOST_FILTERS), 7 if size >= 64 else 5, 2)
    yield "  - {type: Flatten}"
    yield _bottleneck(_LATENT)


def _conv3d(subject: Subject) -> Iterator[str]:
    """Return strided convolutions until four voxels or less are left along the longest side."""
    yield _line("  # stride: 2", "halves each side; conv_mode valid: without padding")
    side = max(subject.shape[1:])
    if side <= 4:
        yield _convolution("Conv3D", 32, 3, 1)
    for depth, _ in enumerate(_halvings(side, 4)):
        yield _convolution("Conv3D", min(32 << depth, _MOST_FILTERS), 3, 2)
    yield "  - {type: Flatten}"
    yield _bottleneck(_LATENT)


_LAYERS: Final = {
    1: ("how many numbers a row has", _dense),
    2: ("channels, length", _conv1d),
    3: ("channels, height, width", _conv2d),
    4: ("channels, depth, height, width", _conv3d),
}


def _convolution(kind: str, filters: int, size: int, stride: int) -> str:
    return (
        f"  - {{type: {kind}, num_filters: {filters}, filter_size: {size}, stride: {stride}, "
        "conv_mode: same, non_linearity: rectify}"
    )


def _bottleneck(units: int) -> str:
    return (
        f"  - {{type: Dense, num_units: {units}, non_linearity: linear}}"
        "   # the bottleneck: what is clustered"
    )


def _halvings(size: int, enough: int) -> Iterator[int]:
    """Return the size before each halving (rounded up) that brings it to ``enough`` or less."""
    while size > enough:
        yield size
        size = -(-size // 2)


def _power_of_two(number: int) -> int:
    """Return the smallest power of two that is not below the number."""
    return 1 << max(0, number - 1).bit_length()
