"""``archbuild doctor``: versions, backend, devices, datasets; or what is wrong with a run."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from pathlib import Path

import click

from archbuild.cli.columns import in_columns
from archbuild.cli.listing import datasets_text
from archbuild.cli.options import backend_option, data_dir_option
from archbuild.cli.output import say, tell
from archbuild.environment import OPTIONAL, REQUIRED, installed, start_keras
from archbuild.errors import UsageError
from archbuild.version import __version__


@click.command(short_help="Check the installation and the datasets, or a run folder.")
@click.option(
    "--run",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Folder of a run to check, in place of the installation.",
)
@data_dir_option
@backend_option
def doctor(folder: Path | None, data_dir: Path | None) -> None:
    """Report which packages are installed, the backend and its devices, and the datasets found.

    With --run, check a run folder: the digest of every file, the shapes of its arrays, whether its
    models open, and what differs here: versions, and the rows that it was trained on.

    Ends with exit status 1 if a package is missing, the backend does not work, or the run is
    damaged. What only differs is no failure.
    """
    if folder is not None:
        _check_run(folder)
    else:
        _check_installation(data_dir)


def _check_run(folder: Path) -> None:
    from archbuild.models.checkup import check_run

    start_keras()
    findings = list(check_run(folder))
    say(in_columns((found.state, found.subject, found.text) for found in findings))
    damaged = [found.subject for found in findings if found.state == "damaged"]
    if damaged:
        tell(f"damaged: {', '.join(damaged)}; nothing that uses them can be trusted")
        raise SystemExit(1)


def _check_installation(data_dir: Path | None) -> None:
    from archbuild.data import data_folder

    missing = [package for package in REQUIRED if installed(package) is None]
    say(in_columns(_packages()))
    works, report = _backend()
    say(f"\n{in_columns(report)}")
    folder = data_folder(data_dir)
    say(f"\ndatasets (looked for in {folder}; choose with --data-dir or $ARCHBUILD_DATA)")
    say(datasets_text(data_dir))
    if missing:
        tell(f"missing: {', '.join(missing)}; reinstall archbuild")
    if missing or not works:
        raise SystemExit(1)


def _packages() -> Iterator[tuple[str, str]]:
    yield "archbuild", __version__
    yield "python", f"{platform.python_version()} on {platform.platform()}"
    for package in REQUIRED:
        yield package, installed(package) or "NOT INSTALLED, and needed"
    for package, purpose in OPTIONAL.items():
        yield package, installed(package) or f"not installed, not needed ({purpose})"


def _backend() -> tuple[bool, list[tuple[str, str]]]:
    """Return whether the backend computes, and the lines of the report on it."""
    try:
        name = start_keras()
    except UsageError as error:
        return False, [("backend", str(error))]
    try:
        product, devices = _compute()
    except Exception as error:  # whatever a backend raises, the doctor reports it
        return False, [("backend", f"{name} starts, but does not compute: {error}")]
    return True, [
        ("backend", f"{name}: works (1 x 3 + 2 x 4 = {product:g})"),
        ("devices", f"{devices}; {os.cpu_count()} processor cores"),
    ]


def _compute() -> tuple[float, str]:
    """Compute a small product; return the devices that Keras can name, else the one used."""
    import keras

    tensor = keras.ops.matmul([[1.0, 2.0]], [[3.0], [4.0]])
    try:
        devices = ", ".join(keras.distribution.list_devices())
    except AttributeError:  # Keras has no list for PyTorch
        devices = str(getattr(tensor, "device", ""))
    return float(keras.ops.sum(tensor)), devices or "cpu"
