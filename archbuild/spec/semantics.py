"""The second tier of the check: rules for the whole network.

Shapes and sizes are the mirror's to judge; here stand the rules beside them, one in one function.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from archbuild.errors import Problem, SpecError
from archbuild.spec.augment import (
    CHANGES_BY_AXES,
    IMAGE_CHANGES,
    ROWS_BY_AXES,
)
from archbuild.spec.document import TreePath
from archbuild.spec.mirror import make_plan
from archbuild.spec.plan import SHAPE_FORMS, Plan, Spec
from archbuild.spec.resolve import default_output
from archbuild.spec.stages import STAGE_DEFAULTS
from archbuild.spec.top import EMBEDDING, OF_COUNTS
from archbuild.spec.values import shown
from archbuild.spec.vocabulary import Vocabulary

EMBEDDING_LAYER: Final = "Embedding"
MAX_LATENT: Final = 100_000
NEVER_BELOW_ZERO: Final = {"rectify", "relu", "softplus", "sigmoid"}


def semantic_problems(spec: Spec, vocabulary: Vocabulary) -> list[Problem]:
    """Return the problems of a spec whose structure is right."""
    problems = [*input_problems(spec), *augment_problems(spec), *output_problems(spec)]
    problems += [*binarise_problems(spec), *counts_problems(spec), *embedding_problems(spec)]
    if any(problem.path[:2] == ("layers", 0) for problem in problems):
        return problems  # without an input there are no shapes to follow
    try:
        plan = make_plan(spec, vocabulary)
    except SpecError as error:
        known = {problem.path[:2] for problem in problems}
        return problems + [found for found in error.problems if found.path[:2] not in known]
    found = [*latent_problems(plan), *supervision_problems(spec, vocabulary)]
    found += [*decoder_problems(spec, vocabulary), *validation_problems(spec, vocabulary)]
    return [*problems, *found, *head_problems(plan, vocabulary)]


def input_problems(spec: Spec) -> Iterator[Problem]:
    """Check that Input comes first, and only there."""
    for index, layer in enumerate(spec.layers):
        path = ("layers", index, "type")
        if index == 0 and layer.type != "Input":
            advice = "put {type: Input, output_shape: [channels, height, width]} before it"
            yield Problem("the first layer must be Input", path, shown(layer.type), "Input", advice)
        elif index > 0 and layer.type == "Input":
            message = "Input can be the first layer only"
            yield Problem(message, path, shown(layer.type), None, "leave this layer out")


def augment_problems(spec: Spec) -> Iterator[Problem]:
    """Check that each change has rows that it can work on."""
    shape = spec.layers[0].config.get("output_shape", ())
    fitting = CHANGES_BY_AXES.get(len(shape), ())
    for name, value in spec.augmentation.items() if shape else ():
        path = ("augment", name)
        if name not in fitting:
            yield Problem(
                f"{name} does not change {ROWS_BY_AXES[len(shape)]}",
                path,
                f"an Input of shape {list(shape)}",
                f"an Input of shape {_shapes_for(name)}",
                _advice_for(name, fitting),
            )
        elif name == "jitter" and spec.reconstruction in OF_COUNTS:
            yield Problem(
                "jitter would make counts negative",
                path,
                shown(value),
                advice=f"leave it out under reconstruction: {spec.reconstruction}; use magnitude "
                "or mask",
            )


def _shapes_for(change: str) -> str:
    """Return the shapes of the rows that a field of ``augment`` changes."""
    shapes = [SHAPE_FORMS[axes] for axes, names in CHANGES_BY_AXES.items() if change in names]
    return " or ".join(shapes)


def _advice_for(change: str, fitting: Sequence[str]) -> str:
    advice = f"leave {change} out; such rows can have {', '.join(fitting)}"
    if change in IMAGE_CHANGES:
        advice += "; or give the Input the shape of the images: Dense flattens them"
    return advice


def output_problems(spec: Spec) -> Iterator[Problem]:
    """Check that the output can take the values of the data, and is stated once."""
    path, output = ("output_non_linearity",), spec.output_non_linearity
    stated = default_output(spec.tree)
    if spec.decoder and output != stated:
        yield Problem(
            "a stated decoder ends with its own non-linearity",
            path,
            shown(output),
            shown(stated),
            "leave output_non_linearity out, or write it in the decoder's last layer",
        )
    if spec.scaling == "standardise" and str(output) in NEVER_BELOW_ZERO:
        yield Problem(
            f"standardised data lie on both sides of 0, and {output} gives nothing below it",
            path,
            f"{shown(output)} (the default is the first layer's)",
            None,
            "write output_non_linearity: linear",
        )


def binarise_problems(spec: Spec) -> Iterator[Problem]:
    """Check that what is binarised can lie between 0 and 1."""
    if spec.binarise == "none":
        return
    message = f"binarise: {spec.binarise} takes values from 0 to 1"
    if spec.scaling == "standardise":
        yield Problem(message, ("scaling",), shown(spec.scaling), "none or minmax")
    if spec.reconstruction in OF_COUNTS:
        yield Problem(message, ("reconstruction",), shown(spec.reconstruction), "bernoulli")


def counts_problems(spec: Spec) -> Iterator[Problem]:
    """Check that a likelihood of counts is given tables of counts as they are."""
    if spec.reconstruction not in OF_COUNTS:
        return
    shape = spec.layers[0].config.get("output_shape", ())
    message = f"reconstruction: {spec.reconstruction} takes counts as they are"
    if len(shape) != 1:
        yield Problem(
            f"reconstruction: {spec.reconstruction} is for tables of counts",
            ("reconstruction",),
            f"an Input of shape {list(shape)}",
            "an Input of shape [features]",
            "choose another reconstruction",
        )
    if spec.scaling != "none":
        advice = "write scaling: none; the network brings rows to one size by itself"
        yield Problem(message, ("scaling",), shown(spec.scaling), "none", advice)
    counts = spec.data.get("counts")
    if counts not in (None, "none"):
        advice = "leave it out; the network brings rows to one size by itself"
        yield Problem(message, ("data", "counts"), shown(counts), "none", advice)


def embedding_problems(spec: Spec) -> Iterator[Problem]:
    """Check that a layer embeds each column whose kind says so."""
    layers = (layer.config["blocks"] for layer in spec.layers if layer.type == EMBEDDING_LAYER)
    embedded = {name for blocks in layers for name in blocks}
    for name, kind in (spec.data.get("columns") or {}).items():
        if kind == EMBEDDING and name not in embedded:
            yield Problem(
                f"no layer embeds the column '{name}'",
                ("data", "columns", name),
                kind,
                advice=f"'archbuild new --for DATA --set data.columns.{name}={EMBEDDING}' writes "
                f"a spec with {{type: {EMBEDDING_LAYER}, blocks: ...}}; or make it a category",
            )


def latent_problems(plan: Plan) -> Iterator[Problem]:
    """Check that the bottleneck can be clustered."""
    if plan.latent_size > MAX_LATENT:
        yield Problem(
            f"the bottleneck has {plan.latent_size:,} numbers, too many to cluster",
            ("layers", len(plan.encoder) - 1),
            None,
            f"at most {MAX_LATENT:,}; 10 to 500 are usual",
            "end the encoder with a small Dense",
        )


def decoder_problems(spec: Spec, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Check that the spec has a decoder where its head needs one."""
    if not spec.decodes and vocabulary.heads[spec.head.type].needs_decoder:
        yield Problem(
            f"the {spec.head.type} head needs a decoder",
            ("decoder",),
            shown(spec.tree["decoder"]),
            advice="leave decoder out, or choose a head that learns without one",
        )


