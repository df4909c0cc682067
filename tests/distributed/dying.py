"""A worker that takes its machine down with it, once."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from archbuild.models.ray_workers import Batch, ReadingAnswerer

FATAL = 800
"""The row at which it dies."""
MARKER = "died"


class DyingOnce(ReadingAnswerer):
    """Kills the Ray node that it runs on, in the middle of the rows, unless one has done so."""

    def _work(self, batch: Batch) -> Batch:
        marker = Path(self._job.run).parent / MARKER
        if int(batch["start"][0]) == FATAL and not marker.exists():
            marker.touch()
            os.kill(os.getppid(), signal.SIGKILL)  # the node's own process
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._work(batch)
