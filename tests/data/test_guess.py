from __future__ import annotations

import shlex

import pytest

from archbuild.data.guess import Guess, column_key, value_key
from archbuild.spec.sections import data_section

NAMES = ["width", "größe", "\\N", "a b", "it's", "", 'say "x"', "1", "null", "a.b"]


@pytest.mark.parametrize("name", NAMES)
def test_the_key_that_is_printed_parses(name):
    said = str(Guess("column", f"'{name}' is left out", column_key(name, "category")))
    assert said.isprintable()
    assignment = shlex.split(said.partition("--set ")[2].removesuffix("]"))[0]
    assert data_section([assignment]) == {"columns": {name: "category"}}


@pytest.mark.parametrize("name", [name for name in NAMES if name])
def test_the_value_that_is_printed_is_a_text(name):
    assert data_section([f"data.{value_key('labels', name)}"]) == {"labels": name}


def test_a_name_that_no_spec_can_hold_has_no_key():
    assert column_key("x\ny: 1", "category") == value_key("labels", "x\x1b") == ""
