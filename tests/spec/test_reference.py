"""The reference says of every key what the schema says."""

from __future__ import annotations

import re
from pathlib import Path

from archbuild.registry import own_vocabulary
from archbuild.spec import Vocabulary
from archbuild.spec.reference import reference

PAGE = Path(__file__).resolve().parents[2] / "docs" / "spec.md"
VOCABULARY = own_vocabulary()


def test_the_page_is_the_generated_one():
    assert PAGE.read_text() == reference(VOCABULARY, VOCABULARY.heads), (
        "run: archbuild schema --markdown > docs/spec.md"
    )


def test_every_type_and_every_key_has_its_place():
    text = reference(VOCABULARY)
    for name, kind in {**VOCABULARY.layers, **VOCABULARY.heads}.items():
        section = text.partition(f"### `{name}`\n")[2].partition("\n### ")[0]
        for field in kind.fields:
            assert f"| `{field.name}` | " in section, (name, field.name)


def test_heads_of_plugins_link_no_page_of_this_documentation(vocabulary: Vocabulary):
    text = reference(vocabulary, VOCABULARY.heads)
    linked = set(re.findall(r"\(heads/(\w+)\.md\)", text))
    assert linked == set(VOCABULARY.heads) < set(vocabulary.heads)
    assert all((PAGE.parent / "heads" / f"{name}.md").is_file() for name in linked)


def test_every_kind_of_entry_has_a_table_after_its_head(vocabulary: Vocabulary):
    text = reference(vocabulary)
    section = text.partition("### `modular`\n")[2].partition("\n## ")[0]
    assert (
        "| `modules` | a list of 1 to 3, each a mapping (type: gmm, markov, topics) "
        '| `[{"type": "gmm"}]` | What exchanges messages. |'
    ) in section
    titles = [line for line in section.splitlines() if line.startswith("####")]
    assert titles == [
        "#### In `modules`: `gmm`",
        "#### In `modules`: `markov`",
        "#### In `modules`: `topics`",
        "#### In `words`: `plain`",
        "#### In `readers`: `picky`",
    ]
    gmm = section.partition(titles[0])[2].partition(titles[1])[0]
    assert gmm.startswith("\n\nA mixture.\n\n| key |")
    assert "| `sweeps` | a whole number from 1 to 10,000,000 | `100` | How often. |" in gmm
    assert section.partition(titles[1])[2].partition(titles[2])[0].strip() == "A chain."


def test_a_mapping_within_an_entry_has_its_table(vocabulary: Vocabulary):
    alone = Vocabulary({}, {"modular": vocabulary.heads["modular"]})
    assert "### As `weight`" in reference(alone)


def test_defaults_of_sections_stand_beside_the_common_one():
    line = next(line for line in reference(VOCABULARY).splitlines() if line.startswith("| `epochs"))
    assert "| `50`, in `cluster` `20`, in `train` `100` |" in line
