"""Run folders from a stranger: files of a small run that are cut, swapped, forged, or links."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Final

from benchmarks.attack.attacks import Attack, Broken, Case

_SPEC: Final = {
    "spec_version": 1,
    "name": "tiny",
    "batch_size": 20,
    "layers": [
        {"type": "Input", "output_shape": [3]},
        {"type": "Dense", "num_units": 4},
        {"type": "Dense", "num_units": 2},
    ],
    "head": {"type": "kld", "n_clusters": 2, "start": "k-means"},
    "pretrain": {"epochs": 1},
    "cluster": {"epochs": 1},
}
RUN: Final = "saved_params/rows/tiny/0"
"""The run in the folder that is tampered with."""
_FILES: Final = (
    *("spec.json", "metrics.json", "pretrain/manifest.json", "cluster-kld/manifest.json"),
    *("pretrain/history.jsonl", "cluster-kld/history.jsonl", "pretrain/latents.npy"),
    *("cluster-kld/head.npz", "cluster-kld/labels.npy", "cluster-kld/assignments.npy"),
    *("cluster-kld/model.weights.h5", "pretrain/model.weights.h5", ".lock", "cluster-kld/new.json"),
)
_OTHER_PLACES: Final = ("", "pretrain", "cluster-kld", "..", "../..", "../../..")
_LOOKING: Final = (["runs"], ["runs", "--json"], ["clean", "--dry-run"])
_MODELS: Final = (
    ["predict", "--run", RUN, "-d", "rows.csv"],
    ["predict", "--run", RUN, "-d", "rows.csv", "--latent", "--output", "answers.csv"],
    ["export", "--run", RUN, "--format", "keras", "--output", "model.keras"],
    ["clean", "--yes"],
)
_ALL_AGAIN: Final = (
    ["-d", "rows.csv", "-a", "tiny.json", "--metrics", "--report", "--quiet"],
    ["suggest-k", "--run", RUN, "--max", "3"],
)
_VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 10**30, -(10**400), 1e300, 0.5, "", "x", "../../../secret", "\x1b[2J",
    "a\nb", "\u202e", "/etc/hostname", "=1+1", [], {}, [[]], [0] * 100, {"a": 1}, ["x"], [None],
    "train-kld", "finished", "running", "gmm", "no such head", 2, [1e308, -1e308], "9" * 400,
)  # fmt: skip
_SECRET: Final = "what nobody may read"
_STEMS: Final = ("truncate", "bytes", "swap", "set", "set", "set", "drop", "link", "delete", "pipe")


class FolderAttack(Attack):
    """Verbs that read, list or remove a run whose files were tampered with."""

    name: ClassVar[str] = "run_folder"

    def prepare(self, folder: Path) -> None:
        """Make the folder from which every input is copied."""
        self._whole = folder
        folder.mkdir(parents=True)
        self._make_run(folder)

    def _make_run(self, folder: Path) -> None:
        """Train a run of sixty rows."""
        from benchmarks.attack.screen import command

        rng = Random(0)
        (folder / "tiny.json").write_text(json.dumps(_SPEC))
        rows = [[rng.gauss(index % 2 * 5, 1) for _ in range(3)] for index in range(60)]
        lines = ["a,b,c", *(",".join(f"{value:.4f}" for value in row) for row in rows)]
        (folder / "rows.csv").write_text("\n".join(lines))
        with chdir(folder):
            asked = ["--pretrain", "--cluster", "--metrics", "--quiet"]
            command(["-d", "rows.csv", "-a", "tiny.json", *asked])
        shutil.rmtree(folder / "logs")

    def make(self, rng: Random) -> Case:
        """Make a list of changes, and the command that meets them."""
        changes = [self._change(rng) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
        ways = rng.choices((_LOOKING, _MODELS, _ALL_AGAIN), (50, 45, 5))[0]
        forged = {"changes": changes, "digests": rng.random() < 0.8, "command": rng.choice(ways)}
        return Case(json.dumps(forged).encode(), ".json")

    def _change(self, rng: Random) -> dict[str, Any]:
        what, file = rng.choice(_STEMS), rng.choice(_FILES)
        change: dict[str, Any] = {"what": what, "file": file}
        if what in ("set", "drop") and not file.endswith("json"):
            change["file"] = rng.choice([name for name in _FILES if name.endswith("json")])
        match what:
            case "truncate":
                change["part"] = rng.choice((0, 0, rng.random()))
            case "bytes":
                change |= {"part": rng.random(), "hex": rng.randbytes(rng.choice((1, 8))).hex()}
            case "swap":
                change["other"] = rng.choice(_FILES)
            case "set" | "drop":
                change |= {"place": rng.randrange(1000), "value": rng.choice(_VALUES)}
            case "link":
                change |= {
                    "file": rng.choice((file, *_OTHER_PLACES[1:3])),
                    "to": rng.choice(("elsewhere/secret.json", "elsewhere", ".", "/dev/zero")),
                }
        return change

    def attempt(self, path: Path) -> None:
        """Tamper with a copy of the run, and run the command on it."""
        from benchmarks.attack.screen import command

        forged = json.loads(path.read_text())
        folder, elsewhere = path.parent / "out", path.parent / "elsewhere"
        shutil.copytree(self._whole, folder)
        shutil.copytree(self._whole / RUN, elsewhere)
        (elsewhere / "secret.json").write_text(json.dumps({"rows": [], _SECRET: _SECRET}))
        for change in forged["changes"]:
            _apply(change, folder / RUN, path.parent)
        if forged["digests"]:
            _renew_digests(folder / RUN)
        before, printed, error = _state(elsewhere), "", None
        try:
            with chdir(folder):
                printed = command(forged["command"])
        except BaseException as raised:
            error, printed = raised, str(raised)
        if _state(elsewhere) != before:
            raise Broken("a file outside of the folder was changed") from error
        if _SECRET in printed:
            raise Broken("a file outside of the folder was read") from error
        if error is not None:
            raise error


def _apply(change: dict[str, Any], run: Path, top: Path) -> None:
    file = run / change["file"]
    if file.parent.exists() and not file.parent.is_dir():
        return  # a change before this one has put something else there
    there = file.is_file() and not file.is_symlink()
    content = file.read_bytes() if there else b"{}"
    match change["what"]:
        case "truncate":
            _write(file, content[: int(len(content) * change["part"])])
        case "bytes":
            start, new = int(len(content) * change["part"]), bytes.fromhex(change["hex"])
            _write(file, content[:start] + new + content[start + len(new) :])
        case "text":
            _write(file, change["text"].encode())
        case "swap":
            other = run / change["other"]
            _write(file, other.read_bytes() if other.is_file() else b"")
        case "set" | "drop":
            _write(file, _set(content, change))
        case "link":
            _remove(file)
            file.parent.mkdir(parents=True, exist_ok=True)
            to = change["to"]
            file.symlink_to(top / to if not to.startswith("/") else to)
        case "delete":
            _remove(file)
        case "pipe":
            _remove(file)
            file.parent.mkdir(parents=True, exist_ok=True)
            os.mkfifo(file)


def _write(file: Path, content: bytes) -> None:
    if file.is_symlink() or file.is_dir() or (file.exists() and not file.is_file()):
        _remove(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _remove(file: Path) -> None:
    if file.is_dir() and not file.is_symlink():
        shutil.rmtree(file)
    else:
        file.unlink(missing_ok=True)


def _set(content: bytes, change: dict[str, Any]) -> bytes:
    """Change one value of a JSON document, or drop it; what is no such document stays."""
    try:
        document = json.loads(content)
    except ValueError:
        return content
    places = list(_places(document))
    if not places:
        return json.dumps(change["value"]).encode()
    parent, key = places[change["place"] % len(places)]
    if change["what"] == "drop":
        del parent[key]
    else:
        parent[key] = change["value"]
    return json.dumps(document).encode()


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    if not isinstance(document, dict | list):
        return
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in list(items):
        yield document, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _renew_digests(run: Path) -> None:
    """Forge the digests as well, so that the files themselves are read."""
    for path in run.glob("*/manifest.json"):
        if path.is_symlink() or not path.is_file():
            continue
        try:
            document = json.loads(path.read_bytes())
            for name in document["files"]:
                file = path.parent / name
                if file.is_file():
                    document["files"][name] = hashlib.sha256(file.read_bytes()).hexdigest()
            path.write_text(json.dumps(document))
        except (ValueError, LookupError, TypeError, OSError):
            continue


def _state(folder: Path) -> dict[str, Any]:
    return {str(path): _content(path) for path in [folder, *sorted(folder.rglob("*"))]}


def _content(path: Path) -> Any:
    return path.read_bytes() if path.is_file() else path.stat().st_mtime_ns
