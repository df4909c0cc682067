"""Every error that archbuild raises on purpose.

::

    ArchbuildError
    ├── UserError                 a problem that the user can fix: exit status 2, no traceback
    │   ├── SpecError             one or many problems in a spec
    │   ├── UsageError            an invalid request
    │   ├── DataError             a dataset is missing, damaged, or does not fit
    │   ├── PluginError           a plugin of another package cannot be used
    │   └── RunError              a run folder is locked, damaged, missing or of another spec
    │       └── RunInUseError     another process holds its lock
    └── TrainingError             training failed: exit status 1
        ├── DivergenceError       a loss term or a weight stopped being finite
        └── PeerLostError         another process of the same training is gone

An error says what happened, what was expected, what came, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from archbuild.printable import lines, message, one_line

MAX_SHOWN: Final = 100
"""Problems of a spec that are shown; more are counted."""

_LONGEST: Final = 300  # characters of a problem's path, and of its message


class ArchbuildError(Exception):
    """The root of the tree; ``exit_status`` is what the command line ends with.

    As text it is printable: names of files and cells of data in it may hold anything.
    """

    exit_status = 1

    def __str__(self) -> str:
        return message(super().__str__())


class UserError(ArchbuildError):
    """A problem that the user can fix."""

    exit_status = 2


@dataclass(frozen=True)
class Problem:
    """One problem of a spec.

    Attributes:
        message: what is wrong, in one sentence.
        path: where in the tree, as keys and indices: ``("layers", 3, "num_units")``.
        received: what came, shortened for display; ``None`` where nothing came.
        allowed: what would be accepted; ``None`` where the message says it.
        advice: how to fix it, a did-you-mean for instance.
        source: the file's name, or the name of another origin such as ``--set``.
        line: counted from 1; 0 where there is no text to point into.
        column: counted from 1; 0 where there is no text to point into.
    """

    message: str
    path: tuple[str | int, ...] = ()
    received: str | None = None
    allowed: str | None = None
    advice: str | None = None
    source: str = ""
    line: int = 0
    column: int = 0

    @property
    def dotted_path(self) -> str:
        """The path as users write it: ``layers[3].num_units``."""
        text = ""
        for part in self.path:
            text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
        return text

    def __str__(self) -> str:
        source = one_line(self.source)
        place = f"{source}:{self.line}:{self.column}" if self.line else source
        path, message = _shortened(self.dotted_path), _shortened(self.message)
        head = ": ".join(part for part in (place, path, message) if part)
        details = [
            f"    {label}: {one_line(text)}"
            for label, text in (
                ("received", self.received),
                ("allowed", self.allowed),
                ("try", self.advice),
            )
            if text
        ]
        return "\n".join([head, *details])


def _shortened(text: str) -> str:
    return one_line(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")


class SpecError(UserError):
    """A spec that cannot be used; ``problems`` holds all of them, in the order of the file.

    Its text has the first ``MAX_SHOWN`` of them, and the number of the rest.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        shown = [str(problem) for problem in self.problems[:MAX_SHOWN]]
        rest = len(self.problems) - len(shown)
        if rest:
            shown.append(f"and {rest:,} more problems, which are not shown")
        super().__init__("\n".join(shown))

    def __str__(self) -> str:
        return lines(Exception.__str__(self))


class UsageError(UserError):
    """An invalid request."""


class DataError(UserError):
    """A dataset is missing, damaged, or does not fit the spec."""


class PluginError(UserError):
    """A plugin of another package cannot be used; the message names the package."""


class RunError(UserError):
    """A run folder is locked, damaged, missing, or belongs to another spec."""


class RunInUseError(RunError):
    """Another process works in the run folder; try again when it has ended."""


class TrainingError(ArchbuildError):
    """Training failed."""


class PeerLostError(TrainingError):
    """Another process of the same training has ended, or cannot be reached."""


class DivergenceError(TrainingError):
    """A loss term, or a weight, stopped being finite; names it, the stage and the epoch."""

    def __init__(self, what: str, stage: str, epoch: int, step: int, advice: str) -> None:
        self.what, self.stage, self.epoch, self.step = what, stage, epoch, step
        super().__init__(
            f"{what} stopped being finite in stage '{stage}', epoch {epoch}, "
            f"step {step}; the run was stopped and is not marked as finished. {advice}"
        )
