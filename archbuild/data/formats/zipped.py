"""Zip archives: what their directory declares is checked before a member is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final

from archbuild.data.limits import FREE_BYTES, MOST_TIMES, check_declared
from archbuild.errors import DataError

MOST_MEMBERS: Final = 100_000
"""Of an archive; OMNIGLOT, which has most, has 33,000."""


def check_members(
    archive: zipfile.ZipFile,
    path: Path,
    most: int = MOST_MEMBERS,
    free: int = FREE_BYTES,
    times: int = MOST_TIMES,
) -> None:
    """Refuse an archive that declares more members, or more bytes, than honest ones have.

    Args:
        archive: that is open.
        path: of its file.
        most: members.
        free: bytes that it may unpack to whatever is stored.
        times: how many times more than is stored it may unpack to.

    Raises:
        DataError: it does.
    """
    members = archive.infolist()
    if len(members) > most:
        raise DataError(
            f"{path} is an archive of {len(members):,} files; at most {most:,} are expected, so it "
            "is another file, or damaged: copy it again"
        )
    # members may overlap, so that each counts the same bytes as its own
    stored = min(path.stat().st_size, sum(info.compress_size for info in members))
    check_declared(
        sum(info.file_size for info in members), stored, f"{path}, unpacked,", times, free
    )
