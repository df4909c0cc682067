"""The environment of archbuild: the versions of its dependencies, and the start of Keras."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from archbuild.errors import UsageError
from archbuild.version import __version__

BACKENDS: Final = ("tensorflow", "jax", "torch")
"""What Keras can run on here."""
REQUIRED: Final = (
    "keras",
    "tensorflow",
    "numpy",
    "scipy",
    "scikit-learn",
    "jsonschema",
    "matplotlib",
)
OPTIONAL: Final = {
    "jax": "for --backend jax: pip install 'archbuild[jax]'",
    "torch": "for --backend torch: pip install 'archbuild[torch]'",
    "pyarrow": "for Parquet files: pip install 'archbuild[parquet]'",
    "zarr": "for zarr stores: pip install 'archbuild[zarr]'",
    "tensorboard": "for event files: pip install 'archbuild[tensorboard]'",
    "umap-learn": "for start: manifold: pip install 'archbuild[manifold]'",
    "optuna": "for sweep --search: pip install 'archbuild[search]'",
    "ray": "for --engine ray: pip install 'archbuild[ray]'",
    "tf2onnx": "to export ONNX: pip install 'archbuild[onnx]'",
}
"""Optional packages, and what each is for."""

# Reads standard input and passes everything on to stderr but the lines in which TensorFlow
# lists the hardware and libraries that it found.
_FILTER: Final = r"""
import re, sys
noise = re.compile(rb"I\d{4} [\d:.]+ +\d+ \S+\] |WARNING: All log messages before absl::Init")
for line in sys.stdin.buffer:
    if not noise.match(line):
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
"""
FLOAT32: Final = "float32"
BFLOAT16: Final = "mixed_bfloat16"
FLOAT16: Final = "mixed_float16"
PRECISIONS: Final = (FLOAT32, BFLOAT16, FLOAT16)
"""In which the layers of a network may compute while it is trained; Keras's names."""

ENDS_WITH_INPUT: Final = "ARCHBUILD_ENDS_WITH_INPUT"
"""The environment variable by which a sweep tells its processes to end with it."""

_ROOT: Final = Path(__file__).resolve().parents[1]
_ORPHANED: Final = 143  # as after SIGTERM
_FILTER_ENDS_WITHIN: Final = 5.0  # seconds

_MEMORY: Final = Path("/proc/meminfo")
_GROUP: Final = Path("/sys/fs/cgroup")

_OUT_OF_MEMORY = ("failed to map segment", "annot allocate memory", "out of memory")
"""What the system says of a library that a limit on memory keeps from being loaded."""


def end_with_input() -> None:
    """End this process with its standard input, if the process that started it asks for that.

    The system closes that pipe however the other process ends, SIGKILL included. What is on disk
    stays whole, as after any kill.
    """
    if os.environ.pop(ENDS_WITH_INPUT, None) is not None:
        end_with(sys.stdin.fileno())


def end_with(descriptor: int) -> None:
    """End this process when whoever writes to a pipe closes it, or is ended in any way.

    Args:
        descriptor: of the pipe's end that is read.
    """
    threading.Thread(target=_wait_for_end, args=(descriptor,), daemon=True).start()


def _wait_for_end(descriptor: int) -> None:
    while os.read(descriptor, 1):
        pass
    os._exit(_ORPHANED)


def versions() -> dict[str, str]:
    """Return the versions of Python, archbuild and its dependencies that are installed, by name."""
    found = {"python": platform.python_version(), "archbuild": __version__}
    return found | {
        name: number for name in (*REQUIRED, *OPTIONAL) if (number := installed(name)) is not None
    }


