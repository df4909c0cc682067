"""The folder of one run, ``saved_params/<DATASET>/<arch>/<seed>/``.

::

    spec.json                 the resolved spec
    pretrain/                 model.weights.h5  latents.npy  history.jsonl  manifest.json
    cluster-<head>/           the same, and head.npz  assignments.npy (n, k)  labels.npy (n,)
    metrics.json
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from archbuild.errors import RunError, RunInUseError
from archbuild.io import atomic
from archbuild.io.containment import make_folder, readable, refuse_links, remove_link
from archbuild.io.locks import is_locked
from archbuild.io.reading import START_OVER, guarded, read_json
from archbuild.runs.checking import read_checked
from archbuild.runs.manifest import MANIFEST
from archbuild.runs.names import is_stage
from archbuild.runs.stage import StageFolder

SAVED_PARAMS = "saved_params"

_LOCK = ".lock"
_HOLDER = ".lock-holder.json"
_LONGEST_SLUG = 100


def slug(text: str) -> str:
    """Return ``text`` as a name that is safe for a file on every system.

    Letters, digits, ``.``, ``_`` and ``-`` stay, accents are dropped, and any run of other
    characters becomes one ``-``. A name of which nothing would be left, or longer than 100
    characters, ends in eight hexadecimal digits of its own digest, so that two names differ.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip(".-")
    if 0 < len(name) <= _LONGEST_SLUG:
        return name
    return with_digest(name[:_LONGEST_SLUG] or "unnamed", text)


def with_digest(name: str, text: str) -> str:
    """Return ``name`` followed by eight hexadecimal digits of the digest of ``text``.

    Texts that are shortened to one name get different results.
    """
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{name}-{digest[:8]}"


class RunFolder:
    """The folder of one dataset, one architecture and one seed.

    Args:
        root: the folder; :meth:`locate` composes it. It need not exist yet.

    Attributes:
        path: the folder.
        out: the folder that its ``saved_params/`` is in; below it no symbolic link is followed.
    """

    def __init__(self, root: Path) -> None:
        self.path = Path(root)
        self.out = self._out()

    def _out(self) -> Path:
        if self.path.parent.parent.parent.name == SAVED_PARAMS:
            return self.path.parents[3]
        return self.path  # a run that was moved out of saved_params/

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    @classmethod
    def locate(cls, out: Path, dataset: str, arch: str, seed: int) -> RunFolder:
        """Return the run folder below ``out``; names are made file-safe, nothing is created."""
        return cls(Path(out) / SAVED_PARAMS / slug(dataset) / slug(arch) / str(seed))

    @property
    def spec_path(self) -> Path:
        """The path of the resolved spec."""
        return self.path / "spec.json"

    @property
    def metrics_path(self) -> Path:
        """The path of the metrics."""
        return self.path / "metrics.json"

    @property
    def lock_paths(self) -> tuple[Path, ...]:
        """The paths of the lock, and of the file that names the process that holds it."""
        return self.path / _LOCK, self.path / _HOLDER

    @property
    def n_clusters_path(self) -> Path:
        """The path of the number of clusters that the latents suggest."""
        return self.path / "n_clusters.json"

    def stage(self, name: str) -> StageFolder:
        """Return the folder of the stage ``name``, present or not."""
        return StageFolder(self.path / slug(name), self.out)

    def stages(self) -> tuple[str, ...]:
        """Return the names of the stages that have a manifest, ``pretrain`` first."""
        names = (path.parent.name for path in self.path.glob(f"*/{MANIFEST}"))
        return tuple(sorted(filter(is_stage, names), key=lambda name: (name != "pretrain", name)))

    def write_spec(self, spec: Mapping[str, Any]) -> None:
        """Write the resolved spec, a JSON mapping; raises ``RunError`` where it cannot."""
        refuse_links(self.path, self.out)
        atomic.write_json(self.spec_path, spec)

    def read_spec(self) -> dict[str, Any]:
        """Read the resolved spec.

        Raises:
            RunError: it is missing or damaged.
        """
        if not self.spec_path.is_file():
            raise RunError(f"{self.path} holds no run: there is no spec.json; train one first")
        spec = read_json(readable(self.spec_path, self.out))
        if not isinstance(spec, dict):
            raise RunError(
                f"{self.spec_path} is damaged (expected a mapping, got a {type(spec).__name__}); "
                f"{START_OVER}"
            )
        return spec

    def read_metrics(self) -> dict[str, Any]:
        """Read ``metrics.json``: ``rows``, and ``sources`` with the digests of what was measured.

        Raises:
            RunError: it is missing or damaged.
        """
        return read_checked(readable(self.metrics_path, self.out), "metrics")

    def read_n_clusters(self) -> dict[str, Any]:
        """Read ``n_clusters.json``: what was suggested, and under ``source`` for which latents.

        Raises:
            RunError: it is missing or damaged.
        """
        return read_checked(readable(self.n_clusters_path, self.out), "n_clusters")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep every other process out of this run while the block lasts.

        The lock is the operating system's: it ends with the process, however that ends.

        Raises:
            RunInUseError: at once, where another process holds it; names its pid and start time.
            RunError: the folder cannot be written.
        """
        from filelock import FileLock, Timeout

        with atomic.explained("lock", self.path):
            make_folder(self.path, self.out)
            remove_link(self.path / _LOCK)
            lock = FileLock(self.path / _LOCK, timeout=0)
            try:
                lock.acquire()
            except Timeout as error:
                raise RunInUseError(self._held()) from error
        try:
            atomic.write_json(self.path / _HOLDER, {"pid": os.getpid(), "started": _now()})
            yield
        finally:
            with suppress(OSError):
                (self.path / _HOLDER).unlink(missing_ok=True)
            lock.release()

    def in_use(self) -> bool:
        """Return whether a process works in this run; nothing is written."""
        return is_locked(self.path / _LOCK)

    def _held(self) -> str:
        try:
            with guarded(self.path):
                holder = read_json(readable(self.path / _HOLDER, self.out))
                who = f"process {holder['pid']}, started {holder['started']}"
        except RunError:  # it has only just been taken
            who = "another process"
        return (
            f"{self.path} is in use by {who}; wait for it to end, or choose another --seed or --out"
        )


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def beside(run: RunFolder, kind: str) -> Path:
    """Return the folder of what a run keeps beside its own, its pictures for instance.

    ``<out>/<kind>/<DATASET>/<arch>/<seed>``; of a run that was moved out of ``saved_params/``,
    ``<kind>`` inside its own folder.
    """
    *_, place, dataset, arch, seed = ("", "", "", "", *run.path.parts)
    if place != SAVED_PARAMS:
        return run.path / kind
    return run.path.parents[3] / kind / dataset / arch / seed
