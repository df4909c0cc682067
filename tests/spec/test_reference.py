"""The reference says of every key what the schema says."""

from __future__ import annotations

from pathlib import Path

from archbuild.spec.reference import reference
from archbuild.vocabulary import default_vocabulary

PAGE = Path(__file__).resolve().parents[2] / "docs" / "spec.md"
VOCABULARY = default_vocabulary()


def test_the_page_is_the_generated_one():
    assert PAGE.read_text() == reference(VOCABULARY), (
        "run: archbuild schema --markdown > docs/spec.md"
    )


def test_every_type_and_every_key_has_its_place():
    text = reference(VOCABULARY)
    for name, kind in {**VOCABULARY.layers, **VOCABULARY.heads}.items():
        section = text.partition(f"### `{name}`\n")[2].partition("\n### ")[0]
        for field in kind.fields:
            assert f"| `{field.name}` | " in section, (name, field.name)


def test_defaults_of_sections_stand_beside_the_common_one():
    line = next(line for line in reference(VOCABULARY).splitlines() if line.startswith("| `epochs"))
    assert "| `50`, in `cluster` `20`, in `train` `100` |" in line
