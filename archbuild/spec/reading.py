"""Reading a spec file: bytes to text to values with their places, every failure in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from archbuild.errors import SpecError
from archbuild.spec.document import MAX_BYTES, MAX_SPECS, Document, failure
from archbuild.spec.json_text import parse_json
from archbuild.spec.yaml_text import parse_yaml

KINDS: Final = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}


def read_document(path: Path) -> Document:
    """Read a JSON or YAML file; the suffix says which.

    Raises:
        SpecError: the file is missing, too big, not text, empty or malformed, or holds what a spec
            may not: duplicate keys, NaN, tags, more than ``MAX_SPECS`` specs.
    """
    source = str(path)
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise failure(
            source,
            "a spec file is JSON or YAML, and its name says which",
            received=path.name,
            allowed="a name that ends in .json, .yaml or .yml",
        )
    document = parse_text(_decode(_read_bytes(path), source), source, kind)
    if isinstance(document.tree, list) and len(document.tree) > MAX_SPECS:
        raise failure(
            source,
            "the file holds too many specs",
            received=f"{len(document.tree):,}",
            allowed=f"at most {MAX_SPECS:,}",
            advice="put them in several files",
        )
    return document


def parse_text(text: str, source: str, kind: str) -> Document:
    """Parse ``text`` as ``json`` or ``yaml``; ``source`` names it in messages.

    Raises:
        SpecError: the text is empty or malformed, or holds what a spec may not.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise failure(
            source,
            "the file is empty",
            advice="start from the commented spec that 'archbuild new' prints",
        )
    parse = parse_json if kind == "json" else parse_yaml
    try:
        return parse(text, source)
    except SpecError:
        raise
    except Exception as error:  # libraries parse it, and the text may be anything
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise failure(source, f"the text cannot be read: {reason}") from error


def _read_bytes(path: Path) -> bytes:
    source = str(path)
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise failure(source, "this is a pipe or a device", allowed="a file")
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise failure(source, "there is no such file", advice="check the path") from None
    except IsADirectoryError:
        raise failure(source, "this is a folder", allowed="a file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise failure(source, f"the file cannot be read: {reason}") from None
    if len(content) > MAX_BYTES:
        raise failure(
            source,
            "the file is too big for a spec",
            allowed=f"{MAX_BYTES:,} bytes",
            advice="is this the right file? A spec takes a few kilobytes",
        )
    return content


def _decode(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", "replace")
        line = before.count("\n") + 1
        raise failure(
            source,
            "the file is not UTF-8 text",
            place=(line, len(before) - before.rfind("\n")),
            received=f"byte 0x{content[error.start]:02x}",
            advice="save it again as UTF-8",
        ) from None
