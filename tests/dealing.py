"""Which process of pytest-xdist runs which tests."""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling

ALONE = ("test_documents.py", "test_head_stage.py", "test_contract.py")
"""Long files whose tests share nothing: they are dealt out one by one, so that no process waits."""


class WorkOfFiles(LoadFileScheduling):
    """Deals out whole files, but for ``ALONE``.

    The mark ``xdist_group`` does less: pytest-xdist 3.8 writes groups into ids, which pytest 9.2
    no longer reads.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return nodeid if file.endswith(ALONE) else file
