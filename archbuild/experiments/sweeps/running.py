"""The processes of a sweep: which is next, which may run side by side, and how all are stopped."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial
from threading import Event, Lock
from typing import Any, Literal

from archbuild.errors import RunError
from archbuild.experiments.sweeps.child import Child
from archbuild.experiments.sweeps.plan import Part, Plan, Run
from archbuild.experiments.sweeps.sharing import share_pretrained

State = Literal["done", "already done", "failed", "stopped"]

_IN_USE = "RunInUseError"
_PATIENCE = 2.0  # seconds between two looks at runs that other processes hold


class Listener:
    """Hears of every part and of every event of its process, in any thread; this one ignores it."""

    def begins(self, run: Run, part: Part) -> None:
        """Return the part's process starts."""

    def hears(self, run: Run, part: Part, event: dict[str, Any]) -> None:
        """Its process tells something."""

    def ends(self, run: Run, part: Part, state: State, message: str) -> None:
        """Show that a part has ended or is skipped; ``message`` is the reason of a failure."""

    def waits(self, run: Run) -> None:
        """Another process holds the run, which is looked at again later; said once."""

    def stops(self) -> None:
        """Every process is asked to stop at its next safe point."""


class Sweep:
    """Runs a plan.

    Args:
        plan: what is to be run.
        listener: hears of it.

    Attributes:
        done: the parts that are, those that were already included.
        failures: what was the matter with the others.
    """

    def __init__(self, plan: Plan, listener: Listener) -> None:
        self.plan = plan
        self.done: list[Part] = []
        self.failures: dict[Part, str] = {}
        self._listener = listener
        self._children: list[Child] = []
        self._waiting: set[Run] = set()
        self._guard, self._stopping = Lock(), Event()

    def run(self, processes: int) -> None:
        """Run what is not done; continue with the others where one fails.

        Args:
            processes: number of runs at a time.

        Raises:
            KeyboardInterrupt: the user pressed Ctrl-C; every process has come to a safe point.
        """
        with ThreadPoolExecutor(processes) as pool:
            try:
                self._run_all(pool, processes)
            except BaseException:
                self._stop_all(pool)
                raise

    def _run_all(self, pool: ThreadPoolExecutor, processes: int) -> None:
        queue = deque(self.plan.runs)
        running: dict[Future[bool], Run] = {}
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
            self._listener.stops()
            for child in self._children:
                child.stop()
            pool.shutdown()
        except KeyboardInterrupt:
            for child in self._children:
                child.kill()

    def _run_parts(self, run: Run) -> bool:
        """Run what is left of a run; ``False`` where another process holds it."""
        for part in run.parts:
            settled = part in self.done or part in self.failures
            if not (settled or self._stopping.is_set() or self._run_part(run, part)):
                return False
        return True

    def _run_part(self, run: Run, part: Part) -> bool:
        """Run one part, if it is not done; as ``_run_parts``."""
        if part.is_done():
            self._end(run, part, "already done")
            return True
        if part.folder.in_use():
            return self._wait_for(run)
        with suppress(RunError):  # the process that follows says what is the matter
            share_pretrained(part, self._of_seed(run.seed))
        child = Child(part.arguments, partial(self._listener.hears, run, part))
        if self._may_start(child):
            self._listener.begins(run, part)
            good = child.run()
            if not good and child.error.get("kind") == _IN_USE:
                return self._wait_for(run)
            self._end(run, part, self._state(good), child.error.get("message", ""))
        return True

    def _may_start(self, child: Child) -> bool:
        with self._guard:
            if not self._stopping.is_set():
                self._children.append(child)
            return not self._stopping.is_set()

    def _state(self, good: bool) -> State:
        return "done" if good else "stopped" if self._stopping.is_set() else "failed"

    def _of_seed(self, seed: int) -> Iterator[Part]:
        return (part for run, part in self.plan.parts if run.seed == seed)

    def _wait_for(self, run: Run) -> bool:
        """Come back to it: when there is nothing else to do, after a while."""
        if run in self._waiting:
            self._stopping.wait(_PATIENCE)
        else:
            self._waiting.add(run)
            self._listener.waits(run)
        return False

    def _end(self, run: Run, part: Part, state: State, message: str = "") -> None:
        if state == "failed":
            self.failures[part] = message
        elif state != "stopped":
            self.done.append(part)
        self._listener.ends(run, part, state, message)
