"""What every room's tests share."""

from __future__ import annotations

import gc
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# a process runs on every core already (pytest-xdist)
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import numpy as np
import pytest

from tests.graphs import trace_graphs

if TYPE_CHECKING:
    from xdist.remote import Producer

    from tests.dealing import WorkOfFiles

gc.set_threshold(200_000, 20, 100)  # a graph is many objects, of which few are let go


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> WorkOfFiles:
    """Keep a file's tests in one process, where they share what they train."""
    from tests.dealing import WorkOfFiles

    return WorkOfFiles(config, log)


@pytest.hookimpl(tryfirst=True)  # before fixtures of any scope train something
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Trace graphs, as users do, unless the test is marked ``graphs(False)``."""
    marker = item.get_closest_marker("graphs")
    trace_graphs(marker.args[0] if marker else True)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run of the suite, the same in all of its processes."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def gmm_runs(shared: Path) -> Path:
    """Folders of ``small_runs.train_gmm``, to copy from."""
    from tests import small_runs

    return small_runs.once(shared, small_runs.train_gmm)


@pytest.fixture(scope="session")
def message_runs(shared: Path) -> Path:
    """Folders of ``small_runs.train_messages``, to copy from."""
    from tests import small_runs

    return small_runs.once(shared, small_runs.train_messages)


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers that are the same in every run."""
    return np.random.default_rng(20)


@pytest.fixture
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few hundred rows in place of generated and packed ones, whose number does not matter."""
    monkeypatch.setattr("archbuild.data.sets.spiral._POINTS_PER_ARM", 100)
    monkeypatch.setattr("archbuild.data.sets.halfmoon._POINTS_PER_MOON", 100)
    from sklearn import datasets

    from archbuild.data.sets import cluttered

    for part, rows in {"train": (0, 200), "valid": (200, 250), "test": (250, 300)}.items():
        monkeypatch.setitem(cluttered._DIGITS_PARTS, part, rows)
        monkeypatch.setitem(cluttered.SMALL.counts, part, 60)

    digits = datasets.load_digits()
    for key in ("data", "images", "target"):
        digits[key] = digits[key][:300]
    monkeypatch.setattr(datasets, "load_digits", lambda: digits)


@pytest.fixture
def plain_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two columns in place of t-SNE, which takes most of a command's time and has its own tests."""
    for user in ("figures.projection", "clustering.starts", "evaluation.n_clusters"):
        monkeypatch.setattr(f"archbuild.{user}.tsne", lambda rows, seed, **_: rows[:, :2])


@pytest.fixture
def clean_environment() -> Mapping[str, str]:
    """The environment of a user's shell: nothing that this suite sets to be quick and quiet."""
    ours = {"TF_CPP_MIN_LOG_LEVEL", "PYTHONDONTWRITEBYTECODE", "ARCHBUILD_DATA"}
    ours |= {name for name in os.environ if name.endswith("_THREADS")}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
