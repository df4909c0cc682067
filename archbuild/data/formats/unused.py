"""The keys of the spec's ``data`` section that a format has no use for, and that are refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from archbuild.data.request import ReadRequest
from archbuild.errors import DataError

FOR_ALL: Final = frozenset({"divide_by", "counts", "gaps"})
"""Keys that say what becomes of the numbers, wherever they come from."""

TEXT_TABLE: Final = frozenset({"header", "skip_lines", "separator", "decimal"})
"""Keys that only a table of text has a use for; a sheet has for some of them."""

_PURPOSE: Final = {
    "labels": "a column or an array of labels in the file itself",
    "header": "text tables and sheets",
    "skip_lines": "text tables and sheets",
    "separator": "text tables",
    "decimal": "text tables and sheets",
    "channels": "arrays whose rows have two axes or more",
    "rows": "arrays",
    "array": "files with several arrays or sheets, and columns of images",
    "columns": "tables",
    "missing": "tables",
}


def refuse_unused(request: ReadRequest, used: Iterable[str], what: str) -> None:
    """Refuse options that would change nothing.

    For new rows of a trained model that is said of the options given for them alone: they may come
    in another format than the training rows, whose options they bear as well.

    Args:
        request: the file and the user's options.
        used: the keys that its reader looks at, beside those ``FOR_ALL`` and ``labels: none``.
        what: the name of the format.

    Raises:
        DataError: another key is set.
    """
    options = request.options
    told = options.told if request.known is None else options.anew
    others = sorted(told - FOR_ALL - frozenset(used))
    if options.no_labels and "labels" in others:
        others.remove("labels")
    if others:
        reasons = "; ".join(f"data.{key} is for {_PURPOSE[key]}" for key in others)
        raise DataError(
            f"{request.path} is read as {what}, where {' and '.join(others)} would change nothing: "
            f"{reasons}; remove what does not apply"
        )
