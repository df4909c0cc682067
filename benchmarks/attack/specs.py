"""Broken and hostile specs: shipped ones changed in their structure or their text, and bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Final

from archbuild.spec.document import MAX_BYTES
from archbuild.spec.locate import PACKAGED, read_folders
from benchmarks.attack.attacks import Attack, Case

_SUFFIXES: Final = (".json", ".yaml", ".yml")
_PATH = tuple[str | int, ...]

_VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, -0.0, 2**31, 2**63, -(2**63), 2**64, 10**18, 10**308, 10**399,
    1e308, -1e-308, 5e-324, 0.1, 3.0, "", " ", "x" * 10_000, "\u202e", "\u2028", "\u200b", "é",
    "\U0001f600", "=1+1", "../../x", "/dev/zero", "null", "true", "nan", "inf", "1e999", "0x10",
    "auto", "mirror", "none", "same", [], {}, [[]], [{}], {"type": "Dense"}, {"": None}, [0] * 500,
    {"type": None}, [None, "a", 1.5], [[1, 2], [3, 4]], {"a": {"b": {"c": {"d": 1}}}}, "a.b[0]",
    [1, 1, 1, 1, 1], [28, 28, 1], [0, 0], [-1], [10**9, 10**9], {"train": 1}, "spec", "Infinity",
)  # fmt: skip
_TEXTS: Final = (
    "1e999", "-1e999", "9" * 5000, "0x" + "f" * 5000, ".inf", ".nan", "NaN", "-Infinity",
    '"\\U00110000"', '"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"', '"\\x1b[31m"', '"\\e"', "'", '"',
    "!!python/object/apply:os.system [id]", "!!binary aGk=", "!!set {a}", "!<tag:x> 1", "!", "!!",
    "&a ", "*a", "&a *a", "<<: *a", "<<: {a: 1}", "? [a]", "? {a: b}", ": ", "? ", "- ", "---\n",
    "...\n", "%YAML 9.9\n---\n", "%TAG ! x\n", "#", "\t", "\0", "\x1b[2J", "\r", "\u0085", "\u2028",
    "\ufeff", "\x7f", "\ud7ff", "\uffff", "\U0010ffff", "{", "}", "[", "]", ",", ":", "|\n", ">-\n",
    "@", "`", "~", "0o9", "0o777", "1_000", "1:30", "2001-01-01", "on", "=", "\\", "//", "/* */",
)  # fmt: skip
_DIRECTIONS: Final = ("[", "{", '{"a":', "- ", "? ", "a: ", "*a ", "[*a", '"', "'", "1,", "1e999,")


class SpecAttack(Attack):
    """``archbuild validate`` on a file, and ``archbuild show`` where that finds nothing wrong."""

    name: ClassVar[str] = "spec"

    def prepare(self, folder: Path) -> None:
        """Validate a spec, so that everything is imported."""
        from benchmarks.attack.screen import command

        command(["validate", str(next(iter(PACKAGED.iterdir())))])

    def attempt(self, path: Path) -> None:
        """Validate the file; show what it holds."""
        from benchmarks.attack.screen import command

        command(["validate", str(path)])
        command(["show", "-a", f"{path}:0"])

    def make(self, rng: Random) -> Case:
        """Make a file of one of the kinds below."""
        made = rng.choices(list(self._kinds), list(self._kinds.values()))[0](rng)
        return Case(made[: MAX_BYTES + 1], rng.choice(_SUFFIXES))

    @cached_property
    def _kinds(self) -> dict[Callable[[Random], bytes], float]:
        return {
            self._changed_tree: 50,
            self._changed_text: 40,
            _bytes: 5,
            _tokens: 5,
            _repeated: 0.3,
        }

    @cached_property
    def _trees(self) -> list[Any]:
        trees = [document.tree for _, document in read_folders([PACKAGED])]
        return [spec for tree in trees for spec in (tree if isinstance(tree, list) else [tree])]

    @cached_property
    def _shipped_texts(self) -> list[str]:
        return [path.read_text(encoding="utf-8") for path in sorted(PACKAGED.iterdir())]

    def _changed_tree(self, rng: Random) -> bytes:
        """Change one to four places of a shipped spec."""
        tree = json.loads(json.dumps(rng.choice(self._trees)))
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            tree = self._changed(tree, rng)
        if rng.random() < 0.1:
            tree = [tree] * rng.choice((1, 2, 30))
        return _surrogates_kept(json.dumps(tree, ensure_ascii=rng.random() < 0.5))

    def _changed(self, tree: Any, rng: Random) -> Any:
        path = rng.choice(list(_paths(tree)))
        if not path:
            return rng.choice(_VALUES) if rng.random() < 0.1 else tree
        parent = _at(tree, path[:-1])
        what, key = rng.randrange(5), path[-1]
        if what == 0:
            del parent[key]
        elif what == 1 and isinstance(parent, dict):
            parent[rng.choice((*_paths_words(self._trees[0]), *map(str, _VALUES[:30])))] = (
                parent.pop(key)
            )
        elif what == 2:
            other = rng.choice(self._trees)
            parent[key] = _at(other, rng.choice(list(_paths(other))))
        elif what == 3 and isinstance(parent, list):
            parent.insert(int(key), rng.choice((parent[int(key)], rng.choice(_VALUES))))
        else:
            parent[key] = rng.choice(_VALUES)
        return json.loads(json.dumps(tree))

    def _changed_text(self, rng: Random) -> bytes:
        """Change the text of a shipped file, or of one spec of it."""
        if rng.random() < 0.3:
            text = rng.choice(self._shipped_texts)
        else:
            text = json.dumps(rng.choice(self._trees), indent=rng.choice((None, 1)))
        for _ in range(rng.choice((1, 1, 2, 5))):
            start = rng.randrange(len(text) + 1)
            end = min(len(text), start + rng.choice((0, 0, 1, 5, 100)))
            new = rng.choice((*_TEXTS, "", text[start:end] * 2, chr(rng.randrange(0xD800))))
            text = text[:start] + new + text[end:]
        return _surrogates_kept(text)


def _bytes(rng: Random) -> bytes:
    return rng.randbytes(rng.choice((1, 10, 100, 3000)))


def _tokens(rng: Random) -> bytes:
    """Return tokens of both languages in any order."""
    pieces = [rng.choice(_TEXTS) for _ in range(rng.choice((1, 3, 20, 200)))]
    return _surrogates_kept(rng.choice(("", " ", "\n", "\n  ")).join(pieces))


def _repeated(rng: Random) -> bytes:
    """Return a piece over and over, up to the largest file that is read, after a beginning."""
    size = rng.choice((1000, 50_000, MAX_BYTES))
    start = rng.choice(("", "", '"', "[", "{", "a: ", "- ", "&a ", '{"layers": ['))
    piece = rng.choice((*_DIRECTIONS, *_TEXTS, "a", " ", "\n", '"a":1,', "a: 1\n", "1 "))
    return _surrogates_kept(start + piece * (size // len(piece)))[:MAX_BYTES]


def _surrogates_kept(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _paths(tree: Any, path: _PATH = ()) -> Iterator[_PATH]:
    yield path
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _paths(value, (*path, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from _paths(value, (*path, index))


def _paths_words(tree: Any) -> list[str]:
    return sorted({part for path in _paths(tree) for part in path if isinstance(part, str)})


def _at(tree: Any, path: _PATH) -> Any:
    for part in path:
        tree = tree[part]
    return tree
