"""A part of a trained model as a graph of its own, for programs without archbuild.

The scaling is inside: rows go in, and come out, in the units of the data as a ``Dataset`` gives
them, float32 and channels last; pixels go from 0 to 1. A spec's ``binarise`` is not: such a graph
takes rows of 0 and 1. The graph consists of Keras's own layers and
operations and of constants.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.data.guess import listed
from archbuild.errors import UsageError
from archbuild.io.atomic import TEMPORARY_PREFIX, explained, write_atomic
from archbuild.io.containment import named_by_user
from archbuild.training.progress import LOGGER

if TYPE_CHECKING:
    import keras

    from archbuild.data.origin import Origin
    from archbuild.models.model import Model

_SAVED_MODEL = "saved_model.pb"
_KERAS_SUFFIX = ".keras"


def export(model: Model, part: str, kind: str, path: Path, force: bool = False) -> None:
    """Write a part of a model to a file, or to a folder for ``saved_model``, whole or not at all.

    Args:
        model: the trained model.
        part: one of ``PARTS``.
        kind: one of ``FORMATS``.
        path: the file or folder.
        force: replace what an earlier export left there.

    Raises:
        RunError: the head has no clusters yet, or the disk refuses.
        UsageError: as ``refuse_place`` and ``graph_of``, or a package is missing.
    """
    refuse_place(path, kind, force)
    path = named_by_user(path)
    graph = graph_of(model, part)
    if kind == "saved_model":
        _write_folder(path, lambda place: FORMATS[kind](graph, place))
    else:
        write_atomic(path, lambda place: FORMATS[kind](graph, place))


def refuse_place(path: Path, kind: str, force: bool) -> None:
    """Make sure that an export can be written to ``path``.

    Raises:
        UsageError: something is there already, under ``force`` something that is no export; or
            the file lacks the suffix that Keras needs.
    """
    if kind == "keras" and path.suffix != _KERAS_SUFFIX:
        raise UsageError(f"{path} does not end in {_KERAS_SUFFIX}, as Keras needs; rename it")
    if not path.exists():
        return
    if not force:
        raise UsageError(f"{path} already exists; choose another --output, or add --force")
    replaceable = (path / _SAVED_MODEL).is_file() if kind == "saved_model" else path.is_file()
    if not replaceable:
        what = "a folder with a saved_model in it" if kind == "saved_model" else "a file"
        raise UsageError(f"--force replaces {what}, and {path} is none; choose another --output")


def graph_of(model: Model, part: str) -> keras.Model:
    """Return a part of a model as a Keras model of one input and one output.

    Raises:
        RunError: ``assign`` of a model that has no head, or one that is not initialised.
        UsageError: Keras does not run on TensorFlow, or the decoder cannot decode a latent alone.
    """
    import keras

    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise UsageError(
            f"exports are built with TensorFlow, and Keras runs on {backend}: add --backend "
            "tensorflow, or set KERAS_BACKEND=tensorflow. Models of any backend can be exported "
            "so, and .keras files load on any"
        )
    if model.plan.spec.binarise != "none" and part != "decoder":
        LOGGER.warning(
            "the graph does not binarise as 'predict' does: give it rows of 0 and 1, for which "
            "both have the same numbers"
        )
    return _plain_graph(PARTS[part](model))


def remarks(origin: Origin) -> list[str]:
    """Return what a user of an export has to know of its rows: encoded columns, missing values."""
    said = []
    if origin.known.encoding is not None:
        names = list(origin.columns) or list(origin.known.encoding.features)
        said.append(
            f"rows: {len(names)} features, {listed(names)}; the encoding of the table's cells is "
            "not part of it, and stands in manifest.json (origin.encoding)"
        )
    if origin.known.gaps:
        said.append("missing values: NaN in rows stands for one")
    return said


def encoder(model: Model) -> keras.Model:
    """Return the graph from rows ``(batch, *input_shape)`` to the means ``(batch, latent)``."""
    import keras

    rows = _rows(model)
    return keras.Model(rows, _encoding(model, rows).mean, name="latents")


def decoder(model: Model) -> keras.Model:
    """Return the graph from latents ``(batch, latent)`` to rows ``(batch, *input_shape)``.

    The rows are the means of ``p(x | z)``.
    """
    import keras

    latents = keras.Input((model.plan.latent_size,), name="latents")
    network = model.network
    rows = model.origin.scaler.undo(network.expected(network.decode(latents)))
    return keras.Model(latents, rows, name="rows")


def assign(model: Model) -> keras.Model:
    """Return the graph from rows ``(batch, *input_shape)`` to clusters' probabilities.

    These are ``(batch, cluster)``.
    """
    import keras

    head, rows = model.assigning_head, _rows(model)
    found = head.assign(head.code(_encoding(model, rows)))
    return keras.Model(rows, found, name="probabilities")


PARTS: Mapping[str, Callable[[Model], keras.Model]] = {
    "encoder": encoder,
    "decoder": decoder,
    "assign": assign,
}
"""Part -> the function that makes its graph."""


def save_keras(graph: keras.Model, path: Path) -> None:
    """Write a file for ``keras.saving.load_model``, on any backend."""
    graph.save(path)


def save_onnx(graph: keras.Model, path: Path) -> None:
    """Write a file for ONNX runtimes; the graph takes any number of rows at a time.

    Raises:
        UsageError: tf2onnx is not installed.
    """
    import keras

    _register_log1p()
    named = keras.Model(graph.input, {graph.name: graph.output})  # ONNX takes the output's name
    with warnings.catch_warnings():  # of Keras, about its own use of NumPy
        warnings.simplefilter("ignore", FutureWarning)
        named.export(path, format="onnx", verbose=False, input_signature=[graph.input])


def save_folder(graph: keras.Model, path: Path) -> None:
    """Write a folder for ``tensorflow.saved_model.load`` and TensorFlow Serving.

    Its function is called ``serve``.
    """
    graph.export(path, format="tf_saved_model", verbose=False)


FORMATS: Mapping[str, Callable[[keras.Model, Path], None]] = {
    "keras": save_keras,
    "onnx": save_onnx,
    "saved_model": save_folder,
}
"""Format -> the function that writes it."""


def _rows(model: Model) -> Any:
    import keras

    shape, precision = model.network.encoder.input.shape[1:], model.origin.scaler.precision
    return keras.Input(shape, name="rows", dtype=precision)


def _encoding(model: Model, rows: Any) -> Any:
    import keras

    scaled = model.origin.scaler.scaled(rows)
    single = (
        scaled if model.origin.scaler.precision == "float32" else keras.ops.cast(scaled, "float32")
    )
    if model.origin.known.gaps:
        single = keras.ops.where(keras.ops.isnan(single), 0.0, single)
    return model.network.encode(single)


def _plain_graph(graph: keras.Model) -> keras.Model:
    """Return an equal graph of Keras's own layers and operations and of constants.

    Layers keep their weights, those of a tied decoder get some; archbuild's own, which have none,
    become the operations that they are made of. Tensors and variables that enter from outside
    become NumPy arrays: what else a function captures, tf2onnx takes for further inputs.
    """
    import keras

    from archbuild.networks.rows import to_numpy

    def constant(value: Any) -> Any:
        outside = isinstance(value, keras.Variable) or keras.ops.is_tensor(value)
        return to_numpy(value) if outside else value

    def call(operation: Any, *arguments: Any, **named: Any) -> Any:
        arguments, named = keras.tree.map_structure(constant, (arguments, named))
        if isinstance(operation, keras.Model):
            operation = _plain_graph(operation)
        elif hasattr(operation, "untied"):
            operation = operation.untied()
        elif keras.saving.get_registered_name(type(operation)).startswith("archbuild>"):
            return operation.call(*arguments, **named)
        return operation(*arguments, **named)

    return keras.models.clone_model(graph, clone_function=lambda same: same, call_function=call)


@cache
def _register_log1p() -> None:
    """Register ``log(1 + x)`` with tf2onnx, which lacks it; ONNX has no such operation.

    ``log(u) x / (u - 1)`` with ``u = fl(1 + x)``, and ``x`` where ``u`` is 1, is exact to a few
    units in the last place (Goldberg, ACM Computing Surveys 23, 1991, theorem 4); ``log(u)`` alone
    would lose all digits of a small ``x``.
    """
    try:
        from tf2onnx.handler import tf_op
        from tf2onnx.utils import make_name
    except ImportError as error:
        raise UsageError(
            "--format onnx needs tf2onnx; install it with: pip install 'archbuild[onnx]'"
        ) from error

    @tf_op("Log1p")
    class Log1p:
        @classmethod
        def version_11(cls, graph: Any, node: Any, **_: Any) -> None:
            def made(kind: str, *inputs: str) -> str:
                output: str = graph.make_node(kind, list(inputs)).output[0]
                return output

            (x,), output = node.input, node.output[0]
            shape, dtype = graph.get_shape(output), graph.get_dtype(output)
            one = graph.make_const(make_name("one"), np.ones((), np.float32)).output[0]
            u = made("Add", x, one)
            precise = made("Mul", made("Log", u), made("Div", x, made("Sub", u, one)))
            places = [made("Equal", u, one), x, precise]
            graph.remove_node(node.name)
            graph.make_node(
                "Where", places, name=node.name, outputs=[output], shapes=[shape], dtypes=[dtype]
            )


def _write_folder(path: Path, write: Callable[[Path], None]) -> None:
    """Write a folder whole or not at all.

    A folder cannot be replaced by a rename, so the old one is moved away first.
    """
    with explained("write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=path.parent, prefix=TEMPORARY_PREFIX) as aside:
            new, old = Path(aside) / "new", Path(aside) / "old"
            write(new)
            if path.exists():
                path.rename(old)
            new.rename(path)
