"""One stage of a run: its checkpoints while it runs, its files when it is finished.

The manifest is replaced last, in one step, and names every file of the stage with its SHA-256; a
file that it does not name is not used. A process killed between any two operations therefore
leaves the stage as it was before or after the step, never between::

    checkpoint-000012.npz  ->  manifest.json (running, epoch 12)  ->  older checkpoints deleted
    final files            ->  manifest.json (finished)           ->  checkpoints deleted
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from archbuild.errors import RunError
from archbuild.io import atomic
from archbuild.io.containment import make_folder, readable, refuse_links
from archbuild.io.difference import Difference, differences
from archbuild.io.reading import START_OVER, read_json_lines, read_npz
from archbuild.runs import manifest as manifests
from archbuild.runs.checkpoints import Checkpoint, RowFiles
from archbuild.runs.manifest import MANIFEST, digest_of, digests_of, header, plain, read_manifest

HISTORY = "history.jsonl"
OWN_FILES = frozenset(
    {
        MANIFEST,
        HISTORY,
        "model.weights.h5",
        "latents.npy",
        "head.npz",
        "assignments.npy",
        "labels.npy",
    }
)
"""What a stage writes besides checkpoints; nothing else in its folder is ever deleted."""

_PASSING = ("checkpoint-*.npz", "checkpoint-*.npy", f"{atomic.TEMPORARY_PREFIX}*")
"""Patterns of the files that exist only while it runs."""

Writer = Callable[[Path], object]
Status = Literal["absent", "running", "finished"]


class StageFolder:
    """The folder of one stage, ``pretrain`` or ``cluster-kld`` for instance.

    Args:
        path: the folder; it need not exist yet.
        below: a folder above it, below which no symbolic link is followed; by default its parent.
    """

    def __init__(self, path: Path, below: Path | None = None) -> None:
        self.path = Path(path)
        self._below = self.path.parent if below is None else Path(below)
        self._header: dict[str, Any] | None = None
        self._rows = RowFiles()

    def __repr__(self) -> str:
        return f"StageFolder({str(self.path)!r})"

    @property
    def name(self) -> str:
        """The stage's name, which is the folder's."""
        return self.path.name

    def file(self, name: str) -> Path:
        """Return where the file ``name`` of this stage lies, to read it.

        Raises:
            RunError: a symbolic link leads out of the run.
        """
        return readable(self.path / name, self._below)

    def make(self) -> None:
        """Make the folder, so that files can be written to it.

        Raises:
            RunError: a symbolic link is in the way, or the system refuses.
        """
        with atomic.explained("prepare", self.path):
            make_folder(self.path, self._below)

    # -- reading ----------------------------------------------------------------------------

    def manifest(self) -> dict[str, Any] | None:
        """Read the manifest; ``None`` where there is none.

        Raises:
            RunError: it cannot be read, is damaged, or comes from a newer archbuild.
        """
        return read_manifest(self.file(MANIFEST))

    def finished_manifest(self) -> dict[str, Any]:
        """Read the manifest of a finished stage.

        Raises:
            RunError: the stage is not finished, or as :meth:`manifest`.
        """
        manifest = self.manifest()
        if manifest is None or manifest["state"] != "finished":
            raise RunError(f"the stage in {self.path} is not finished; run it to its end first")
        return manifest

    def status(self) -> Status:
        """Return the state in the manifest; :meth:`verify` compares the files with it."""
        manifest = self.manifest()
        return manifest["state"] if manifest else "absent"

    @property
    def digest(self) -> str:
        """SHA-256 over the request, the summary and the files' digests of a finished stage.

        A later stage records it as its parent's. Versions and timing are no part of it.

        Raises:
            RunError: the stage is not finished.
        """
        return digest_of(self.finished_manifest())

    def verify(self) -> None:
        """Compare every file that the manifest names with its digest.

        Raises:
            RunError: there is no manifest, or a file is missing or altered; names the file.
        """
        for error in self.verdicts().values():
            if error is not None:
                raise error

    def verdicts(self) -> dict[str, RunError | None]:
        """Return for each file of the manifest what is wrong with it; ``None`` if it is whole.

        Raises:
            RunError: there is no manifest.
        """
        manifest = self.manifest()
        if manifest is None:
            raise RunError(f"{self.path} holds no stage: there is no {MANIFEST}")
        return {name: self._verdict(name, digest) for name, digest in digests_of(manifest).items()}

    def history(self) -> list[dict[str, Any]]:
        """Return one mapping for each epoch, of a running or a finished stage.

        Raises:
            RunError: the stage is absent, or its history is missing or damaged.
        """
        manifest = self.manifest()
        if manifest and manifest["state"] == "running":
            return list(manifest["history"])
        self._verify_file(HISTORY, self.finished_manifest()["files"].get(HISTORY, ""))
        return read_json_lines(self.file(HISTORY))

    # -- comparing with a request ----------------------------------------------------------

    def compare(self, request: Mapping[str, Any]) -> list[Difference]:
        """Compare a request with the one in the manifest; empty where they agree.

        Args:
            request: what the stage depends on, as JSON: its part of the spec, the seed, the
                data's digest, the digest of the stage before. No manifest, no difference.
        """
        manifest = self.manifest()
        if manifest is None:
            return []
        return differences(manifest["request"], plain(request))

    def refuse_another(self, request: Mapping[str, Any]) -> None:
        """Make sure that the stage, if there is one, was made for this request.

        Raises:
            RunError: it was made for another; lists each difference.
        """
        changes = self.compare(request)
        if changes:
            lines = "\n".join(f"    {change}" for change in changes)
            raise RunError(
                f"{self.path} was made for another request (there -> now):\n{lines}\n"
                "  ask for what is there, choose another folder, or train again (--out and --fresh "
                "on the command line)"
            )

    def begin(
        self,
        request: Mapping[str, Any],
        *,
        versions: Mapping[str, str] | None = None,
        origin: Mapping[str, Any] | None = None,
    ) -> None:
        """Prepare the folder for a first start or for going on.

        Without a manifest whatever a stage writes is a leftover and is deleted; with one, only
        temporary files and checkpoints that it does not name are. Nothing that cannot be
        resumed is recorded yet: a stage killed before its first checkpoint stays absent.

        Args:
            request: see :meth:`compare`; stored in the manifest.
            versions: of the software, by name; stored, not compared. A checkpoint written under
                other versions keeps theirs in ``earlier_versions``.
            origin: what a model must know of its training data, as JSON; stored, not compared.

        Raises:
            RunError: the manifest holds another request; lists each difference.
        """
        self.refuse_another(request)
        manifest = self.manifest()
        with atomic.explained("prepare", self.path):
            make_folder(self.path, self._below)
            if manifest is None:
                for path in self.own_files():
                    path.unlink()
            else:
                self._sweep(manifest)
        self._header = header(self.name, request, versions or {}, manifest)
        self._header["origin"] = plain(origin or {})
        self._header["sequence"] = self._next_sequence()

    # -- writing -----------------------------------------------------------------------------

    def save_checkpoint(
        self,
        epoch: int,
        arrays: Mapping[str, np.ndarray],
        history: Sequence[Mapping[str, Any]],
        *,
        timing: Mapping[str, Any] | None = None,
    ) -> None:
        """Record a point to resume from; the one before is deleted when this one is valid.

        Args:
            epoch: how many epochs are complete, from 0.
            arrays: everything a resumed run needs, by name.
            history: one mapping for each epoch so far.
            timing: seconds and the like; stored under ``timing``.

        Raises:
            RunError: :meth:`begin` was not called, or the file cannot be written.
        """
        begun = self._begun()
        stem = self._checkpoint_stem(epoch)
        name = f"{stem}.npz"
        rest, rows = self._rows.save(stem, arrays, self.path)
        atomic.write_npz(self.path / name, rest)
        saved = {"file": name, "sha256": atomic.sha256(self.file(name))}
        manifest = begun | {
            "state": "running",
            "epoch": epoch,
            "checkpoint": saved | ({"rows": rows} if rows else {}),
            "history": list(history),
            "timing": manifests.timing(begun["timing"], "saved", timing),
        }
        self._replace_manifest(manifest)

    def load_checkpoint(self) -> Checkpoint | None:
        """Return the last valid checkpoint; ``None`` where the stage is absent or finished.

        Raises:
            RunError: the checkpoint is missing or altered; names the file.
        """
        manifest = self.manifest()
        if manifest is None or manifest["state"] == "finished":
            return None
        checkpoint = manifest["checkpoint"]
        arrays = read_npz(self._verified(checkpoint))
        arrays |= self._rows.load(checkpoint.get("rows", {}), self._verified)
        return Checkpoint(manifest["epoch"], arrays, manifest["history"], manifest["timing"])

    def finish(
        self,
        writers: Mapping[str, Writer],
        *,
        summary: Mapping[str, Any],
        history: Sequence[Mapping[str, Any]],
        timing: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the final files and declare the stage finished; then delete the checkpoints.

        Args:
            writers: for each file's name, what writes it to a given path. Equal runs should
                write equal bytes: wall-clock times belong in ``timing``.
            summary: how the stage ended, as JSON.
            history: one mapping for each epoch; becomes ``history.jsonl``.
            timing: seconds and the like; stored under ``timing``.

        Raises:
            RunError: :meth:`begin` was not called, or a file cannot be written.
        """
        begun = self._begun()
        for name, write in writers.items():
            atomic.write_atomic(self.path / name, write)
        atomic.write_json_lines(self.path / HISTORY, history)
        manifest = begun | {
            "state": "finished",
            "epoch": len(history),
            "summary": dict(summary),
            "files": {name: atomic.sha256(self.file(name)) for name in (*writers, HISTORY)},
            "timing": manifests.timing(begun["timing"], "finished", timing),
        }
        self._replace_manifest(manifest)

    def own_files(self) -> list[Path]:
        """List what the stage wrote, finished or not, and nothing that others put there."""
        known = OWN_FILES | self._named_files()
        return [
            path
            for path in sorted(self.path.iterdir())
            if path.name in known or any(map(path.match, _PASSING))
        ]

    def clear(self) -> None:
        """Delete what the stage wrote, the manifest first; an absent folder is no error.

        Files that the stage did not write stay.
        """
        with atomic.explained("clear", refuse_links(self.path, self._below)):
            if self.path.is_dir():
                own = self.own_files()
                (self.path / MANIFEST).unlink(missing_ok=True)
                atomic.flush_folder(self.path)
                for path in own:
                    path.unlink(missing_ok=True)
        self._header = None

    # -- inside ----------------------------------------------------------------------------

    def _begun(self) -> dict[str, Any]:
        if self._header is None:
            raise RunError(f"{self.path}: begin() must be called before anything is saved")
        return self._header

    def _verdict(self, name: str, expected: str) -> RunError | None:
        try:
            self._verify_file(name, expected)
        except RunError as error:
            return error
        return None

    def _verify_file(self, name: str, expected: str) -> None:
        path = self.path / name
        if Path(name).name != name or not self.file(name).is_file():
            raise RunError(f"{path} is missing, though {MANIFEST} names it; {START_OVER}")
        with atomic.explained("read", path):
            found = atomic.sha256(path)
        if found != expected:
            raise RunError(
                f"{path} is damaged: expected SHA-256 {expected[:12]}…, found {found[:12]}…; "
                f"{START_OVER}"
            )

    def _verified(self, entry: Mapping[str, str]) -> Path:
        self._verify_file(entry["file"], entry["sha256"])
        return self.file(entry["file"])

    def _checkpoint_stem(self, epoch: int) -> str:
        # never the name in the manifest: that file must stay whole until the manifest is replaced
        stem = f"checkpoint-{epoch:06d}"
        manifest = self.manifest()
        taken = manifest is not None and manifest.get("checkpoint", {}).get("file") == f"{stem}.npz"
        return f"{stem}-again" if taken else stem

    def _replace_manifest(self, manifest: dict[str, Any]) -> None:
        atomic.write_json(self.path / MANIFEST, manifest)
        with atomic.explained("tidy", self.path):
            self._sweep(manifest)

    def _sweep(self, manifest: Mapping[str, Any]) -> None:
        keep = digests_of(manifest) if manifest["state"] == "running" else {}
        for pattern in _PASSING:
            for path in sorted(self.path.glob(pattern)):
                if path.name not in keep:
                    path.unlink(missing_ok=True)

    def _next_sequence(self) -> int:
        """Return a number above those of the run's other stages: clocks may go backwards."""
        places = self.path.parent.glob(f"*/{MANIFEST}")
        others = (place.parent for place in places if place.parent != self.path)
        known = (StageFolder(path, self._below)._sequence() for path in others)
        return 1 + max(known, default=0)

    def _sequence(self) -> int:
        try:
            return manifests.sequence(self.manifest())
        except RunError:  # a damaged stage is never the latest, and keeps no other from training
            return 0

    def _named_files(self) -> set[str]:
        """Return the files that the manifest names, where it can be read."""
        try:
            manifest = self.manifest()
        except RunError:
            return set()
        return set(digests_of(manifest)) if manifest else set()
