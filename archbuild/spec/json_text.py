"""JSON with places: values from ``json``, the line and column of each from one walk of the text."""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from archbuild.errors import Problem, SpecError
from archbuild.spec.document import (
    LONGEST_NUMBER,
    MAX_DEPTH,
    MAX_VALUES,
    Document,
    Place,
    TreePath,
    failure,
)

# a text that is not closed goes on to the end, so that no quote of it is tried as a beginning
_TOKEN: Final = re.compile(r'(?s)"(?:[^"\\]++|\\.)*+"?|[{}\[\]:,]|[^\s{}\[\]:,"]++')


def parse_json(text: str, source: str) -> Document:
    """Parse JSON.

    Raises:
        SpecError: malformed, nested too deeply, or holding duplicate keys or numbers that are not
            finite.
    """
    walk = _Walk(text, source)
    walk.refuse_depth()
    try:
        tree = json.loads(text, parse_int=_whole_number)
    except json.JSONDecodeError as error:
        raise failure(
            source,
            f"this is not JSON: {error.msg[0].lower()}{error.msg[1:]}",
            place=(error.lineno, error.colno),
            advice="JSON needs double quotes, commas between entries and none after the last; "
            "for comments use a .yaml file",
        ) from None
    walk.run()
    if walk.problems:
        raise SpecError(walk.problems)
    return Document(source, tree, walk.places, walk.keys)


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_NUMBER else math.inf


class _Walk:
    """One pass over the tokens of well-formed JSON, keeping the path to where it stands."""

    def __init__(self, text: str, source: str) -> None:
        self.text, self.source = text, source
        self.places: dict[TreePath, Place] = {}
        self.keys: dict[TreePath, Place] = {}
        self.problems: list[Problem] = []
        self._broken: set[TreePath] = set()
        self._line_ends = [match.start() for match in re.finditer("\n", text)]
        self._path: list[str | int] = []
        self._in_mapping: list[bool] = []
        self._at_key = False

    def refuse_depth(self) -> None:
        """Stop before the parser recurses into thousands of brackets."""
        depth = 0
        for match in _TOKEN.finditer(self.text):
            depth += (match[0] in "{[") - (match[0] in "}]")
            if depth > MAX_DEPTH:
                place = self._place(match.start())
                raise failure(self.source, f"nested more than {MAX_DEPTH} levels deep", place=place)

    def run(self) -> None:
        """Fill ``places``, ``keys`` and ``problems``."""
        for match in _TOKEN.finditer(self.text):
            token, place = match[0], self._place(match.start())
            if token in "{[":
                self._open(token == "{", place)
            elif token in "}]":
                self._close()
            elif token == ",":
                self._next_entry()
            elif self._at_key and token != ":":
                self._key(token, place)
            elif token != ":":
                self._scalar(token, place)

    def _place(self, offset: int) -> Place:
        line = bisect_left(self._line_ends, offset)
        start = self._line_ends[line - 1] + 1 if line else 0
        return line + 1, offset - start + 1

    def _open(self, mapping: bool, place: Place) -> None:
        self._value(place)
        self._path.append("" if mapping else 0)
        self._in_mapping.append(mapping)
        self._at_key = mapping

    def _close(self) -> None:
        self._path.pop()
        self._in_mapping.pop()
        self._at_key = False

    def _next_entry(self) -> None:
        self._at_key = self._in_mapping[-1]
        if not self._at_key:
            self._path[-1] = int(self._path[-1]) + 1

    def _key(self, token: str, place: Place) -> None:
        key = json.loads(token)
        self._refuse_unprintable(key, self._path[:-1], place)
        self._path[-1] = key
        self._at_key = False
        path = tuple(self._path)
        if path in self.keys:
            first = self.keys[path][0]
            self._problem(f"the key stands here a second time; the first is in line {first}", place)
        self.keys.setdefault(path, place)

    def _scalar(self, token: str, place: Place) -> None:
        self._value(place)
        if token.startswith('"'):
            self._refuse_unprintable(json.loads(token), self._path, place)
        elif token not in ("true", "false", "null") and not math.isfinite(float(token)):
            self._problem("the number is not finite", place, token)

    def _value(self, place: Place) -> None:
        self.places[tuple(self._path)] = place
        if len(self.places) > MAX_VALUES:
            raise failure(self.source, f"more than {MAX_VALUES:,} values", place=place)

    def _refuse_unprintable(self, text: str, path: Sequence[str | int], place: Place) -> None:
        if not text.isprintable():
            message = "the text is not one line of printable characters"
            received = ascii(text)[:60]
            raise failure(self.source, message, place=place, path=tuple(path), received=received)

    def _problem(self, message: str, place: Place, received: str | None = None) -> None:
        path = tuple(self._path)
        if any(path[:length] in self._broken for length in range(len(path) + 1)):
            return
        self._broken.add(path)
        shown = received[:60] if received else None
        self.problems.append(
            Problem(message, path, shown, source=self.source, line=place[0], column=place[1])
        )
