"""YAML with places, by the rules of YAML 1.2: ``1e-3`` is a number and ``on`` is text.

PyYAML parses the text into events; the values are made here, so nothing that a tag could name is
ever constructed. Aliases are read as copies, within limits of depth and number.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

from archbuild.errors import Problem, SpecError
from archbuild.spec.document import (
    LONGEST_NUMBER,
    MAX_DEPTH,
    MAX_VALUES,
    NOWHERE,
    Document,
    Place,
    TreePath,
    failure,
)

if TYPE_CHECKING:
    import yaml

_NULL: Final = {"", "~", "null", "Null", "NULL"}
_BOOLEAN: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DECIMAL: Final = re.compile(rf"[-+]?[0-9]{{1,{LONGEST_NUMBER}}}")
_OCTAL_OR_HEX: Final = re.compile(r"0o[0-7]{1,340}|0x[0-9a-fA-F]{1,255}")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def parse_yaml(text: str, source: str) -> Document:
    """Parse one YAML document.

    Raises:
        SpecError: malformed, nested too deeply, of too many values, or holding duplicate keys,
            keys that are not text, tags, or numbers that are not finite.
    """
    composer = _Composer(_events(text, source), source)
    tree = composer.value(())
    composer.finish()
    return Document(source, tree, composer.places, composer.keys)


def scalar(text: str) -> Any:
    """Return the value of a plain (unquoted) scalar in YAML 1.2's core schema."""
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _OCTAL_OR_HEX.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        return math.inf
    return text


def _events(text: str, source: str) -> list[yaml.Event]:
    """Return the parser's events between the start and the end of the stream."""
    import yaml

    events: list[yaml.Event] = []
    depth = 0
    try:
        loader: Any = yaml.SafeLoader(text)  # untyped in the stubs
        while loader.check_event():
            event = loader.get_event()
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            events.append(event)
            _refuse_size(depth, len(events), _place(event), source)
    except yaml.MarkedYAMLError as error:
        raise _malformed(error, source) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise failure(
            source, "the text holds a character that YAML does not allow", place=place
        ) from None
    except (ValueError, OverflowError) as error:  # PyYAML asks for the character of any number
        mark = loader.get_mark()
        message = (
            "this is not YAML: an escape in quotes names a character that Unicode does not have"
        )
        place = (mark.line + 1, mark.column + 1)
        raise failure(source, message, place=place, advice="write the character itself") from error
    if len(events) < 3:
        raise failure(
            source,
            "the file is empty",
            advice="start from the commented spec that 'archbuild new' prints",
        )
    return events[1:-1]


def _refuse_size(depth: int, count: int, place: Place, source: str) -> None:
    if depth > MAX_DEPTH:
        raise failure(source, f"nested more than {MAX_DEPTH} levels deep", place=place)
    if count > MAX_VALUES:
        raise failure(
            source,
            f"more than {MAX_VALUES:,} values, aliases written out",
            place=place,
            advice="write the spec without aliases",
        )


def _malformed(error: yaml.MarkedYAMLError, source: str) -> SpecError:
    mark = error.problem_mark or error.context_mark
    place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    advice = "check the indentation, and that brackets and quotes are closed"
    if "'\\t'" in str(error.problem):
        advice = "indent with spaces; YAML does not take tabs"
    return failure(source, f"this is not YAML: {error.problem}", place=place, advice=advice)


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else NOWHERE


