"""A run's messages as text: ``messages/<DATASET>/<arch>/<seed>/<stage>/module.../*.txt``."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from archbuild.io.atomic import TEMPORARY_PREFIX, explained
from archbuild.runs.folder import RunFolder, beside
from archbuild.runs.stage import StageFolder

MESSAGES = "messages"
_TEXTS = ("*.txt", f"{TEMPORARY_PREFIX}*")


def messages_of(run: RunFolder) -> Path:
    """Return the folder of a run's text files, which has one for each stage with some."""
    return beside(run, MESSAGES)


def text_files(stage: StageFolder) -> list[Path]:
    """List the text files of one stage, each once; no link is followed."""
    found = (path for folder in _folders(stage) for text in _TEXTS for path in folder.glob(text))
    return sorted(set(found))


def clear_texts(stage: StageFolder) -> None:
    """Delete the text files of a stage, and their folders as far as they are empty.

    Raises:
        RunError: a file cannot be deleted.
    """
    place = _place(stage)
    with explained("clear", place):
        for path in text_files(stage):
            path.unlink(missing_ok=True)
    with suppress(OSError):
        for folder in (*_folders(stage), place, *place.parents[:3]):
            folder.rmdir()


def clear_stage(stage: StageFolder) -> None:
    """Delete what a stage wrote, its messages too.

    Raises:
        RunError: a file cannot be deleted.
    """
    stage.clear()
    clear_texts(stage)


def _place(stage: StageFolder) -> Path:
    return messages_of(RunFolder(stage.path.parent)) / stage.name


def _folders(stage: StageFolder) -> list[Path]:
    place = _place(stage)
    if place.resolve() != place.parents[4].resolve() / place.relative_to(place.parents[4]):
        return []
    return [path for path in sorted(place.glob("module*")) if not path.is_symlink()]
