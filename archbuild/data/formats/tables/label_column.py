"""The label column of a table: whether it holds classes, and what is said about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from archbuild.data.columns import is_missing, number_in
from archbuild.data.formats.tables.roles import Roles
from archbuild.data.formats.tables.source import TableSource
from archbuild.data.guess import LABELS, Guess, column_key, column_subject, listed, value_key
from archbuild.data.labels import count_classes, unlabelled_in_words
from archbuild.errors import DataError

_MOST_NUMBERS = 20  # different ones, that are classes however few the rows
_MOST_WORDS = 4


class Judgement(NamedTuple):
    """The decision about a column that may hold labels.

    Attributes:
        roles: the roles of the columns, once it is settled.
        holds_classes: whether it is the labels.
        guesses: the decisions, in words.
    """

    roles: Roles
    holds_classes: bool
    guesses: tuple[Guess, ...]


def judge_labels(source: TableSource, roles: Roles, labels: Sequence[str]) -> Judgement:
    """Return what a label column is: labels, a feature, or, where each row has its own, its names.

    Raises:
        DataError: the user named the column, and it holds no classes.
    """
    index = roles.label or 0
    name = source.columns[index]
    fault = label_fault(labels, source.decimal, asked=not roles.label_is_guessed)
    if fault is None:
        words = f"{_with_gaps(labels)}{unlabelled_in_words(labels)}"
        count = count_classes(labels)
        found = f"column '{name}', {count} class{'es' * (count != 1)}{words}"
        found += "; scores against a single one say nothing" if count == 1 else ""
        is_said = roles.label_is_guessed or not all(labels) or count == 1
        return Judgement(roles, True, (Guess(LABELS, found, "labels=none"),) if is_said else ())
    if not roles.label_is_guessed:
        raise DataError(
            f"{source.path}: the column '{name}' holds no classes, {fault}; labels name classes, "
            "so choose another column, or data.labels: none"
        )
    if _holds_words(labels, source.decimal):
        return _as_names(roles, name, labels, fault)
    found = f"the column '{name}' is a feature, {fault}"
    roles = roles._replace(label=None, features=tuple(sorted((*roles.features, index))))
    return Judgement(roles, False, (Guess(LABELS, found, column_key(name, "ignore")),))


def _with_gaps(labels: Sequence[str]) -> str:
    """Return a remark on classes whose name may stand for a missing one."""
    gaps = sorted(text for text in set(labels) if text and is_missing(text))
    return f", {listed(gaps)} among them" if gaps else ""


def _as_names(roles: Roles, name: str, labels: Sequence[str], fault: str) -> Judgement:
    """Return the judgement on a column of words that is no feature either."""
    names_rows = roles.ids is None and len(set(labels)) == len(labels) and all(labels)
    use = "names the rows" if names_rows else "is left out"
    said = Guess(LABELS, f"the column '{name}' {use}, {fault}", value_key("labels", name))
    ids = roles.label if names_rows else roles.ids
    return Judgement(roles._replace(label=None, ids=ids), False, (said,))


def say_of_other_labels(source: TableSource, roles: Roles) -> list[Guess]:
    """Return a line for each feature that has a label's name."""
    others = [source.columns[index] for index in roles.label_like if index in roles.features]
    if roles.label is None:
        found = "a feature, although it has a label's name"
        return [Guess(column_subject(name), found, column_key(name, "ignore")) for name in others]
    found = "has a label's name too, and is a feature"
    return [
        Guess(LABELS, f"the column '{name}' {found}", column_key(name, "ignore")) for name in others
    ]


def label_fault(labels: Sequence[str], decimal: str = ".", *, asked: bool = False) -> str | None:
    """Return why texts are no classes; ``None`` if they are.

    Fractions are values of a quantity, never classes. Whole numbers and words are no classes where
    nearly every row has its own, unless the user named the column.

    Args:
        labels: one for each row; blank ones are left out.
        decimal: the decimal sign.
        asked: whether the user named the column.
    """
    labels = [text for text in labels if text]
    if not labels:
        return "since it is blank in every row"
    counts = Counter(labels)
    numbers = [number_in(text, decimal) for text in counts]
    fractions = [number for number in numbers if number is not None and number % 1]
    if fractions:  # NaN and infinity count as such
        return f"since it has fractions ({fractions[0]:g})"
    if asked:
        return None
    if None not in numbers and len(counts) > max(_MOST_NUMBERS, len(labels) / 4):
        return f"since it has {len(counts)} different numbers in {len(labels)} rows"
    if None in numbers and len(counts) > max(_MOST_WORDS, len(labels) / 2):
        return f"since it has {len(counts)} different words in {len(labels)} rows"
    return None


def _holds_words(labels: Sequence[str], decimal: str) -> bool:
    return any(number_in(text, decimal) is None for text in labels if text)