def installed(package: str) -> str | None:
    """Return the version of a package; ``None`` where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def python_path() -> dict[str, str]:
    """Return the environment variables by which a new process finds this very archbuild.

    ``{}`` where it is installed.
    """
    if str(_ROOT) == sysconfig.get_path("purelib"):
        return {}
    paths = [str(_ROOT), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def peak_memory() -> int | None:
    """Return the most bytes of memory that this process held; ``None`` where nobody counts."""
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def available_memory() -> int | None:
    """Return the bytes of memory that processes here may still take; ``None`` if nobody tells.

    On Linux: of the machine, or of this process's control group where that has less.
    """
    left = [_available_on_machine(), _available_in_group()]
    return min((each for each in left if each is not None), default=None)


def _available_on_machine() -> int | None:
    with suppress(OSError, ValueError, IndexError):
        for line in _MEMORY.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


def _available_in_group() -> int | None:
    with suppress(OSError, ValueError):  # without a limit it is no number
        most, used = (int((_GROUP / f"memory.{name}").read_text()) for name in ("max", "current"))
        return max(0, most - used)
    return None


def choose_backend(name: str) -> None:
    """Let Keras run on a backend, here and in processes that this one starts.

    Args:
        name: one of ``BACKENDS``; it goes before ``KERAS_BACKEND`` and Keras' configuration file.

    Raises:
        UsageError: the backend is not installed, or Keras runs on another one already.
    """
    running = _running_backend()
    if running not in (None, name):
        raise UsageError(
            f"the backend '{name}' was asked for, and Keras runs on '{running}' in this process "
            "already; the choice must come before Keras is imported: use a new process, or set "
            f"KERAS_BACKEND={name} before it starts"
        )
    if find_spec(name) is None:
        raise UsageError(
            f"the backend '{name}' is not installed: pip install 'archbuild[{name}]', or choose "
            "--backend tensorflow"
        )
    os.environ["KERAS_BACKEND"] = name


def _running_backend() -> str | None:
    """Return the backend of this process; ``None`` while Keras is not imported."""
    keras = sys.modules.get("keras")
    return None if keras is None else str(keras.backend.backend())


def start_keras() -> str:
    """Import Keras and its backend without their log; return the backend's name.

    Raises:
        UsageError: the backend that the user chose does not start.
    """
    # TensorFlow's log of what it does later, below errors
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with _without_noise_of_start():
            import keras
    except Exception as error:  # a backend may raise anything while it starts
        chosen = os.environ.get("KERAS_BACKEND")
        which = f"the backend '{chosen}'" if chosen else "its backend"
        reason = _in_one_line(error)
        if isinstance(error, MemoryError) or any(sign in reason for sign in _OUT_OF_MEMORY):
            raise UsageError(
                f"Keras does not start with {which}: {reason}; memory ran out, or a limit on it is "
                "in the way: raise it (ulimit -v), or close other programs"
            ) from error
        raise UsageError(
            f"Keras does not start with {which}: {reason}; install what is missing, "
            "or choose another backend: --backend tensorflow (or jax, or torch), "
            "or KERAS_BACKEND=tensorflow"
        ) from error
    return str(keras.backend.backend())


def has_accelerator() -> bool:
    """Return whether the backend, which is started, computes on anything but processor cores."""
    import keras

    if keras.backend.backend() == "torch":  # for which Keras has no list
        return str(keras.ops.ones(1).device) != "cpu"
    return any(not name.startswith("cpu") for name in keras.distribution.list_devices())


@contextmanager
def _without_noise_of_start() -> Iterator[None]:
    """Drop the lines that TensorFlow writes to stderr while it starts, and nothing else.

    TensorFlow writes to the file descriptor before any log level applies. The filter is a process
    of its own, so that the last lines of a library that crashes still come through.
    """
    if "keras" in sys.modules:
        yield
        return
    sys.stderr.flush()
    stderr = os.dup(2)
    command = [sys.executable, "-I", "-c", _FILTER]
    # a session of its own: Ctrl-C must not end the filter
    stderr_filter = subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=stderr, start_new_session=True
    )
    try:
        with stderr_filter.stdin as entrance:  # type: ignore[union-attr]  # it is a pipe
            os.dup2(entrance.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(stderr, 2)
        os.close(stderr)
        with suppress(subprocess.TimeoutExpired):
            stderr_filter.wait(_FILTER_ENDS_WITHIN)


def _in_one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
