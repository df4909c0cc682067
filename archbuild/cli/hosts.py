"""Training on several devices and hosts: the options, and how this process joins the others."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from archbuild.cli.ending import report
from archbuild.cli.numbers import Whole
from archbuild.cli.options import gathered, with_options
from archbuild.environment import end_with
from archbuild.errors import PeerLostError, UsageError

if TYPE_CHECKING:
    from archbuild.training.devices import Devices

_FIRST_WITHIN: Final = 300  # seconds in which all processes have to be there
_SILENT_FOR: Final = 20  # seconds after which a process that says nothing counts as gone
_LOST: Final = (
    "another process of this training has ended, or cannot be reached; the last finished epoch is "
    "saved by the first process: start the same commands again, and they go on from there"
)
_ONLY_JAX: Final = {
    "tensorflow": "each device of TensorFlow would see its part of a batch alone, and what a loss "
    "or a normalisation computes of the whole batch would be another number",
    "torch": "Keras spreads no batch over devices with PyTorch",
}


@dataclass(frozen=True)
class Hosts:
    """The devices and processes that train together.

    Attributes:
        devices: how many of this host; ``None``: all, where several processes train.
        coordinator: address and port of the first process.
        num_processes: how many processes there are.
        process_id: the number of this one, from 0.
        distributed: whether JAX finds the three above, under Slurm or Kubernetes.
    """

    devices: int | None = None
    coordinator: str | None = None
    num_processes: int | None = None
    process_id: int | None = None
    distributed: bool = False

    @property
    def several(self) -> bool:
        """True if several processes train together."""
        return self.distributed or self.coordinator is not None

    @property
    def asked(self) -> bool:
        """True if any of the options is given."""
        return self != Hosts()

    def refuse_incomplete(self) -> None:
        """Make sure that the options go together.

        Raises:
            UsageError: they do not.
        """
        if self.several and self.devices is not None:
            raise UsageError(
                "--devices counts devices of one host; several processes use all that each sees "
                "(CUDA_VISIBLE_DEVICES says which)"
            )
        named = (self.coordinator, self.num_processes, self.process_id)
        if not self.distributed and None in named and any(each is not None for each in named):
            raise UsageError(
                "--coordinator, --num-processes and --process-id belong together: give all three, "
                "or --distributed where Slurm or Kubernetes knows them"
            )
        if self.process_id is not None and self.process_id >= (self.num_processes or 0):
            raise UsageError(
                f"--process-id {self.process_id}: of {self.num_processes} processes the first is 0 "
                f"and the last {(self.num_processes or 1) - 1}"
            )


_OPTIONS: Final = (
    click.option(
        "--devices",
        type=Whole(1, 4096),
        metavar="N",
        help="Number of devices of this host that share each batch; with --backend jax.",
    ),
    click.option(
        "--coordinator",
        envvar="KERAS_DISTRIBUTION_JOB_ADDRESSES",
        metavar="HOST:PORT",
        help="Address of the first of several processes that train together.",
    ),
    click.option(
        "--num-processes",
        type=Whole(1, 100_000),
        envvar="KERAS_DISTRIBUTION_NUM_PROCESSES",
        metavar="N",
        help="Number of processes that train together.",
    ),
    click.option(
        "--process-id",
        type=Whole(0, 100_000),
        envvar="KERAS_DISTRIBUTION_PROCESS_ID",
        metavar="I",
        help="Number of this process, from 0.",
    ),
    click.option(
        "--distributed",
        is_flag=True,
        help="Processes that train together as Slurm or Kubernetes has started them.",
    ),
)


def hosts_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options, and pass them as ``hosts``."""
    return with_options(gathered(Hosts, "hosts")(command), _OPTIONS)


@contextmanager
def together(hosts: Hosts) -> Iterator[Devices]:
    """Join the other processes, and spread training over the devices of all until the block ends.

    JAX ends a process by SIGABRT when it loses another one for long. So the work is done by a child
    of this process, and this one only says what has happened.

    Raises:
        UsageError: the options do not go together, or Keras does not run on JAX.
    """
    from archbuild.training import devices

    hosts.refuse_incomplete()
    _go_on_in_child()
    try:
        refuse_other_backends()
        with _lost_peers_named(), _nothing_on_stdout():
            _join(hosts)
            found = devices.Devices()
            found.broadcast(b"")
        devices.use(found)
        with _lost_peers_named():
            yield found
        _end(0)
    except BaseException as error:
        # JAX would wait for the other processes when Python ends
        _end(report(error))


def refuse_other_backends() -> None:
    """Start Keras, and make sure that it runs on JAX.

    Raises:
        UsageError: it does not.
    """
    from archbuild.environment import start_keras

    backend = start_keras()
    if backend != "jax":
        raise UsageError(
            f"several devices need --backend jax, and Keras runs on {backend}: {_ONLY_JAX[backend]}"
        )


def part_from_others() -> None:
    """Let the other processes end, which have no more to do."""
    from jax import distributed
    from jax.experimental import multihost_utils

    from archbuild.training import devices

    multihost_utils.sync_global_devices("archbuild: trained")
    devices.use(None)
    leave: Callable[[], None] = distributed.shutdown
    leave()


@contextmanager
def own_folder(found: Devices, out: Path) -> Iterator[Path]:
    """Yield where this process may write: in ``out`` the first, the others in a temporary folder.

    What the others print on standard output is dropped.
    """
    if found.process == 0:
        yield out
        return
    folder = Path(tempfile.mkdtemp(prefix="archbuild-"))
    printed = sys.stdout
    try:
        with open(os.devnull, "w") as nowhere:
            sys.stdout = nowhere
            yield folder
    finally:
        sys.stdout = printed
        shutil.rmtree(folder, ignore_errors=True)


def share_folder(found: Devices, folder: Path) -> None:
    """Give every process the files of a folder as the first has them."""
    from archbuild.io.packing import packed, unpacked

    payload = found.broadcast(packed(folder) if found.process == 0 else b"")
    if found.process:
        unpacked(payload, folder)


def _join(hosts: Hosts) -> None:
    import jax

    named: dict[str, Any] = {}
    if not hosts.distributed:
        named = {
            "coordinator_address": str(hosts.coordinator).split(",")[0],
            "num_processes": hosts.num_processes,
            "process_id": hosts.process_id,
        }
    try:
        jax.distributed.initialize(
            **named, initialization_timeout=_FIRST_WITHIN, heartbeat_timeout_seconds=_SILENT_FOR
        )
    except ValueError as error:
        raise UsageError(
            f"JAX does not find the processes that train together: {error}; name them with "
            "--coordinator, --num-processes and --process-id"
        ) from error


@contextmanager
def _lost_peers_named() -> Iterator[None]:
    import jax

    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        raise PeerLostError(_LOST) from error


@contextmanager
def _nothing_on_stdout() -> Iterator[None]:
    """Keep what libraries print from the results: Gloo does so when processes first meet."""
    sys.stdout.flush()
    stdout, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
        os.close(nowhere)


def _go_on_in_child() -> None:
    """Return in a child process; this one waits for it, and ends as it has."""
    if not hasattr(os, "fork"):
        return  # on Windows JAX speaks for itself
    sys.stdout.flush()
    sys.stderr.flush()
    ending, held = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(held)
        end_with(ending)
        return
    os.close(ending)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the child has it too, and stops
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    _, state = os.waitpid(child, 0)
    status = os.waitstatus_to_exitcode(state)
    if status == -signal.SIGABRT:
        status = report(PeerLostError(_LOST))
    _end(status if status >= 0 else 128 - status)


def _end(status: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
