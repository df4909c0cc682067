from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.calling import SPEC, Archbuild

SHIPPED = [("MNIST", index) for index in range(4)] + [("COIL20", index) for index in range(10)]


@pytest.mark.parametrize(("dataset", "index"), SHIPPED)
def test_every_shipped_spec_fits_the_page(
    archbuild: Archbuild, elsewhere: Path, dataset: str, index: int
) -> None:
    status, out, _ = archbuild("show", "-d", dataset, "-a", index)
    assert status == 0
    notation = out.splitlines()[2]  # one line, however long
    assert notation.split()[0] in ("20[9x9]", "32[5x5]/2", "32[3x3]", "50[5x5]", "fc[500]")
    assert max(len(line) for line in out.splitlines() if line != notation) <= 100
    assert "encoder, downwards" in out
    assert "decoder, upwards" in out


def test_by_path_by_index_and_by_name(archbuild: Archbuild, tiny: Path) -> None:
    shown = archbuild("show", "-a", tiny).out
    assert shown.startswith("tiny\ninput 1x8x8, latent 4, ")
    both = tiny.with_name("both.json")
    both.write_text(json.dumps([{**SPEC, "name": "first"}, SPEC]))
    assert archbuild("show", "-a", f"{both}:1").out == shown
    assert archbuild("show", "-a", f"{both}:tiny").out == shown


def test_an_index_out_of_range_and_a_name_that_is_not_there(
    archbuild: Archbuild, elsewhere: Path
) -> None:
    status, _, err = archbuild("show", "-d", "DIGITS", "-a", 9)
    assert (status, err.count("\n")) == (2, 3)
    assert "it holds 2 specs, 0 to 1" in err
    status, _, err = archbuild("show", "-d", "DIGITS", "-a", "fc-500_fc-1000_fc10")
    assert status == 2
    assert "did you mean 'fc-500_fc-1000_fc-32'?" in err


def test_head_and_overrides(archbuild: Archbuild, tiny: Path) -> None:
    options = ["--head", "kmeans", "--set", "layers[1].num_units=7"]
    out = archbuild("show", "-a", tiny, *options).out
    assert "latent 7" in out
    assert "head kmeans" in out


def test_json_is_one_document(archbuild: Archbuild, tiny: Path) -> None:
    document = json.loads(archbuild("show", "-a", tiny, "--json").out)
    assert document["latent_size"] == 4
    assert [layer["type"] for layer in document["decoder"]] == ["Dense", "Reshape"]
    sizes = [layer["parameters"] for side in ("encoder", "decoder") for layer in document[side]]
    assert document["parameters"] == sum(sizes) == 64 * 4 + 4 + 4 * 64 + 64
