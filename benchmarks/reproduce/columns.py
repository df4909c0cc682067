"""The columns that a table may have: scores of clusters and classes, and bounds in nats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from archbuild.evaluation.scores import SCORES


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        key: its name in ``metrics.json``; of what levels have, the beginning of the names.
        name: its heading.
        form: how a value is printed.
        higher_is_better: the direction; ``None`` for what is no score.
    """

    key: str
    name: str
    form: str
    higher_is_better: bool | None = None

    @property
    def heading(self) -> str:
        """The name with an arrow in the better direction."""
        arrow = {True: " ↑", False: " ↓", None: ""}[self.higher_is_better]
        return self.name + arrow

    def value(self, scores: Mapping[str, Any]) -> Any:
        """Return the value among the scores of a run: a number, a list by level, or ``None``."""
        if self.key in scores:
            return scores[self.key]
        return [scores[key] for key in scores if key.startswith(f"{self.key}_")] or None

    def better(self, value: float) -> float:
        """Return a number that is the higher, the better the value is."""
        return value if self.higher_is_better else -value


_FORMS: Final = {"error": ".2%"}
_ALL: Final = (
    *(
        Column(score.key, score.heading, _FORMS.get(score.key, ".3f"), score.higher_is_better)
        for score in SCORES.values()
    ),
    # of own data: k-means on standardised rows, beside the head
    Column("acc_standardised", "ACC of k-means", ".3f", higher_is_better=True),
    Column("nmi_standardised", "NMI of k-means", ".3f", higher_is_better=True),
    Column("nats", "L_S", ".2f", higher_is_better=True),
    Column("draws", "S", ",.0f"),
    Column("elbo", "L_1", ".2f", higher_is_better=True),
    Column("kl", "KL by level", ".1f"),
    Column("active", "active units", ".3g"),
)

COLUMNS: Final[Mapping[str, Column]] = {column.key: column for column in _ALL}
"""Key -> column."""
