"""Texts of unknown source as they may be shown: on a terminal, in a log, in a table of cells.

A cell, a label, a file's name or a run folder may hold what a terminal obeys (escape sequences,
carriage returns, marks that turn the direction of writing), and what a spreadsheet runs.
"""

from __future__ import annotations

import re
import shlex
from typing import Any, Final

_USUAL: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_STRAY_NEWLINE: Final = re.compile(r"\n(?!\n* )")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


LONGEST: Final = 2_000
"""Characters of a line of a message; cells and names in it may have any number."""


def shortened(text: str, most: int = LONGEST) -> str:
    """Return a text of at most some characters more than ``most``: its beginning and its end."""
    if len(text) <= most:
        return text
    end = most // 4  # where a message says what to do
    left_out = len(text) - most
    return f"{text[: most - end]}[... {left_out:,} characters ...]{text[-end:]}"


def shell_word(text: str) -> str:
    r"""Return a text as a word for a shell, to be pasted: quoted, ``$'a\nb'`` if it must be.

    Bash, zsh, ksh and newer shells by POSIX read that form, in which nothing is left that a
    terminal obeys.
    """
    if text.isprintable():
        return shlex.quote(text)
    return f"$'{''.join(map(_in_ansi_quotes, text))}'"


def _in_ansi_quotes(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if character.isprintable():
        return character
    # by bytes: \u depends on the shell's locale, and a name may hold bytes that are no text
    errors = "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass"
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", errors))


def one_line(text: str) -> str:
    r"""Return a text with whatever might end or hide a line escaped: ``\n``, ``\u2028``.

    These are all characters that Python does not call printable.
    """
    return text if text.isprintable() else "".join(map(_escaped, text))


def lines(text: str) -> str:
    """Return a text of lines that archbuild has put together, each as :func:`one_line`."""
    return text if text.isprintable() else "\n".join(map(one_line, text.split("\n")))


def message(text: str) -> str:
    """Return a message: as :func:`lines`, but only indented lines may follow its first.

    archbuild indents what it adds to a sentence, so that another line comes from a name in it.
    Lines beyond ``LONGEST`` are shortened.
    """
    shown = lines(_STRAY_NEWLINE.sub(r"\\n", text))
    return shown if len(shown) <= LONGEST else "\n".join(map(shortened, shown.split("\n")))


def cell(value: Any) -> Any:
    """Return a value as a cell of CSV that no spreadsheet takes for a formula.

    A text that begins as formulas do, and is no number, has an apostrophe before it; what is not
    printable is escaped as in :func:`one_line`. What is no text comes back as it is.
    """
    if not isinstance(value, str):
        return value
    return f"'{one_line(value)}" if _begins_formula(value) else one_line(value)


def _begins_formula(text: str) -> bool:
    if not text.lstrip(" ").startswith(_FORMULA):
        return False
    try:
        float(text)
    except ValueError:
        return True
    return False


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return _USUAL.get(character) or (f"\\u{code:04x}" if code < 2**16 else f"\\U{code:08x}")
