"""The scalars of every epoch as TensorBoard event files, a folder for each stage.

Written with the record format and the messages of the ``tensorboard`` package alone; its own
``EventFileWriter`` imports TensorFlow wherever that is installed, whatever Keras runs on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from time import time
from typing import Any

from archbuild.io.atomic import explained
from archbuild.io.containment import make_folder
from archbuild.training.progress import LOGGER, in_parts

_VERSION = "brain.Event:2"  # what TensorBoard expects in a file's first event
_MISSING = (
    "no TensorBoard event files: the package tensorboard is not installed "
    "(pip install 'archbuild[tensorboard]')"
)


class EventFiles:
    """One event file for each stage, below a folder that is made when the first epoch ends.

    Args:
        folder: where the stages' folders go.
    """

    def __init__(self, folder: Path) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        self.folder = folder
        self._writers: dict[str, Any] = {}
        self._event, self._record_writer = Event, RecordWriter

    def write(self, stage: str, row: Mapping[str, Any]) -> None:
        """Write an epoch's line of the history, for TensorBoard to see at once.

        Raises:
            RunError: the file cannot be written.
        """
        event = self._event(wall_time=time(), step=row["epoch"])
        for tag, value in scalars(row):
            event.summary.value.add(tag=tag, simple_value=value)
        with explained("write", self.folder / stage):
            if stage not in self._writers:
                self._writers[stage] = self._opened(self.folder / stage)
            self._writers[stage].write(event.SerializeToString())
            self._writers[stage].flush()

    def close(self) -> None:
        """Close every file."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def _opened(self, folder: Path) -> Any:
        make_folder(folder, below=self.folder.parent)
        path = folder / f"events.out.tfevents.{int(time())}"
        writer = self._record_writer(path.open("xb"))
        first = self._event(wall_time=time(), file_version=_VERSION)
        writer.write(first.SerializeToString())
        return writer


def event_files(folder: Path) -> EventFiles | None:
    """Event files below ``folder``; ``None``, and a word in the log, where there can be none."""
    if find_spec("tensorboard") is None:
        LOGGER.info("%s", _MISSING)
        return None
    try:
        return EventFiles(folder)
    except Exception as error:  # whatever a damaged installation raises; training goes on
        LOGGER.warning("no TensorBoard event files: the package tensorboard fails: %s", error)
        return None


def scalars(row: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """What a line of the history has to draw, by TensorBoard's names: ``loss/kl``, say."""
    parts = in_parts(row)
    yield "learning_rate", parts["learning_rate"]
    for group, values in (("loss", parts["terms"]), ("clusters", parts["occupancy"] or {})):
        for name, value in values.items():
            if isinstance(value, int | float):  # no list of shares, no change of the first time
                yield f"{group}/{name}", value