class _Composer:
    """Makes values of events; an alias replays the events of its anchor."""

    def __init__(self, events: list[yaml.Event], source: str) -> None:
        self.source = source
        self.places: dict[TreePath, Place] = {}
        self.keys: dict[TreePath, Place] = {}
        self.problems: list[Problem] = []
        self._events = events
        self._next = 1  # the first event opens the document
        self._anchors: dict[str, int] = {}
        self._count = 0  # of values, each as often as an alias stands for it

    def value(self, path: TreePath) -> Any:
        """Return the value that begins at the next event."""
        import yaml

        event = self._take()
        self._count += 1
        _refuse_size(len(path), self._count, _place(event), self.source)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        self.places[path] = _place(event)
        self._note_anchor_and_tag(event, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        return self._scalar(event, path)

    def finish(self) -> None:
        """Raise what was found; refuse a second document."""
        if self._next + 1 < len(self._events):
            raise failure(
                self.source,
                "the file holds more than one YAML document",
                place=_place(self._events[self._next + 1]),
                advice="put several specs in one list, each beginning with '- '",
            )
        if self.problems:
            raise SpecError(self.problems)

    def _take(self) -> Any:
        self._next += 1
        return self._events[self._next - 1]

    def _note_anchor_and_tag(self, event: Any, path: TreePath) -> None:
        if event.anchor:
            self._anchors[event.anchor] = self._next - 1
        if event.tag is not None:
            advice = "leave the tag out: a spec is data, never code"
            self._problem("a spec may not hold YAML tags", path, event, event.tag, advice)

    def _alias(self, event: Any, path: TreePath) -> Any:
        start = self._anchors.get(event.anchor)
        if start is None:
            self._problem(f"the alias *{event.anchor} has no anchor before it", path, event)
            return None
        resume, self._next = self._next, start
        value = self.value(path)
        self._next = resume
        return value

    def _sequence(self, path: TreePath) -> list[Any]:
        import yaml

        values: list[Any] = []
        while not isinstance(self._events[self._next], yaml.SequenceEndEvent):
            values.append(self.value((*path, len(values))))
        self._take()
        return values

    def _mapping(self, path: TreePath) -> dict[str, Any]:
        import yaml

        values: dict[str, Any] = {}
        while not isinstance(self._events[self._next], yaml.MappingEndEvent):
            event = self._events[self._next]
            key = self._key(path)
            if key in values:
                first = self.keys[(*path, key)][0]
                message = f"the key stands here a second time; the first is in line {first}"
                self._problem(message, (*path, key), event)
            self.keys.setdefault((*path, key), _place(event))
            values[key] = self.value((*path, key))
        self._take()
        return values

    def _key(self, path: TreePath) -> str:
        event, own_place = self._events[self._next], self.places[path]
        self._refuse_collection(event, path)
        key = self.value(path)
        self.places[path] = own_place
        if isinstance(key, str):
            return key
        self._problem("a key must be text", path, event, str(key)[:60], "put it in quotes")
        return f"{str(key)[:60]} in line {_place(event)[0]}"

    def _refuse_collection(self, event: Any, path: TreePath) -> None:
        """Stop at a key that is a list or a mapping: aliases of such keys multiply.

        Raises:
            SpecError: the event begins one, or is an alias of one.
        """
        import yaml

        meant = event
        if isinstance(event, yaml.AliasEvent):
            meant = self._events[self._anchors.get(str(event.anchor), self._next)]
        if isinstance(meant, yaml.CollectionStartEvent):
            raise failure(
                self.source,
                "a key must be text",
                place=_place(event),
                path=path,
                received="a list or a mapping",
                advice="write 'key: value', with a word as the key",
            )

    def _scalar(self, event: Any, path: TreePath) -> Any:
        value = scalar(event.value) if event.style is None else event.value
        if isinstance(value, float) and not math.isfinite(value):
            self._problem("the number is not finite", path, event, event.value[:60])
        elif isinstance(value, str) and not value.isprintable():
            raise failure(
                self.source,
                "the text is not one line of printable characters",
                place=_place(event),
                path=path,
                received=ascii(value)[:60],
            )
        return value

    def _problem(
        self,
        message: str,
        path: TreePath,
        event: Any,
        received: str | None = None,
        advice: str | None = None,
    ) -> None:
        line, column = _place(event)
        self.problems.append(
            Problem(message, path, received, None, advice, self.source, line, column)
        )
