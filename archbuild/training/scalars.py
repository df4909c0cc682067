"""The scalars of every epoch as TensorBoard event files, a folder for each stage.

Written with the record format and the messages of the ``tensorboard`` package alone; its own
``EventFileWriter`` imports TensorFlow wherever that is installed, whatever Keras runs on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from time import time
from typing import Any

from archbuild.io.atomic import explained
from archbuild.io.containment import make_folder
from archbuild.training.progress import LOGGER, EpochDone, Event, StageStarted, grouped

_VERSION = "brain.Event:2"  # what TensorBoard expects in a file's first event
_MISSING = (
    "no TensorBoard event files: the package tensorboard is not installed "
    "(pip install 'archbuild[tensorboard]')"
)


class EventFiles:
    """A handler of events that writes one event file for each stage, where tensorboard works.

    Args:
        folder: where the stages' folders go; made when the first epoch ends.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writers: dict[str, Any] = {}

    def __call__(self, event: Event) -> None:
        """Write a finished epoch, for TensorBoard to see at once.

        Raises:
            RunError: the file cannot be written.
        """
        if not isinstance(event, StageStarted | EpochDone):
            return
        tensorboard = self._format  # the start of a stage already logs that it is missing
        if tensorboard is not None and isinstance(event, EpochDone):
            self._write(event.stage, event.row, *tensorboard)

    def close(self) -> None:
        """Close every file."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    @cached_property
    def _format(self) -> tuple[Any, Any] | None:
        """TensorBoard's event and record writer; ``None``, and a line in the log, without them."""
        if find_spec("tensorboard") is None:
            LOGGER.info("%s", _MISSING)
            return None
        try:
            from tensorboard.compat.proto.event_pb2 import Event as EventMessage
            from tensorboard.summary.writer.record_writer import RecordWriter
        except Exception as error:  # a damaged installation may raise anything; training continues
            LOGGER.warning("no TensorBoard event files: the package tensorboard fails: %s", error)
            return None
        return EventMessage, RecordWriter

    def _write(self, stage: str, row: Mapping[str, Any], message: Any, record_writer: Any) -> None:
        event = message(wall_time=time(), step=row["epoch"])
        for tag, value in scalars(row):
            event.summary.value.add(tag=tag, simple_value=value)
        with explained("write", self.folder / stage):
            if stage not in self._writers:
                self._writers[stage] = self._opened(self.folder / stage, message, record_writer)
            self._writers[stage].write(event.SerializeToString())
            self._writers[stage].flush()

    def _opened(self, folder: Path, message: Any, record_writer: Any) -> Any:
        make_folder(folder, below=self.folder.parent)
        path = folder / f"events.out.tfevents.{int(time())}"
        writer = record_writer(path.open("xb"))
        writer.write(message(wall_time=time(), file_version=_VERSION).SerializeToString())
        return writer


def scalars(row: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the numbers of a line of the history, by TensorBoard's names: ``loss/kl``, say."""
    groups = grouped(row)
    yield "learning_rate", groups["learning_rate"]
    for group, values in (("loss", groups["terms"]), ("clusters", groups["occupancy"] or {})):
        for name, value in values.items():
            if isinstance(value, int | float):  # no list of shares, no change of the first time
                yield f"{group}/{name}", value
