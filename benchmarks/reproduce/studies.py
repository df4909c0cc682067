"""Pages of commands that print a table of their own, declared in ``studies.yaml``."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from archbuild.data.source import ENVIRONMENT_VARIABLE, data_folder
from archbuild.experiments.sweeps.plan import setting_name
from archbuild.io.atomic import write_json
from archbuild.io.reading import read_json
from archbuild.spec.reading import read_document
from archbuild.version import __version__
from benchmarks.processes import machine, software
from benchmarks.reproduce.cells import NOT_RUN
from benchmarks.reproduce.checking import check_keys
from benchmarks.reproduce.records import Record

ROOT: Final = Path(__file__).resolve().parents[2]
_STUDY_KEYS = {"title", "note", "parts"}
_PART_KEYS = {"title", "command", "note", "remark"}


@dataclass(frozen=True)
class Part:
    """A command that prints a table.

    Attributes:
        command: ``python benchmarks/SCRIPT.py ...``, as it is typed in the repository's root.
        title: its heading; the first part may do without.
        note: what is said before the table.
        remark: what is said after it.
    """

    command: str
    title: str = ""
    note: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Study:
    """A page of such commands."""

    name: str
    title: str
    note: str
    parts: Sequence[Part]


def read_studies(path: Path) -> dict[str, Study]:
    """Return the declared pages by name; none where the file is not there.

    Raises:
        SpecError: the file is not YAML.
        UsageError: a key is missing or unknown; the message says where.
    """
    if not path.exists():
        return {}
    return {name: _study(name, entry) for name, entry in read_document(path).tree.items()}


def _study(name: str, entry: Mapping[str, Any]) -> Study:
    check_keys(entry, _STUDY_KEYS, {"title", "parts"}, f"study {name}")
    for part in entry["parts"]:
        check_keys(part, _PART_KEYS, {"command"}, f"parts of {name}")
    parts = [Part(**part) for part in entry["parts"]]
    return Study(name, entry["title"], entry.get("note", ""), parts)


# -- what the commands printed -----------------------------------------------------------------


class Outputs:
    """What is recorded of a page: a JSON document beside it.

    Args:
        path: the document; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def all(self) -> dict[str, Record]:
        """The record of each command, by the command.

        Raises:
            RunError: the document is damaged.
        """
        found = read_json(self.path)["outputs"] if self.path.exists() else []
        return {record["command"]: record for record in found}

    def add(self, command: str, record: Record) -> None:
        """Record what a command printed, in place of what it printed before."""
        found = {**self.all, command: {"command": command, **record}}
        write_json(self.path, {"outputs": list(found.values())})


def execute_part(part: Part, out: Path) -> Record:
    """Run a command to its end; return what it printed, and the circumstances.

    It runs in a folder of its own below ``out``, where its runs lie, and with the data folder that
    is used here.

    Raises:
        subprocess.CalledProcessError: the process failed.
    """
    folder = out / setting_name((part.command,))
    folder.mkdir(parents=True, exist_ok=True)
    _, script, *words = shlex.split(part.command)
    print("$", part.command, file=sys.stderr, flush=True)
    printed = subprocess.run(
        [sys.executable, str(ROOT / script), *words],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, ENVIRONMENT_VARIABLE: str(data_folder().resolve())},
    ).stdout
    return {
        "output": printed.strip(),
        "backend": software(),
        "machine": machine(),
        "version": __version__,
        "date": date.today().isoformat(),
    }


# -- the page ----------------------------------------------------------------------------------


def study_page(study: Study, outputs: Mapping[str, Record]) -> str:
    """Return the whole page: each command with what it printed, or that it was not run."""
    parts = [
        f"# {study.title}",
        f"Made by `python benchmarks/reproduce {study.name}`; what was not run says so.",
        study.note.strip(),
        *(_part(part, outputs.get(part.command)) for part in study.parts),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def study_line(study: Study, outputs: Mapping[str, Record]) -> list[str]:
    """Return the line of the index: the page, its title, and how many commands were run."""
    done = sum(part.command in outputs for part in study.parts)
    return [f"[{study.name}]({study.name}.md)", study.title, f"{done} of {len(study.parts)}"]


def _part(part: Part, record: Record | None) -> str:
    texts = [
        f"## {part.title}" if part.title else "",
        f"`{part.command}`",
        part.note.strip(),
        NOT_RUN if record is None else record["output"],
        part.remark.strip(),
        "" if record is None else _circumstances(record),
    ]
    return "\n\n".join(filter(None, texts))


def _circumstances(record: Record) -> str:
    said = [record[key] for key in ("backend", "machine") if record.get(key)]
    said += [f"archbuild {record['version']}"] if record.get("version") else []
    return f"*{'; '.join([*said, record['date']])}*"
