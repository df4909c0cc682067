"""The commands of a sweep as tasks of a Ray cluster, whose machines share the sweep's folder."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from tempfile import NamedTemporaryFile
from threading import Thread
from types import ModuleType
from typing import Any, Final

from archbuild.errors import ArchbuildError, RunError
from archbuild.experiments.sweeps.child import Child
from archbuild.experiments.sweeps.running import ChildMaker
from archbuild.io.containment import make_folder
from archbuild.ray_cluster import (
    connected,
    deaths,
    error_document,
    foreign,
    free_cpus,
    installed_versions,
    refuse_other_versions,
)

_ATTEMPTS: Final = 4
"""How often workers may die of one command before it has failed."""
_ENDED: Final = "process_ended"
_THREADS: Final = "OMP_NUM_THREADS"  # which Ray sets where nobody has

Handler = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class Place:
    """The files and versions that a worker needs to run a command as this machine would.

    Attributes:
        folder: the working directory of the sweep, against which its paths are resolved.
        token: a file that is in the sweep's folder while it runs.
        versions: what results depend on.
        counts_threads: whether the user has said how many threads a process has.
    """

    folder: str
    token: str
    versions: Mapping[str, str]
    counts_threads: bool


@contextmanager
def ray_children(address: str, out: Path) -> Iterator[tuple[ChildMaker, int]]:
    """Give what a ``Sweep`` makes its children by, and the number of free CPUs of the cluster.

    Args:
        address: of the cluster, as for ``connected``.
        out: the folder of the sweep, which every machine of the cluster has at this path.

    Raises:
        UsageError: there is no such cluster.
    """
    make_folder(out, below=out)
    with (
        connected(address) as ray,
        NamedTemporaryFile(dir=out, prefix=".ray-") as token,
    ):
        path = str(Path(token.name).resolve())
        place = Place(str(Path.cwd()), path, installed_versions(), _THREADS in os.environ)
        yield lambda arguments, handle: RayChild(ray, place, arguments, handle), free_cpus(ray)


class RayChild:
    """A command, run by a worker of the cluster; one that dies with its worker is run again.

    Args:
        ray: the module, connected.
        place: what the worker must find.
        arguments: of ``archbuild``; ``--json`` is among them.
        on_event: called with each event of the process, in the thread that calls ``run``.

    Attributes:
        error: as that of ``Child``.
    """

    def __init__(
        self, ray: ModuleType, place: Place, arguments: Sequence[str], on_event: Handler
    ) -> None:
        self._ray, self._place, self._arguments = ray, place, list(arguments)
        self._on_event = on_event
        self._actor: Any = None
        self._stopped = False
        self.error: Mapping[str, Any] = {}

    def run(self) -> bool:
        """Run the command to its end, unless it was stopped before; return its success."""
        for attempt in range(1, _ATTEMPTS + 1):
            if self._stopped:
                return False
            try:
                return self._run_once()
            except deaths(self._ray) as error:
                self._report_death(error, attempt)
            except self._ray.exceptions.RayError as error:
                self.error = error_document(foreign(error))
                return False
        return False

    def stop(self) -> None:
        """Stop the process at its next safe point."""
        self._stopped = True
        if self._actor is not None:
            self._actor.stop.remote()

    def kill(self) -> None:
        """Stop the process at once; its files on disk stay whole."""
        self._stopped = True
        if self._actor is not None:
            self._ray.kill(self._actor)

    def _run_once(self) -> bool:
        # two threads: one runs, the other can be told to stop
        options = {"num_cpus": 1, "max_restarts": 0, "max_concurrency": 2}
        self._actor = self._ray.remote(**options)(Worker).remote(self._place)
        run = self._actor.run.options(num_returns="streaming")
        if self._stopped:  # while it was made
            self._actor.stop.remote()
        succeeded = False
        for reference in run.remote(self._arguments):
            event = self._ray.get(reference)
            if event["event"] == _ENDED:
                succeeded, self.error = event["succeeded"], event["error"]
            else:
                self._on_event(event)
        self._ray.kill(self._actor)  # its CPU is for the next
        return succeeded

    def _report_death(self, error: Exception, attempt: int) -> None:
        name = type(error).__name__
        self.error = {"kind": "unknown", "message": f"its Ray worker died ({name})"}
        if not self._stopped and attempt < _ATTEMPTS:
            message = f"{self.error['message']}; it is tried again on another one"
            self._on_event({"event": "warning", "message": message})


class Worker:
    """A process of the cluster that runs one command in a process of its own.

    Args:
        place: what it must find.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._events: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._child: Child | None = None
        self._stopped = False

    def run(self, arguments: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield the events of the command, and at last how it ended."""
        try:
            self._refuse_another_place()
        except ArchbuildError as error:
            yield {"event": _ENDED, "succeeded": False, "error": error_document(error)}
            return
        if not self._place.counts_threads:
            os.environ.pop(_THREADS, None)
        self._child = Child(arguments, lambda e: self._events.put(dict(e)), self._place.folder)
        if self._stopped:
            self._child.stop()
        Thread(target=self._run_child, args=(self._child,), daemon=True).start()
        event: dict[str, Any] = {"event": ""}
        while event["event"] != _ENDED:
            event = self._events.get()
            yield event

    def stop(self) -> None:
        """Stop the process at its next safe point."""
        self._stopped = True
        if self._child is not None:
            self._child.stop()

    def _run_child(self, child: Child) -> None:
        succeeded, error = False, {}
        try:
            succeeded = child.run()
            error = dict(child.error)
        except OSError as refused:
            error = {"kind": "RunError", "message": f"{refused.strerror}: {refused.filename}"}
        self._events.put({"event": _ENDED, "succeeded": succeeded, "error": error})

    def _refuse_another_place(self) -> None:
        host = socket.gethostname()
        refuse_other_versions(self._place.versions, installed_versions())
        if not Path(self._place.token).exists() or not Path(self._place.folder).is_dir():
            raise RunError(
                f"{host} does not see {Path(self._place.token).parent} as the machine of the "
                "command does, or not the working directory; a sweep by Ray needs a disk that "
                "every machine of the cluster has at the same path"
            )
