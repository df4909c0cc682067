from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from archbuild.data import DATASETS
from archbuild.registry import default_vocabulary
from archbuild.spec import shipped_archs
from archbuild.spec.locate import PACKAGED
from tests.cli.calling import SPEC, Archbuild

pytestmark = pytest.mark.graphs(False)


def names(text: str) -> list[str]:
    """The first word of every line that is not a continuation."""
    return [line.split()[0] for line in text.splitlines() if not line.startswith(" ")]


def test_every_layer_and_head(archbuild: Archbuild) -> None:
    vocabulary = default_vocabulary()
    assert names(archbuild("list", "layers").out) == list(vocabulary.layers)
    assert names(archbuild("list", "heads").out) == list(vocabulary.heads)


def test_every_dataset_with_what_to_do_where_it_is_not_here(
    archbuild: Archbuild, elsewhere: Path
) -> None:
    status, out, _ = archbuild("list", "datasets")
    assert status == 0
    assert names(out) == list(DATASETS)
    assert re.search(r"^DIGITS +found", out, re.MULTILINE)
    assert re.search(r"^COIL20 +not here", out, re.MULTILINE)
    assert "datasets/COIL20" in out
    assert max(map(len, out.splitlines())) <= 100


def test_datasets_are_looked_for_where_the_user_says(archbuild: Archbuild, elsewhere: Path) -> None:
    assert "mine/COIL20" in archbuild("list", "datasets", "--data-dir", "mine").out


def test_every_key_of_a_head(archbuild: Archbuild) -> None:
    words = archbuild("list", "heads").out.replace(",", " ").split()
    for head in default_vocabulary().heads.values():
        assert {field.name for field in head.fields} <= set(words)


def archs(rows: list[list[str]]) -> list[list[str]]:
    """The rows without the aliases that stand below some."""
    return [row for row in rows if row[0] != "or"]


def test_archs_stand_below_headings_with_dataset_and_index(
    archbuild: Archbuild, elsewhere: Path
) -> None:
    heading, *lines = archbuild("list", "archs").out.splitlines()
    rows = [line.split() for line in lines]
    assert heading.split() == ["file", "#", "input", "head", "name"]
    assert ["mnist", "2", "1x28x28", "kld", "fc-500_fc-500_fc-2000_fc-10"] in rows
    assert ["spiral", "0", "2", "gmvae", "gmvae-spiral"] in rows
    assert len(archs(rows)) == len(shipped_archs())
    assert rows.index(["or", "c-5-6_p_c-5-16_p_c-4-120"]) == 1 + rows.index(
        ["literature", "-", "1x28x28", "kld", "tum-mnist"]
    )
    assert max(map(len, lines)) <= 100


def test_archs_in_a_file_that_is_no_datasets_go_by_name(
    archbuild: Archbuild, elsewhere: Path
) -> None:
    rows = [line.split() for line in archbuild("list", "archs").out.splitlines()]
    assert ["vade", "-", "1x8x8", "gmm", "vade-digits"] in rows
    assert archbuild("show", "-a", "vade-digits").status == 0


def test_archs_of_the_working_directory_come_first_and_take_the_indices(
    archbuild: Archbuild, elsewhere: Path
) -> None:
    folder = elsewhere / "archs"
    folder.mkdir()
    (folder / "mnist.json").write_text(json.dumps([SPEC, {"name": "no layers"}]))
    rows = [line.split() for line in archbuild("list", "archs").out.splitlines()[1:]]
    assert rows[:2] == [
        ["mnist", "0", "1x8x8", "kld", "tiny"],
        ["mnist", "1", "-", "kld", "no", "layers"],
    ]
    assert ["mnist", "-", "1x28x28", "kld", "fc-500_fc-500_fc-2000_fc-10"] in rows


def test_a_local_copy_of_shipped_archs_stands_once(archbuild: Archbuild, elsewhere: Path) -> None:
    shutil.copytree(PACKAGED, elsewhere / "archs")
    rows = [line.split() for line in archbuild("list", "archs").out.splitlines()[1:]]
    assert len(archs(rows)) == len(shipped_archs())
    assert ["mnist", "2", "1x28x28", "kld", "fc-500_fc-500_fc-2000_fc-10"] in rows


def test_in_a_checkout_shipped_archs_stand_once(
    archbuild: Archbuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PACKAGED.parent)
    rows = [line.split() for line in archbuild("list", "archs").out.splitlines()[1:]]
    assert len(archs(rows)) == len(shipped_archs())


def test_a_local_spec_of_the_users_own_data_keeps_its_index(
    archbuild: Archbuild, elsewhere: Path
) -> None:
    (elsewhere / "archs").mkdir()
    (elsewhere / "archs" / "mine.json").write_text(json.dumps([{**SPEC, "head": "none"}, 7]))
    rows = [line.split() for line in archbuild("list", "archs").out.splitlines()[1:]]
    assert rows[:2] == [
        ["mine", "0", "1x8x8", "-", "tiny"],
        ["mine", "1", "-", "-", "(no", "name)"],
    ]


def test_a_local_file_that_is_broken_is_named(archbuild: Archbuild, elsewhere: Path) -> None:
    (elsewhere / "archs").mkdir()
    (elsewhere / "archs" / "mine.json").write_text("[,]")
    status, _, err = archbuild("list", "archs")
    assert status == 2
    assert err.startswith("archs/mine.json:1:2: ")


def test_without_a_word_the_help_comes(archbuild: Archbuild) -> None:
    status, _, err = archbuild("list")
    assert status == 2
    assert "layers|heads|datasets|archs" in err


def test_published_models_stand_with_their_scores_and_commands(archbuild: Archbuild) -> None:
    heading, *lines = archbuild("list", "published").out.splitlines()
    assert heading.split()[:6] == ["name", "dataset", "head", "acc", "nmi", "MB"]
    assert {"digits", "mnist", "spiral"} <= {line.split()[0] for line in lines}
    text = " ".join(" ".join(lines).split())
    assert "archbuild -d SPIRAL -a 0 --seed 0 --train 500" in text
    assert "--pretrain 50 --cluster 20" in text
