"""Texts that come from data, as they may stand in one line of a spec."""

from __future__ import annotations

import json
import re
from typing import Final

from archbuild.spec.yaml_text import scalar

_PLAIN: Final = re.compile(r"[A-Za-z_](?:[\w/. -]*[\w/.-])?")
_USUAL: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def one_line(text: str) -> str:
    r"""Return a text with whatever might end or hide a line escaped: ``\n``, ``\u2028``.

    These are all characters that Python does not call printable.
    """
    return text if text.isprintable() else "".join(map(_escaped, text))


def quoted(text: str) -> str:
    """Return a printable text as a value in YAML: in quotes where it would be something else."""
    if _PLAIN.fullmatch(text) and scalar(text) == text:
        return text
    return json.dumps(text, ensure_ascii=False)


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return _USUAL.get(character) or (f"\\u{code:04x}" if code < 2**16 else f"\\U{code:08x}")
