"""A Ray cluster of this machine: a head without CPUs, and two workers of one CPU each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

STORE = 100 * 2**20  # bytes of each node's object store

NODE = {"include_dashboard": False, "object_store_memory": STORE}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The cluster, which ends with the module's tests."""
    pytest.importorskip("ray", reason="the extra 'ray' is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_worker_niceness", "0")  # else a busy machine lets workers wait
        from ray.cluster_utils import Cluster

        # a machine that is gone is missed after eight seconds, not fifteen
        quick = {"health_check_period_ms": 1000, "health_check_failure_threshold": 8}
        head = {**NODE, "num_cpus": 0, "_system_config": quick}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            yield cluster
        finally:
            cluster.shutdown()


@pytest.fixture
def address(started: Any) -> str:
    """The address of the cluster, which has two workers, whatever another test has killed."""
    for node in list(started.worker_nodes):
        if not node.any_processes_alive() or node.dead_processes():
            started.remove_node(node, allow_graceful=False)
    while len(started.worker_nodes) < 2:
        started.add_node(num_cpus=1, **NODE)
    return str(started.address)
