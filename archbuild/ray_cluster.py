"""A Ray cluster that somebody runs: the way in, what its workers must have, and errors back.

Ray is imported when it is asked for, and nothing is started: a cluster has its own keeper.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Final

from archbuild import errors
from archbuild.environment import python_path, start_keras, versions
from archbuild.errors import ArchbuildError, UsageError

AUTO: Final = "auto"
"""The address by which Ray looks for the cluster itself: ``$RAY_ADDRESS``, or one on this host."""

_REACHED_WITHIN: Final = 10.0  # seconds
_PASSED_ON: Final = (
    "ARCHBUILD_DATA",
    "KERAS_BACKEND",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)
"""Environment variables that rows and numbers may depend on."""

_COMPARED: Final = ("archbuild", "keras", "numpy")
_INSTALLED: Final = (*_COMPARED, "jax", "scikit-learn", "scipy", "tensorflow", "torch")
_KINDS: Final = {
    kind.__name__: kind
    for kind in (
        errors.ArchbuildError,
        errors.UserError,
        errors.UsageError,
        errors.DataError,
        errors.PluginError,
        errors.RunError,
        errors.RunInUseError,
        errors.TrainingError,
    )
}
"""The errors that can be made from their text alone."""

_START = (
    "start one with 'ray start --head', and 'ray start --address=HOST:6379' on every other "
    "machine, or check the address"
)


@contextmanager
def connected(address: str = AUTO) -> Iterator[ModuleType]:
    """Be a driver of the cluster while the block lasts; gives the module ``ray``.

    Args:
        address: ``HOST:PORT`` of the cluster's head, ``auto``, or ``local`` for a cluster of this
            machine alone that ends with the block.

    Raises:
        UsageError: Ray is not installed, there is no cluster, or it runs other versions.
        ArchbuildError: a worker failed in a way that is no error of archbuild.
    """
    ray = _imported()
    _refuse_unreachable(address)
    _connect(ray, address)
    try:
        yield ray
    except ray.exceptions.RayError as error:
        raise foreign(error) from error
    finally:
        ray.shutdown()


def known_versions() -> dict[str, str]:
    """Start Keras; return what the answers depend on: the backend, and versions by name."""
    backend = start_keras()
    found = versions()
    return {"backend": backend, **{name: found[name] for name in (*_COMPARED, backend)}}


def installed_versions() -> dict[str, str]:
    """Return the versions that trained runs depend on, by name, without starting Keras."""
    found = versions()
    return {name: found[name] for name in _INSTALLED if name in found}


def refuse_other_versions(expected: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Make sure that a worker has the versions of the machine of the command.

    Args:
        expected: what ``known_versions`` or ``installed_versions`` gave there.
        found: what the same gives here.

    Raises:
        UsageError: a version differs; names all that do.
    """
    differing = [
        f"{name} {found.get(name, 'missing')} (not {wanted})"
        for name, wanted in expected.items()
        if found.get(name) != wanted
    ]
    if differing:
        raise UsageError(
            f"a worker on {socket.gethostname()} has {', '.join(differing)}, so its results could "
            "differ from the local ones; install the same versions on every machine of the cluster"
        )


def deaths(ray: ModuleType) -> tuple[type[Exception], ...]:
    """Return the errors by which Ray tells that a process or a machine is gone."""
    known = ray.exceptions
    return (
        known.RayActorError,
        known.WorkerCrashedError,
        known.NodeDiedError,
        known.ObjectLostError,
        known.OwnerDiedError,
    )


def free_cpus(ray: ModuleType) -> int:
    """Return the number of CPUs of the cluster that nobody uses, at least 1."""
    return max(1, int(ray.available_resources().get("CPU", 1)))


def error_document(error: ArchbuildError) -> dict[str, str]:
    """Return an error as texts, since exceptions do not all survive pickling."""
    kind = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _KINDS)
    return {"kind": kind, "message": str(error)}


def error_of(document: Mapping[str, str]) -> ArchbuildError:
    """Return the error that ``error_document`` was called on, or the nearest of its kind."""
    return _KINDS[document["kind"]](document["message"])


def _imported() -> ModuleType:
    # Ray tells its makers about every cluster that is started, unless it is told not to
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise UsageError(
            f"--engine ray needs Ray ({error}); install it, here and on every machine of the "
            "cluster, with: pip install 'archbuild[ray]'"
        ) from error
    module: ModuleType = ray
    return module


def _refuse_unreachable(address: str) -> None:
    """Make sure that somebody listens there; Ray itself would try for a minute."""
    if "://" in address:
        raise UsageError(
            f"--address {address}: expected HOST:PORT of the cluster's head, auto or local; from "
            "outside the cluster, submit the command to it: ray job submit --address=http://"
            "HOST:8265 -- archbuild ..."
        )
    host, _, port = address.rpartition(":")
    if not host:
        return
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _REACHED_WITHIN):
            return
    except (OSError, ValueError, OverflowError) as error:
        raise UsageError(f"no Ray cluster answers at {address} ({error}); {_START}") from error


def _connect(ray: ModuleType, address: str) -> None:
    options = {"include_dashboard": False} if address == "local" else {}
    try:
        ray.init(
            address=address,
            runtime_env={"env_vars": _worker_environment()},
            log_to_driver=False,
            logging_level=logging.ERROR,
            **options,
        )
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        with suppress(Exception):  # what is half connected
            ray.shutdown()
        raise UsageError(
            f"no Ray cluster can be used at {address}: {_in_one_line(error)}; {_START}"
        ) from error


def _worker_environment() -> dict[str, str]:
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {"TF_CPP_MIN_LOG_LEVEL": "3", **passed, **python_path()}


def foreign(error: Exception) -> ArchbuildError:
    """Return an error for what a worker raised that is none of archbuild's."""
    said = _in_one_line(error)
    advice = "see the workers' logs, in /tmp/ray/session_latest/logs on their machines"
    if "No module named" in said:
        advice = "install archbuild[ray] on every machine of the cluster, in the same version"
    return ArchbuildError(f"a Ray worker failed: {said}; {advice}")


def _in_one_line(error: BaseException) -> str:
    """Return the end of a text, where a worker's traceback names the exception."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:400]
