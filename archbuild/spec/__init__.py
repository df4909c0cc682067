"""The spec language: reading, checking, resolving and mirroring, without NumPy or Keras."""

from archbuild.spec.document import Document
from archbuild.spec.field import Field
from archbuild.spec.loading import load_spec, spec_from_tree, spec_of, validate_document
from archbuild.spec.locate import find_arch, shipped_archs
from archbuild.spec.mirror import make_plan
from archbuild.spec.plan import NETWORK_KEYS, HeadSpec, LayerSpec, Plan, PlannedLayer, Shape, Spec
from archbuild.spec.reading import parse_text, read_document
from archbuild.spec.resolve import resolve
from archbuild.spec.schema import build_schema
from archbuild.spec.template import template
from archbuild.spec.vocabulary import HeadType, LayerType, ShapeError, Vocabulary

__all__ = [
    "NETWORK_KEYS",
    "Document",
    "Field",
    "HeadSpec",
    "HeadType",
    "LayerSpec",
    "LayerType",
    "Plan",
    "PlannedLayer",
    "Shape",
    "ShapeError",
    "Spec",
    "Vocabulary",
    "build_schema",
    "find_arch",
    "load_spec",
    "make_plan",
    "parse_text",
    "read_document",
    "resolve",
    "shipped_archs",
    "spec_from_tree",
    "spec_of",
    "template",
    "validate_document",
]
