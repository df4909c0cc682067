from __future__ import annotations

import socket
import sys

import pytest

from archbuild import ray_cluster
from archbuild.errors import (
    ArchbuildError,
    DivergenceError,
    Problem,
    RunInUseError,
    SpecError,
    TrainingError,
    UsageError,
    UserError,
)
from archbuild.ray_cluster import connected, error_document, error_of, refuse_other_versions


def enter(address: str) -> None:
    with connected(address):
        raise AssertionError("there is no such cluster")


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"pip install 'archbuild\[ray\]'"):
        enter("127.0.0.1:6379")


def test_an_address_where_nobody_listens_is_refused_at_once():
    pytest.importorskip("ray")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(UsageError, match=f"no Ray cluster answers at 127.0.0.1:{port}"):
            enter(f"127.0.0.1:{port}")
    with pytest.raises(UsageError, match="no Ray cluster answers at here:port"):
        enter("here:port")


def test_a_driver_outside_the_cluster_is_told_to_submit_the_command():
    pytest.importorskip("ray")
    with pytest.raises(UsageError, match="ray job submit"):
        enter("ray://head:10001")


def test_a_worker_with_other_versions_is_refused():
    here = {"backend": "tensorflow", "archbuild": "1", "tensorflow": "2"}
    refuse_other_versions(dict(here), here)
    there = {"backend": "jax", "archbuild": "0", "jax": "3"}
    with pytest.raises(UsageError) as refused:
        refuse_other_versions(there, here)
    for words in ("backend tensorflow (not jax)", "archbuild 1 (not 0)", "jax missing (not 3)"):
        assert words in str(refused.value)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RunInUseError("held"), RunInUseError),
        (UsageError("wrong"), UsageError),
        (SpecError([Problem("wrong")]), UserError),
        (DivergenceError("loss", "pretrain", 1, 2, "Lower it."), TrainingError),
        (ArchbuildError("failed"), ArchbuildError),
    ],
)
def test_an_error_comes_back_as_its_kind_or_the_nearest(error, kind):
    back = error_of(error_document(error))
    assert type(back) is kind
    assert str(back) == str(error)


def test_what_is_no_error_of_archbuild_has_its_last_line_and_advice():
    error = ray_cluster.foreign(RuntimeError("Traceback\n  File x\nValueError: odd number\n"))
    assert "a Ray worker failed: ValueError: odd number; see the workers' logs" in str(error)
    missing = ray_cluster.foreign(RuntimeError("ModuleNotFoundError: No module named 'archbuild'"))
    assert "install archbuild[ray] on every machine" in str(missing)


def test_versions_are_compared_by_what_is_installed():
    assert {"archbuild", "keras", "numpy", "tensorflow"} <= ray_cluster.installed_versions().keys()
