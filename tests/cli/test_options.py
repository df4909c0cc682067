"""What the help screens of all verbs have in common."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import click
import pytest
from click.testing import CliRunner

from archbuild.cli.main import cli
from archbuild.cli.options import StageLengths, gathered, stage_options

COMMANDS = {"archbuild": cli, **cli.commands}
ALIKE = {"--help", "--set", "--seed", "--data-dir", "--out", "--run", "--force", "--quiet"}
FILTERS = {"clean"}  # its -d, -a and --seed select among the runs that are there


def options(command: click.Command) -> list[click.Option]:
    return [option for option in command.params if isinstance(option, click.Option)]


def test_options_that_verbs_share_read_alike() -> None:
    texts: dict[str, set[str | None]] = defaultdict(set)
    for verb in COMMANDS.keys() - FILTERS:
        for option in options(COMMANDS[verb]):
            if verb in ("new", "predict") and option.opts[-1] == "--set":
                continue  # of keys of data alone
            if verb == "doctor" and option.opts[-1] == "--run":
                continue  # it takes no other name of a run
            texts[option.opts[-1]].add(option.help)
    for name in (ALIKE - {"--help"}) | {"--dataset", "--arch", "--pretrain", "--cluster"}:
        assert len(texts[name]) == 1, name


@pytest.mark.parametrize("verb", COMMANDS)
def test_a_help_text_is_a_sentence_of_its_own(verb: str) -> None:
    for option in options(COMMANDS[verb]):
        text = option.help or ""
        assert text[:1].isupper(), option.opts
        assert text.endswith("."), option.opts
        assert not text.startswith(("Of ", "As ", "Where ", "What ", "How ", "Its ")), option.opts


@pytest.mark.parametrize("verb", COMMANDS)
def test_help_fits_the_page(verb: str) -> None:
    arguments = ["--help"] if verb == "archbuild" else [verb, "--help"]
    lines = CliRunner().invoke(cli, arguments, terminal_width=100).output.splitlines()
    assert max(map(len, lines)) <= 100


@dataclass(frozen=True)
class Size:
    """Two options, of which a verb may leave out the second."""

    width: int
    height: int = 7


def test_options_become_one_argument() -> None:
    found: list[Any] = []

    @click.command()
    @click.option("--width", type=int)
    @click.option("--loud", is_flag=True)
    @gathered(Size, "size")
    def command(size: Size, loud: bool) -> None:
        found.append((size, loud))

    CliRunner().invoke(command, ["--width", "3", "--loud"], catch_exceptions=False)
    assert found == [(Size(3, 7), True)]


@pytest.mark.parametrize(
    ("arguments", "asked", "given"),
    [
        ([], {}, {}),
        (["--train"], {"train": None}, {}),
        (["--cluster", "0", "--pretrain"], {"pretrain": None, "cluster": 0}, {"cluster": 0}),
    ],
)
def test_stages_have_a_length_or_the_specs_own(
    arguments: list[str], asked: dict[str, int | None], given: dict[str, int]
) -> None:
    found: list[StageLengths] = []

    @click.command()
    @stage_options
    def command(stages: StageLengths) -> None:
        found.append(stages)

    CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert [*found[0].asked().items()] == [*asked.items()]
    assert found[0].given() == given
