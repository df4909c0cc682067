"""Texts that come from data, as they may stand in one line of a spec."""

from __future__ import annotations

import json
import re
from typing import Final

from archbuild.spec.yaml_text import scalar

_PLAIN: Final = re.compile(r"[A-Za-z_](?:[\w/. -]*[\w/.-])?")


def quoted(text: str) -> str:
    """Return a printable text as a value in YAML: in quotes where it would be something else."""
    if _PLAIN.fullmatch(text) and scalar(text) == text:
        return text
    return json.dumps(text, ensure_ascii=False)
