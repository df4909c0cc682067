"""Ask whether a file is locked, without a trace."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)  # to open a pipe may take for ever


def is_locked(path: Path) -> bool:
    """Return whether another process holds the lock that ``filelock`` takes on a file.

    The file is opened for reading, never made or changed; a symbolic link there is no lock. A
    file that cannot be opened counts as unlocked.
    """
    if path.is_symlink():
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_LINK | _NO_WAIT)
    except OSError:
        return False
    try:
        return not _can_be_shared(descriptor)
    finally:
        os.close(descriptor)  # which also gives the lock back


if sys.platform == "win32":

    def _can_be_shared(descriptor: int) -> bool:
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        except OSError:
            return False
        return True

else:

    def _can_be_shared(descriptor: int) -> bool:
        """Take the lock shared, which others may do at once; under a holder it fails."""
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
