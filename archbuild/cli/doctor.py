"""``archbuild doctor``: versions, backend, devices, datasets; the only verb that imports Keras."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

_PACKAGES = (
    "archbuild",
    "keras",
    "tensorflow",
    "jax",
    "torch",
    "numpy",
    "scikit-learn",
    "jsonschema",
    "matplotlib",
)


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where datasets lie.")
def doctor(data_dir: Path | None) -> None:
    """Say what is installed, which backend and devices are used, and which datasets are found.

    Exit status 1 where the backend does not start.
    """
    click.echo(f"python        {platform.python_version()} on {platform.platform()}")
    for package in _PACKAGES:
        click.echo(f"{package:<13} {_installed(package)}")
    working = _backend()
    _datasets(data_dir)
    if not working:
        raise SystemExit(1)


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _backend() -> bool:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        import keras

        product = float(keras.ops.sum(keras.ops.matmul([[1.0, 2.0]], [[3.0], [4.0]])))
        devices = ", ".join(keras.distribution.list_devices()) or "cpu"
    except Exception as error:  # whatever a backend raises, the doctor reports it
        name = os.environ.get("KERAS_BACKEND", "the default")
        click.echo(f"backend       {name} does not start: {error}")
        click.echo("              reinstall it, or choose another with KERAS_BACKEND=tensorflow")
        return False
    click.echo(f"backend       {keras.backend.backend()} works (1x3 + 2x4 = {product:g})")
    click.echo(f"devices       {devices}; {os.cpu_count()} cores")
    return True


def _datasets(data_dir: Path | None) -> None:
    from archbuild.data import find_datasets

    for name, found, where in find_datasets(data_dir):
        click.echo(f"{name:<13} {'found' if found else 'not here'}: {where}")
