"""Tables as float32, a part at a time."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from archbuild.data import dataset, spill
from archbuild.data.formats.tables import narrow
from archbuild.data.formats.tables.narrow import as_narrow

STATUS = Path("/proc/self/status")


def pages_of_files() -> int:
    """Return the bytes of files that the system counts as this program's memory."""
    found = re.search(r"RssFile:\s+(\d+) kB", STATUS.read_text())
    return int(found[1]) * 1024


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux tells")
def test_no_part_stays_in_memory_while_the_next_is_looked_at(monkeypatch):
    monkeypatch.setattr(spill, "IN_MEMORY", 100)
    monkeypatch.setattr(dataset, "_CHUNK_BYTES", 2**20)
    values = spill.room_for((16 * 2**17, 1), np.float64, "x")
    values[:] = 1.5
    spill.release(values)
    before, seen = pages_of_files(), []

    def looked_at(parts):
        for part in parts:
            part.sum()
            seen.append(pages_of_files() - before)
        return False

    monkeypatch.setattr(narrow, "needs_double", looked_at)
    found = as_narrow(values, Path("x"))
    assert found.dtype == np.float32
    assert spill.is_mapped(found)
    assert len(seen) == 16
    assert max(seen) < 4 * 2**20
