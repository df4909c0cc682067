from __future__ import annotations

import re

import pytest

from archbuild.spec import Vocabulary, make_plan, parse_text, spec_from_tree, template


@pytest.mark.parametrize("kind", ["dense", "conv", "conv1d"])
def test_templates_validate_and_explain_themselves(kind: str, vocabulary: Vocabulary) -> None:
    text = template(kind)
    spec = spec_from_tree(parse_text(text, kind, "yaml").tree, vocabulary)
    plan = make_plan(spec, vocabulary)
    assert plan.decoder[-1].output_shape == plan.input_shape
    for key in ("spec_version", "name", "layers", "head", "pretrain", "cluster"):
        line = next(line for line in text.splitlines() if line.startswith(f"{key}:"))
        assert "#" in line


def test_defaults_in_the_comments_are_the_defaults(vocabulary: Vocabulary) -> None:
    text = template("dense")
    spec = spec_from_tree(parse_text(text, "t", "yaml").tree, vocabulary)
    shown = "\n".join(re.findall(r"^# (\w+:.*)$", text, re.MULTILINE))
    values = parse_text(shown, "t", "yaml").tree
    del values["output_non_linearity"], values["augment"]
    assert values.pop("train") == {"epochs": spec.train["epochs"]}
    assert values
    assert {key: spec.tree[key] for key in values} == values


def test_unknown_kind() -> None:
    with pytest.raises(ValueError, match="dense, conv, conv1d"):
        template("rnn")
