"""The manifest of a stage: its progress, the request it was made for, the digest of each file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from archbuild.errors import RunError
from archbuild.io import atomic
from archbuild.io.documents import json_text
from archbuild.io.reading import read_json
from archbuild.runs.checking import refuse_invalid

MANIFEST = "manifest.json"
MANIFEST_VERSION = 1


def read_manifest(path: Path) -> dict[str, Any] | None:
    """Read and check a manifest; return ``None`` where there is no file.

    Raises:
        RunError: it cannot be read, is damaged, or comes from a newer archbuild.
    """
    with atomic.explained("read", path):
        if not path.exists():
            return None
    document = read_json(path)
    version = document.get("manifest_version") if isinstance(document, dict) else None
    if isinstance(version, int) and version > MANIFEST_VERSION:
        raise RunError(
            f"{path} was written by a newer archbuild, {_writer(document)}; install that version "
            "or a later one"
        )
    refuse_invalid(document, "manifest", path)
    found: dict[str, Any] = document
    return found


def _writer(document: Any) -> str:
    """Return the version of archbuild that wrote a manifest whose form is not known."""
    try:
        return str(document["versions"]["archbuild"])
    except (LookupError, TypeError):
        return "of a version that it does not name"


def digests_of(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of each file that a manifest names."""
    if manifest["state"] == "finished":
        return dict(manifest["files"])
    checkpoint = manifest["checkpoint"]
    entries = [checkpoint, *checkpoint.get("rows", {}).values()]
    return {entry["file"]: entry["sha256"] for entry in entries}


def digest_of(manifest: Mapping[str, Any]) -> str:
    """Return SHA-256 over the request, the summary and the files' digests of a finished stage."""
    part = {key: manifest[key] for key in ("request", "summary", "files")}
    return hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()


def sequence(manifest: Mapping[str, Any] | None) -> int:
    """Return a stage's place in the order of training, from 1; 0 in runs of early versions."""
    return int(manifest.get("sequence", 0)) if manifest else 0


def header(
    stage: str,
    request: Mapping[str, Any],
    versions: Mapping[str, str],
    previous: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the part of a manifest that does not change while a process trains the stage.

    Args:
        stage: its name.
        request: what it depends on, as JSON.
        versions: of the software, by name.
        previous: the manifest that is there; its other versions become ``earlier_versions``.
    """
    found = {
        "manifest_version": MANIFEST_VERSION,
        "stage": stage,
        "request": plain(request),
        "versions": dict(versions),
        "timing": {"started": previous["timing"]["started"] if previous else _now()},
    }
    earlier = list(previous.get("earlier_versions", [])) if previous else []
    if previous and previous["versions"] != found["versions"]:
        earlier.append(previous["versions"])
    return found | ({"earlier_versions": earlier} if earlier else {})


def timing(
    started: Mapping[str, Any], event: str, measured: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return ``timing`` with the present moment under ``event`` and what was measured."""
    return {**started, event: _now(), **(measured or {})}


def plain(value: Any) -> Any:
    """Return a value as it comes back from JSON: tuples as lists, NumPy's numbers as Python's."""
    return json.loads(json_text(value))


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="milliseconds")
