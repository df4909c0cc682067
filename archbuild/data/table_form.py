"""The form of the table that a model was trained on, to which new tables are held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from archbuild.data.columns import number_in

_FEW = 3  # numbers that may stand in a row of data as well


@dataclass(frozen=True)
class TableForm:
    """The form in which a table was read, as far as the cells of another one may not tell.

    Attributes:
        header: whether the columns have names of their own.
        columns: all of them, in the order of the file; ``1``, ``2``, ... without a header.
        used: those that give features.
        decimal: the decimal sign of its cells.
        separator: between the cells of a text table; ``None`` in other formats.
        identifiers: the columns that identify rows and are no features; the first names the rows.
    """

    header: bool
    columns: tuple[str, ...]
    used: tuple[str, ...]
    decimal: str = "."
    separator: str | None = None
    identifiers: tuple[str, ...] = ()

    @property
    def widths(self) -> frozenset[int]:
        """The numbers of columns that a new table may have: all, or those that are used."""
        return frozenset((len(self.columns), len(self.used)))

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        document = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }
        if not self.identifiers:
            del document["identifiers"]  # as in runs of earlier versions
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> TableForm:
        """Return the object that ``to_json`` was called on."""
        lists = {name: tuple(cells) for name, cells in document.items() if isinstance(cells, list)}
        return cls(**{**document, **lists})


def name_key(name: str) -> str | float:
    """Return what names have in common that are the same but for their spelling.

    That is the number, of ``400`` and ``400.0``, and the letters, of ``AGE`` and ``age``.
    """
    number = number_in(name)
    if number is not None:
        return number
    return "".join(letter for letter in name.casefold() if letter.isalnum()) or name.strip()


def holds_names(cells: Sequence[str], wanted: Sequence[str], others: Sequence[str] = ()) -> bool:
    """Return whether a row of cells is the header of a table with known columns.

    Args:
        cells: of the first row, in any order.
        wanted: the columns; all of them are among the cells, or all cells are among them.
        others: columns that may be there too.
    """
    found = [cell.strip() for cell in cells if cell.strip()]
    if _agree(found, wanted, others):
        return True
    if len(wanted) < _FEW and any(number_in(name) is not None for name in wanted):
        return False
    keys = [list(map(name_key, names)) for names in (found, wanted, others)]
    return _agree(*keys)


def _agree(found: Sequence[Any], wanted: Sequence[Any], others: Sequence[Any]) -> bool:
    known = {*wanted, *others}
    is_part = len({*found}) == len(found) and {*found} <= known and not {*found}.isdisjoint(wanted)
    return is_part or {*wanted} <= {*found}
