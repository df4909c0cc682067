"""The processes of a sweep: their order, which of them run at a time, and how they are stopped."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from threading import Event, Lock
from typing import Any, Protocol

from archbuild.errors import RunError
from archbuild.experiments.sweeps.child import Child
from archbuild.experiments.sweeps.events import (
    PartEnded,
    PartReported,
    PartStarted,
    RunWaits,
    State,
    SweepEnded,
    SweepStarted,
)
from archbuild.experiments.sweeps.plan import SweepPart, SweepPlan, SweepRun
from archbuild.experiments.sweeps.sharing import share_pretrained
from archbuild.training.progress import EventHandler, Note, log_event

_IN_USE = "RunInUseError"
_RETRY_SECONDS = 2.0  # between two attempts at a run that another process holds


class Runner(Protocol):
    """The process that runs the command of a part, such as ``Child``."""

    error: Mapping[str, Any]

    def run(self) -> bool:
        """Run the command to its end; return its success."""

    def stop(self) -> None:
        """Stop it at its next safe point."""

    def kill(self) -> None:
        """Stop it at once."""


ChildMaker = Callable[[Sequence[str], Callable[[Mapping[str, Any]], None]], Runner]


class Sweep:
    """The runner of a plan.

    Args:
        plan: what is to be run.
        emit: receives the events, in any thread; by default they only go to the log.
        make_child: makes what runs a part, of its arguments and a handler of its events; by
            default a ``Child``, a process of this machine.

    Attributes:
        done: the parts that are done, those that were before included.
        failures: the reason of every part that failed.
    """

    def __init__(
        self, plan: SweepPlan, emit: EventHandler = log_event, make_child: ChildMaker | None = None
    ) -> None:
        self.plan = plan
        self.done: list[SweepPart] = []
        self.failures: dict[SweepPart, str] = {}
        self._emit, self._make_child = emit, make_child or Child
        self._children: list[Runner] = []
        self._waiting: set[SweepRun] = set()
        self._guard, self._stopping = Lock(), Event()

    def run(self, processes: int) -> None:
        """Run what is not done; continue with the others where one fails.

        Args:
            processes: number of runs at a time.

        Raises:
            KeyboardInterrupt: the user pressed Ctrl-C; every process has come to a safe point.
        """
        self._emit(SweepStarted(len(self.plan.parts)))
        with ThreadPoolExecutor(processes) as pool:
            try:
                self._run_all(pool, processes)
            except BaseException:
                self._stop_all(pool)
                raise
        self._emit(SweepEnded(len(self.done), len(self.failures)))

    def _run_all(self, pool: ThreadPoolExecutor, processes: int) -> None:
        queue = deque(self.plan.runs)
        running: dict[Future[bool], SweepRun] = {}
        while queue or running:
            while queue and len(running) < processes:
                run = queue.popleft()
                running[pool.submit(self._run_parts, run)] = run
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                run = running.pop(future)
                if not future.result():
                    queue.append(run)

    def _stop_all(self, pool: ThreadPoolExecutor) -> None:
        """Stop every process at its next safe point; a second Ctrl-C kills them."""
        with self._guard:
            self._stopping.set()
        try:
            self._emit(Note("stopping at the next safe point; Ctrl-C again stops at once"))
            for child in self._children:
                child.stop()
            pool.shutdown()
        except KeyboardInterrupt:
            for child in self._children:
                child.kill()

    def _run_parts(self, run: SweepRun) -> bool:
        """Run the parts of a run that have not ended; return ``False`` if it is in use."""
        for part in run.parts:
            ended = part in self.done or part in self.failures
            if not (ended or self._stopping.is_set() or self._run_part(run, part)):
                return False
        return True

    def _run_part(self, run: SweepRun, part: SweepPart) -> bool:
        """Run one part, if it is not done; return ``False`` if another process holds its run."""
        if part.is_done():
            self._end(run, part, "already done")
            return True
        if part.folder.in_use():
            return self._wait_for(run)
        with suppress(RunError):  # the process that follows reports it
            share_pretrained(part, self._of_seed(run.seed))
        child = self._make_child(part.arguments, lambda event: self._report(run, part, event))
        if self._may_start(child):
            self._emit(PartStarted(run.label, part.head))
            succeeded = child.run()
            if not succeeded and child.error.get("kind") == _IN_USE:
                return self._wait_for(run)
            self._end(run, part, self._state(succeeded), child.error.get("message", ""))
        return True

    def _may_start(self, child: Runner) -> bool:
        with self._guard:
            if not self._stopping.is_set():
                self._children.append(child)
            return not self._stopping.is_set()

    def _state(self, succeeded: bool) -> State:
        return "done" if succeeded else "stopped" if self._stopping.is_set() else "failed"

    def _of_seed(self, seed: int) -> Iterator[SweepPart]:
        return (part for run, part in self.plan.parts if run.seed == seed)

    def _wait_for(self, run: SweepRun) -> bool:
        """Put the run off: at first until the others have run, then for a while."""
        if run in self._waiting:
            self._stopping.wait(_RETRY_SECONDS)
        else:
            self._waiting.add(run)
            self._emit(RunWaits(run.label))
        return False

    def _report(self, run: SweepRun, part: SweepPart, event: Mapping[str, Any]) -> None:
        self._emit(PartReported(run.label, part.head, event))

    def _end(self, run: SweepRun, part: SweepPart, state: State, message: str = "") -> None:
        if state == "failed":
            self.failures[part] = message
        elif state != "stopped":
            self.done.append(part)
        scores = part.scores() if part in self.done else {}
        self._emit(PartEnded(run.label, part.head, state, message, scores))
