"""The label column of a table: whether it holds classes, and what is said about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from archbuild.data.columns import number_in
from archbuild.data.formats.roles import Roles
from archbuild.data.formats.table_source import TableSource
from archbuild.data.guess import Guess, column_key
from archbuild.errors import DataError


def judge_labels(
    source: TableSource, roles: Roles, labels: list[str]
) -> tuple[Roles, list[str] | None, list[Guess]]:
    """Return the roles and labels, once a column of a label's name is known to hold classes."""
    index = roles.label or 0
    name = source.columns[index]
    fault = label_fault(labels, source.decimal)
    if fault is None:
        classes = len(set(labels))
        said = Guess("labels", f"column '{name}', {classes} classes", "labels=none")
        return roles, labels, [said] if roles.label_is_guessed else []
    if not roles.label_is_guessed:
        raise DataError(
            f"{source.path}: the column '{name}' holds no classes, {fault}; labels name classes, "
            "so choose another column, or data.labels: none"
        )
    found = f"none; the column '{name}' is a feature, {fault}"
    features = tuple(sorted((*roles.features, index)))
    said = Guess("labels", found, column_key(name, "ignore"))
    return roles._replace(label=None, features=features), None, [said]


def label_fault(labels: Sequence[str], decimal: str = ".") -> str | None:
    """Return why texts are values of a quantity rather than classes; ``None`` if they are classes.

    Fractions are never classes; whole numbers are not where nearly every row has its own.
    """
    counts = Counter(labels)
    numbers = [number_in(text, decimal) for text in counts]
    fractions = [number for number in numbers if number is not None and number % 1]
    if fractions:  # NaN and infinity count as such
        return f"since it has fractions ({fractions[0]:g})"
    numeric = all(number is not None for number in numbers)
    if numeric and len(counts) > max(20, len(labels) / 4):
        return f"since it has {len(counts)} different numbers in {len(labels)} rows"
    return None