def validation_problems(spec: Spec, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Check that stages validate only what a head learns from labels, and stop by it alone."""
    kind = vocabulary.heads[spec.head.type]
    finds_classes = kind.answers_under(spec.supervision is not None) == "classes"
    for section in STAGE_DEFAULTS:
        settings = spec.settings(section)
        if settings["validation"] and (section == "pretrain" or not finds_classes):
            yield Problem(
                "only heads that learn classes from labels have an error on validation rows",
                (section, "validation"),
                shown(settings["validation"]),
                advice="leave validation out, or choose a head that answers classes",
            )
        elif settings["patience"] and not settings["validation"]:
            yield Problem(
                "patience counts epochs without a lower error on validation rows, and there are "
                "none",
                (section, "patience"),
                shown(settings["patience"]),
                advice="add validation: 0.1, or leave patience out",
            )


def supervision_problems(spec: Spec, vocabulary: Vocabulary) -> Iterator[Problem]:
    """Check that the spec allows labels where its head reads them, and only there."""
    used = vocabulary.heads[spec.head.type].labels_used
    labels, batch = (dict(spec.supervision or {}).get(key) for key in ("labels", "batch_size"))
    if isinstance(labels, int) and batch is not None and batch > labels:
        yield Problem(
            f"{labels} labelled rows do not fill a batch of {batch}",
            ("supervision", "batch_size"),
            shown(batch),
            f"at most {labels}",
        )
    if spec.supervision is not None and used == "never":
        yield Problem(
            f"the {spec.head.type} head does not use labels",
            ("supervision",),
            advice="leave supervision out, or choose a head that uses labels",
        )
    elif spec.supervision is None and used == "all":
        yield Problem(
            f"the {spec.head.type} head needs labels, and the spec has no supervision",
            ("head", "type"),
            shown(spec.head.type),
            advice="add supervision: {labels: all}",
        )


def head_problems(plan: Plan, vocabulary: Vocabulary) -> list[Problem]:
    """Return the problems that the head finds in this network."""
    head = plan.spec.head
    path: TreePath = ("head",)
    found = vocabulary.heads[head.type].check(head.config, plan)
    return [
        replace(
            Problem(message, path, advice=advice or None),
            path=(*path, field) if field else path,
            received=shown(head.config.get(field)) if field else None,
        )
        for field, message, advice in found
    ]
