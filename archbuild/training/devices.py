"""Training spread over devices: several of this host, or those of several processes.

Each step sees the whole batch: every device has its part of the rows and all of the weights, and
what a loss computes of the batch (means, moments, frequencies) XLA sums over all of them. Between
two calls of the training loop every process holds the same weights on its own first device, so
whatever looks at all rows is computed as without devices; the rows are then encoded in shares.

This is for JAX, with Keras' and JAX's own means (``keras.distribution.DataParallel``,
``jax.distributed``). What one process decides for all is broadcast as bytes: JAX's own broadcast
would round float64 to float32.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from archbuild.errors import UsageError
from archbuild.io.documents import json_text

_current: list[Devices] = []


class Devices:
    """The devices that a batch is spread over.

    Args:
        count: how many of this host; ``None``: all that JAX knows, of every process.

    Attributes:
        count: how many there are, of all processes.
        processes: how many processes take part.
        process: the number of this one, from 0.

    Raises:
        UsageError: there are fewer.
    """

    def __init__(self, count: int | None = None) -> None:
        import keras

        jax = _jax()
        names = keras.distribution.list_devices()
        if count is not None and count > len(names):
            raise UsageError(
                f"--devices {count}: JAX finds {len(names)} here ({', '.join(names)}); ask for no "
                "more (JAX_NUM_CPU_DEVICES=N in the environment makes N of one processor)"
            )
        parallel = keras.distribution.DataParallel(devices=names[:count])
        mesh = parallel.device_mesh.backend_mesh
        self._split = jax.sharding.NamedSharding(
            mesh, jax.sharding.PartitionSpec(parallel.batch_dim_name)
        )
        self._whole = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
        self.count = int(mesh.size)
        self.processes, self.process = int(jax.process_count()), int(jax.process_index())

    @property
    def several_hosts(self) -> bool:
        """True if other processes take part."""
        return self.processes > 1

    # -- batches and weights ---------------------------------------------------------------

    def part(self, size: int) -> slice:
        """Return the rows of a batch of ``size`` that this process reads.

        A batch that the devices cannot share evenly, such as an epoch's last, each has whole.
        """
        if size % self.count:
            return slice(0, size)
        each = size // self.processes
        return slice(self.process * each, (self.process + 1) * each)

    def spread_rows(self, rows: np.ndarray, size: int) -> Any:
        """Return the part of this process as the rows of the batch of ``size``, on all devices."""
        layout = self._whole if size % self.count else self._split
        return _jax().make_array_from_process_local_data(layout, np.asarray(rows))

    def on_all(self, value: Any) -> Any:
        """Return a value that every process has as an array of which every device has all."""
        return _jax().make_array_from_process_local_data(self._whole, np.asarray(value))

    # -- between processes -----------------------------------------------------------------

    def gathered(self, rows: np.ndarray) -> np.ndarray:
        """Return the arrays of all processes, ``(processes, *rows.shape)``, all of one shape."""
        if not self.several_hosts:
            return rows[np.newaxis]
        from jax.experimental import multihost_utils

        rows = np.ascontiguousarray(rows)
        found = np.asarray(multihost_utils.process_allgather(rows.reshape(-1).view(np.uint8)))
        return found.reshape(self.processes, -1).view(rows.dtype).reshape(-1, *rows.shape)

    def broadcast(self, payload: bytes) -> bytes:
        """Return the bytes of the first process."""
        if not self.several_hosts:
            return payload
        from jax.experimental import multihost_utils

        size = int(multihost_utils.broadcast_one_to_all(np.int32(len(payload))))
        sent = np.zeros(size, np.uint8)
        if self.process == 0:
            sent[:] = np.frombuffer(payload, np.uint8)
        return np.asarray(multihost_utils.broadcast_one_to_all(sent)).astype(np.uint8).tobytes()

    def agreed_arrays(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the arrays of the first process."""
        if not self.several_hosts:
            return dict(arrays)
        written = io.BytesIO()
        if self.process == 0:
            np.savez(written, **arrays)  # type: ignore[arg-type]  # a name may be any word
        with np.load(io.BytesIO(self.broadcast(written.getvalue())), allow_pickle=False) as found:
            return dict(found)

    def agreed(self, document: Any) -> Any:
        """Return the JSON document of the first process."""
        if not self.several_hosts:
            return document
        return json.loads(self.broadcast(json_text(document).encode()))


def _jax() -> Any:
    """Return the module, which is there where Keras runs on it; some of it has no types."""
    import jax

    return jax


def use(devices: Devices | None) -> None:
    """Spread training over devices from now on, or no longer."""
    _current[:] = [] if devices is None else [devices]


def current() -> Devices | None:
    """Return the devices that training is spread over; ``None``: it is not."""
    return _current[0] if _current else None


def refuse_uneven(batch_size: int) -> None:
    """Make sure that the devices can share a batch evenly.

    Raises:
        UsageError: they cannot.
    """
    devices = current()
    if devices is None or batch_size % devices.count == 0:
        return
    count = devices.count
    lower = batch_size // count * count
    sizes = [str(size) for size in (lower, lower + count) if size]
    raise UsageError(
        f"batch_size is {batch_size}, and {count} devices cannot share it evenly; set "
        f"--set batch_size={' or '.join(sizes)}"
    )
