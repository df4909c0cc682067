from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.calling import SPEC, Archbuild

HEAD = "spec_version: 1\nname: s\n"
INPUT = "layers:\n  - {type: Input, output_shape: [1, 8, 8]}\n"
DENSE = "  - {type: Dense, num_units: 5}\n"
GAUSSIAN = "  - {type: Gaussian, num_units: 5}\n"
SWITCHES = "  - {type: MaxPool2D*, filter_size: 2}\n"
MILLION = "  - {type: Dense, num_units: 1000000}\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{above}: &{above} [{', '.join([f'*{below}'] * 9)}]\n"
    for below, above in zip("abcdefgh", "bcdefghi", strict=True)
)

# what is wrong -> file name, text, where it begins, what the message must hold
CASES = {
    "misspelt key": (
        "a.yaml",
        f"{HEAD}batch_sise: 3\n{INPUT}{DENSE}",
        "3:1: batch_sise",
        "did you mean 'batch_size'?",
    ),
    "wrong type": (
        "a.yaml",
        f"{HEAD}batch_size: many\n{INPUT}{DENSE}",
        "3:13: batch_size",
        'received: "many"',
    ),
    "unknown layer": (
        "a.yaml",
        f"{HEAD}{INPUT}  - {{type: Conv2d}}\n",
        "5:12: layers[1].type",
        "did you mean 'Conv2D'?",
    ),
    "large kernel": (
        "a.yaml",
        f"{HEAD}{INPUT}  - {{type: Conv2D, num_filters: 3, filter_size: [9, 9]}}\n{DENSE}",
        "5:5: layers[1]",
        "9x9 kernel is larger than its 8x8 input",
    ),
    "pooling to zero": (
        "a.yaml",
        f"{HEAD}{INPUT}  - {{type: MaxPool2D, filter_size: [9, 9]}}\n{DENSE}",
        "5:5: layers[1]",
        "nothing would be left",
    ),
    "duplicate key": (
        "a.yaml",
        f"{HEAD}name: t\n{INPUT}{DENSE}",
        "3:1: name",
        "the first is in line 2",
    ),
    "duplicate JSON key": (
        "a.json",
        '{"name": 1,\n "name": 2}',
        "2:2: name",
        "the first is in line 1",
    ),
    "text for a number": (
        "a.yaml",
        f"{HEAD}pretrain: {{learning_rate: 1e-3x}}\n{INPUT}{DENSE}",
        "3:27: pretrain.learning_rate",
        'received: "1e-3x"',
    ),
    "empty file": ("a.yaml", "", "", "the file is empty"),
    "10 MB": ("a.json", f'"{"x" * 10_000_000}"', "", "too big for a spec"),
    "alias bomb": ("a.yaml", BOMB, "1:", "write the spec without aliases"),
    "NaN in JSON": ("a.json", '{"batch_size": NaN}', "1:16: batch_size", "not finite"),
    "NaN in YAML": (
        "a.yaml",
        f"{HEAD}pretrain: {{learning_rate: .nan}}\n{INPUT}{DENSE}",
        "3:27: pretrain.learning_rate",
        "not finite",
    ),
    "negative number": (
        "a.yaml",
        f"{HEAD}{INPUT}  - {{type: Dense, num_units: -5}}\n",
        "5:30: layers[1].num_units",
        "allowed: a whole number from 1",
    ),
    "10^12 parameters": (
        "a.yaml",
        f"{HEAD}{INPUT}{MILLION}{MILLION}{DENSE}",
        "6:5: layers[2]",
        "allowed: 500,000,000 parameters",
    ),
    "prior on a bottleneck without variance": (
        "a.yaml",
        f"{HEAD}{INPUT}{DENSE}head: {{type: gmm}}\n",
        "6:7: head: the gmm head draws latents, and the bottleneck has no variance",
        "try: end the encoder with {type: Gaussian, num_units: 5} in place of its last layer",
    ),
    "prior on a decoder that needs a row": (
        "a.yaml",
        f"{HEAD}{INPUT}{SWITCHES}{GAUSSIAN}head: {{type: gmvae}}\n",
        "7:7: head: the gmvae head generates rows from latents alone",
        "try: use MaxPool2D in place of MaxPool2D*",
    ),
    "misspelt key of a schedule": (
        "a.yaml",
        f"{HEAD}{INPUT}{GAUSSIAN}head: {{type: gmm, kl_weight: {{end: 1, rmap: 5, ramp: 5}}}}\n",
        "6:39: head.kl_weight.rmap: unknown key 'rmap'",
        "did you mean 'ramp'?",
    ),
    "schedule that does not say where it goes": (
        "a.yaml",
        f"{HEAD}{INPUT}{GAUSSIAN}head: {{type: gmm, kl_weight: {{ramp: 5}}}}\n",
        "6:30: head.kl_weight.end: end is missing",
        "try: add end: Value at the end of the ramp.",
    ),
    "schedule that goes back in time": (
        "a.yaml",
        f"{HEAD}{INPUT}{GAUSSIAN}head: {{type: gmm, kl_weight: {{end: 1, ramp: -5}}}}\n",
        "6:45: head.kl_weight.ramp: ramp is too small",
        "allowed: a number above 0",
    ),
    "text for a schedule": (
        "a.yaml",
        f"{HEAD}{INPUT}{GAUSSIAN}head: {{type: gmvae, alpha: much}}\n",
        "6:28: head.alpha: alpha has the wrong type",
        "allowed: a number from 0 or a mapping with end and ramp (optional: ",
    ),
    "code": ("a.yaml", "a: !!python/object/apply:os.system ['true']\n", "1:4: a", "never code"),
    "not JSON": ("a.json", '{"name": "x",\n "layers": [}', "2:13: ", "not JSON"),
    "deep": ("a.json", "[" * 10_000, "1:51: ", "more than 50 levels"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_shown_with_its_place(archbuild: Archbuild, tmp_path: Path, case: str) -> None:
    name, text, place, message = CASES[case]
    path = tmp_path / name
    path.write_text(text)
    status, out, err = archbuild("validate", path)
    assert (status, out) == (2, "")
    assert err.startswith(f"{path}:{place}" if place else f"{path}: ")
    assert message in err
    assert len(err) < 1500  # never the whole schema, nor the whole file


def test_yaml_numbers_are_those_of_1_2(archbuild: Archbuild, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(HEAD + "pretrain: {learning_rate: 1e-3}\n" + INPUT + DENSE)
    assert archbuild("validate", path) == (0, f"{path}: valid, 1 spec\n    0 s\n", "")


def test_all_problems_of_all_files_and_the_good_ones_too(
    archbuild: Archbuild, tiny: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps([SPEC, {**SPEC, "name": "", "batch_size": -1}]))
    missing = tmp_path / "none.json"
    status, out, err = archbuild("validate", tiny, bad, missing)
    assert status == 2
    assert out == f"{tiny}: valid, 1 spec\n    0 tiny\n"
    assert [line.split(": ")[1] for line in err.splitlines() if line.startswith(str(tmp_path))] == [
        "[1].name",
        "[1].batch_size",
        "there is no such file",
    ]
    assert err.endswith("archbuild: 3 problems found\n")


def test_one_spec_is_checked_by_its_name_or_its_place_in_a_file(
    archbuild: Archbuild, elsewhere: Path
) -> None:
    (elsewhere / "two.json").write_text(json.dumps([SPEC, {**SPEC, "name": "", "batch_size": -1}]))
    status, out, err = archbuild("validate", "vade-mnist", "two.json:tiny")
    assert (status, err) == (0, "")
    assert out == "vade-mnist: valid, the spec vade-mnist\ntwo.json:tiny: valid, the spec tiny\n"
    assert archbuild("validate", "two.json:1").status == 2


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("vade-mnits", "did you mean 'vade-mnist'?"),
        ("frobnicate", "archbuild list archs"),
        ("0", ""),
    ],
)
def test_a_name_that_is_none_does_not_hide_the_problems_of_files(
    archbuild: Archbuild, elsewhere: Path, name: str, advice: str
) -> None:
    status, out, err = archbuild("validate", name, "none.json")
    assert (status, out) == (2, "")
    assert err.startswith(f"{name}: there is no spec file and no spec of this name\n")
    assert "allowed: a file that ends in .json, .yaml or .yml, or a name in" in err
    assert f"try: {advice}" in err
    assert "\nnone.json: there is no such file\n" in err
    assert err.endswith("archbuild: 2 problems found\n")


def test_overrides_are_checked_too(archbuild: Archbuild, tiny: Path) -> None:
    status, _, err = archbuild("validate", tiny, "--set", "head.n_clusters=0")
    assert status == 2
    assert err.startswith("--set head.n_clusters=0: head.n_clusters: ")


@pytest.mark.parametrize(
    ("head", "override"),
    [("gmvae", "head.alpha=0"), ("gmm", "head.kl_weight={end: 1, ramp: 5}")],
)
def test_a_schedule_can_be_overridden(
    archbuild: Archbuild, tmp_path: Path, head: str, override: str
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"{HEAD}{INPUT}{GAUSSIAN}head: {{type: {head}}}\n")
    assert archbuild("validate", path, "--set", override).status == 0
    status, _, err = archbuild("validate", path, "--set", f"{override.partition('=')[0]}=-1")
    assert status == 2
    assert "is too small\n    received: -1\n    allowed: a number from 0" in err


def test_a_head_from_the_command_line_that_does_not_fit(
    archbuild: Archbuild, elsewhere: Path
) -> None:
    status, _, err = archbuild("-d", "DIGITS", "-a", "0", "--head", "gmm", "--pretrain")
    assert status == 2
    assert err.startswith("--head gmm: ")
    assert "the bottleneck has no variance" in err
