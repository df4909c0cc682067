"""Mutants are made: where a change is possible, and the module with one change made."""

from __future__ import annotations

import ast
import difflib
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

from benchmarks.mutation.mutants import Change, Mutant
from benchmarks.mutation.operators import operators

Place = tuple[str, int, int]
"""The module, relative to the package, and the line and column in it."""

_SAME_WITHOUT: Final = frozenset({"cache", "lru_cache", "overload", "override", "final"})
"""Decorators that change no value: without them a program is slower, or as it was."""


def places(package: Path, room: str) -> dict[Place, list[Change]]:
    """Return the places of a room where a change is possible, with the changes of each.

    Left out is what no test could notice: annotations, blocks for type checkers, caches,
    ``frozen``.

    Args:
        package: the folder of the package.
        room: the name of a folder in it.
    """
    found: dict[Place, list[Change]] = {}
    for path in sorted((package / room).rglob("*.py")):
        module = path.relative_to(package).as_posix()
        for place, change in _changes(module, path.read_text(encoding="utf-8")):
            found.setdefault(place, []).append(change)
    return found


def draw(package: Path, room: str, sample: int, seed: int) -> Iterator[Mutant]:
    """Yield mutants of places drawn at random without replacement, one of each place.

    Args:
        package: the folder of the package.
        room: the name of a folder in it.
        sample: how many; all places if there are fewer.
        seed: the same one gives the same mutants of the same sources.
    """
    generator = random.Random(seed)
    known = places(package, room)
    left = sample
    for place in generator.sample(sorted(known), len(known)):
        if not left:
            return
        mutant = make(package, generator.choice(known[place]))
        if mutant is not None:
            left -= 1
            yield mutant


def make(package: Path, change: Change) -> Mutant | None:
    """Return the mutant of a change; ``None`` if the program stays the same, or becomes none."""
    source = (package / change.module).read_text(encoding="utf-8")
    changed = mutate_code(source, operators()[change.operator], change.occurrence)
    try:
        is_same = changed is None or ast.dump(ast.parse(changed)) == ast.dump(ast.parse(source))
    except SyntaxError:
        return None
    return None if is_same else Mutant(change, *_differing(source, changed), changed)


def find(package: Path, wanted: Mapping[str, Any]) -> Mutant | None:
    """Return the mutant that was recorded, of the sources as they are; ``None`` if it is gone.

    Args:
        package: the folder of the package.
        wanted: ``module``, ``line``, ``operator``, ``before`` and ``after`` of the mutant.
    """
    module = wanted["module"]
    source = (package / module).read_text(encoding="utf-8")
    changes = [change for _, change in _changes(module, source)]
    alike = [change for change in changes if change.operator == wanted["operator"]]
    for change in sorted(alike, key=lambda change: abs(change.line - wanted["line"])):
        mutant = make(package, change)
        if mutant and (mutant.before, mutant.after) == (wanted["before"], wanted["after"]):
            return mutant
    return None


def _changes(module: str, source: str) -> Iterator[tuple[Place, Change]]:
    """Yield every change of a module with its place."""
    hidden = list(_unnoticed(ast.parse(source)))
    nodes = list(ast_nodes(get_ast(source)))
    for name, operator in operators().items():
        found = ((node, place) for node in nodes for place in operator.mutation_positions(node))
        for occurrence, (node, (start, _)) in enumerate(found):
            is_hidden = any(first <= start < last for first, last in hidden)
            if not is_hidden and not _is_separator(node):
                yield (module, *start), Change(module, start[0], name, occurrence)


def _is_separator(node: Any) -> bool:
    """Return whether it is the lone star or slash of a list of parameters."""
    return node.parent is not None and node.parent.type in ("parameters", "lambdef")


def _unnoticed(tree: ast.Module) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield where the parts of a module begin and end that change nothing when it runs."""
    for node in ast.walk(tree):
        for part in _parts(node):
            start = (part.lineno, part.col_offset)
            yield start, (part.end_lineno, part.end_col_offset)


def _parts(node: ast.AST) -> Iterable[Any]:
    if isinstance(node, ast.If) and _last_name(node.test) == "TYPE_CHECKING":
        return [node]
    if isinstance(node, ast.arg | ast.AnnAssign):
        alias = isinstance(node, ast.AnnAssign) and _last_name(node.annotation) == "TypeAlias"
        return [node] if alias else [part for part in [node.annotation] if part]
    if isinstance(node, ast.Assign) and _is_union(node.value):
        return [node]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        returns = getattr(node, "returns", None)
        unseen = [each for each in node.decorator_list if _last_name(each) in _SAME_WITHOUT]
        return [*([returns] if returns else []), *map(_with_sign, unseen), *_promises(node)]
    return []


def _promises(node: Any) -> Iterator[ast.expr]:
    """Yield the values of ``frozen``: a promise that type checkers hold a program to."""
    for decorator in filter(lambda each: isinstance(each, ast.Call), node.decorator_list):
        yield from (each.value for each in decorator.keywords if each.arg == "frozen")


def _is_union(node: ast.AST) -> bool:
    """Return whether it is an alias of types: ``int | None``, ``dict[str, A] | list[A]``."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.BitOr):
        return False
    sides = [node.left, node.right]
    return all(_is_union(side) or _last_name(side)[:1].isupper() for side in sides) or any(
        isinstance(side, ast.Constant) and side.value is None for side in sides
    )


def _last_name(node: ast.AST) -> str:
    """Return the name at the end of ``a.b``, ``a.b(...)`` and ``a.b[...]``."""
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    if isinstance(node, ast.Subscript):
        return _last_name(node.value)
    return getattr(node, "attr", None) or getattr(node, "id", "")


def _with_sign(decorator: ast.expr) -> ast.expr:
    """Return a decorator that begins at its ``@``."""
    decorator.col_offset -= 1
    return decorator


def _differing(source: str, changed: str) -> tuple[str, str]:
    """Return the lines that differ, of both."""
    lines = list(difflib.ndiff(source.splitlines(), changed.splitlines()))
    return _joined(lines, "- "), _joined(lines, "+ ")


def _joined(lines: Sequence[str], sign: str) -> str:
    return "\n".join(line[2:].strip() for line in lines if line.startswith(sign)).strip()
