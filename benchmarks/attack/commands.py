"""Command lines with odd values for every option of every verb; nothing is trained."""

from __future__ import annotations

import json
from contextlib import chdir
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Final

import click

from archbuild.cli.main import cli
from benchmarks.attack.attacks import Attack, Case

_VALUES: Final = (
    *("", " ", "0", "1", "-1", "1e999", "nan", "inf", "-inf", "9" * 400, "0x10", "1.5", "\u0661"),
    *("x" * 5000, "\x1b[2J", "a\nb", "\r", "\u202e", "\udc80", "=1+1", "-", "--", ".", "..", "/"),
    *("/dev/zero", "/dev/null", "/proc/self/mem", "nowhere/x.csv", "rows.csv", "broken.yaml"),
    *("DIGITS", "digits", "vade-digits", "vade-digits:0", "rows.csv:1", "a.yaml", "a.yaml:9", "~"),
    *("a.yaml:-1", "auto", "kld", "gmm", "none", "first", "csv", "json", "text", "keras", "1/2"),
    *("0/0", "3/2", "1/-1", "%s%n", "$(id)", "../x"),
    *("head.n_clusters=3", "a=", "=", "a.b[0]=1", "layers[0]=[[[[", "layers[999999]=1"),
    *("a" * 200 + "=1", "name=&a [*a]", "data.columns.x=category", "head={type: 1e999}"),
    *(".".join("a" * 500) + "=1", "x=" + "[" * 500, "x=" + "9" * 5000, "a.b.c.d=!!set {a}"),
)
_VERBS: Final = (
    *("show", "validate", "schema", "list", "new", "runs", "clean", "predict"),
    *("generate", "export", "suggest-k"),
)


class CommandAttack(Attack):
    """All verbs but those that train."""

    name: ClassVar[str] = "command_line"

    def prepare(self, folder: Path) -> None:
        """Import what the verbs need."""
        from benchmarks.attack.screen import command

        command(["list", "archs"])

    def make(self, rng: Random) -> Case:
        """Choose a verb, some of its options, and a value for each."""
        verb = rng.choice(_VERBS)
        words = [verb, *(rng.choice(_VALUES) for _ in range(rng.choice((0, 0, 1, 2))))]
        options = [each for each in cli.commands[verb].params if isinstance(each, click.Option)]
        for option in rng.sample(options, min(len(options), rng.choice((0, 1, 2, 4)))):
            words += self._given(option, rng)
        return Case(json.dumps(words).encode(), ".json")

    def _given(self, option: click.Option, rng: Random) -> list[str]:
        name = rng.choice(option.opts)
        if option.is_flag:
            return [name]
        choices = getattr(option.type, "choices", ())
        values = (*_VALUES, *map(str, choices)) if rng.random() < 0.8 else (*map(str, choices), "0")
        return [name, rng.choice(values)]

    def attempt(self, path: Path) -> None:
        """Run the command in a folder with a table, a spec and a broken spec."""
        from benchmarks.attack.screen import command

        words: list[Any] = json.loads(path.read_bytes())
        (path.parent / "rows.csv").write_text("a,b\n1,2\n3,4\n5,7\n")
        (path.parent / "broken.yaml").write_text("name: [\n")
        (path.parent / "a.yaml").write_text("name: a\nspec_version: 1\nlayers: []\n")
        with chdir(path.parent):
            command(words)
