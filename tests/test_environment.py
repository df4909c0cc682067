from __future__ import annotations

import builtins
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from archbuild import environment
from archbuild.environment import choose_backend, installed, start_keras, versions
from archbuild.errors import UsageError
from archbuild.version import __version__

NOISE = (
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
    "I0000 00:00:1795251657.625490   13180 cudart_stub.cc:31] Could not find cuda drivers\n"
)
FATAL = "F0000 00:00:1795251657.625490   13180 cpu_feature_guard.cc:1] needs AVX instructions\n"
LIBRARY = f"""
import os
from archbuild.environment import _without_noise_of_start
os.write(2, b"before\\n")
with _without_noise_of_start():
    os.write(2, {NOISE.encode()!r})
    os.write(2, {FATAL.encode()!r})
    CRASH
os.write(2, b"after\\n")
"""


def ended(script: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_noise_is_kept_back_and_nothing_else(clean_environment: Mapping[str, str]) -> None:
    process = ended(LIBRARY.replace("CRASH", "pass"), clean_environment)
    assert process.stderr == f"before\n{FATAL}after\n"
    assert process.returncode == 0


def test_the_last_words_of_a_library_that_crashes_come_through(
    clean_environment: Mapping[str, str],
) -> None:
    process = ended(LIBRARY.replace("CRASH", "os.abort()"), clean_environment)
    assert process.returncode < 0
    assert process.stderr == f"before\n{FATAL}"


def test_a_backend_that_does_not_start_is_the_users_to_mend(
    clean_environment: Mapping[str, str],
) -> None:
    script = (
        "from archbuild.environment import start_keras\n"
        "from archbuild.errors import UsageError\n"
        "try:\n    start_keras()\nexcept UsageError as error:\n    print(error)\n"
    )
    process = ended(script, {**clean_environment, "KERAS_BACKEND": "nonsense"})
    assert "the backend 'nonsense'" in process.stdout
    assert "KERAS_BACKEND=tensorflow" in process.stdout
    assert process.stderr == ""


def test_a_backend_is_chosen_before_keras_is_there(clean_environment: Mapping[str, str]) -> None:
    script = (
        "from archbuild.environment import choose_backend, start_keras\n"
        "choose_backend('jax')\nprint(start_keras())\n"
    )
    process = ended(script, {**clean_environment, "KERAS_BACKEND": "tensorflow"})
    assert process.stdout == "jax\n"


def test_another_backend_than_the_one_that_runs_is_refused(monkeypatch):
    running = start_keras()
    monkeypatch.setenv("KERAS_BACKEND", "as it was")
    other = "jax" if running != "jax" else "torch"
    with pytest.raises(UsageError, match=f"'{other}' was asked for, and Keras runs on '{running}'"):
        choose_backend(other)
    assert os.environ["KERAS_BACKEND"] == "as it was"
    choose_backend(running)
    assert os.environ["KERAS_BACKEND"] == running


def test_a_backend_that_is_not_installed_is_named_with_its_extra(monkeypatch):
    monkeypatch.setattr(environment, "_running_backend", lambda: None)
    monkeypatch.setattr(environment, "find_spec", lambda name: None)
    monkeypatch.setenv("KERAS_BACKEND", "as it was")
    with pytest.raises(UsageError, match=r"pip install 'archbuild\[torch\]'"):
        choose_backend("torch")
    assert os.environ["KERAS_BACKEND"] == "as it was"


def test_versions_are_of_what_is_there() -> None:
    found = versions()
    assert found["archbuild"] == __version__
    assert found["numpy"] == installed("numpy")
    assert installed("no-such-package-anywhere") is None


def test_a_limit_on_memory_is_named_where_keras_cannot_be_loaded(monkeypatch):
    def refuse(name: str, *_: object) -> None:
        if name == "keras":
            raise ImportError("libx.so: failed to map segment from shared object")
        return imported(name, *_)

    imported = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UsageError, match=r"a limit on it is in the way: raise it \(ulimit -v\)"):
        start_keras()


def test_available_memory_is_the_least_that_the_system_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "meminfo"
    monkeypatch.setattr(environment, "_MEMORY", told)
    monkeypatch.setattr(environment, "_GROUP", tmp_path)
    assert environment.available_memory() is None
    told.write_text("MemTotal:       300 kB\nMemAvailable:   200 kB\n")
    assert environment.available_memory() == 200 * 1024
    (tmp_path / "memory.current").write_text("1000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert environment.available_memory() == 200 * 1024
    (tmp_path / "memory.max").write_text("5000\n")
    assert environment.available_memory() == 4000


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not count it")
def test_peak_memory_is_that_of_an_interpreter_at_least() -> None:
    peak = environment.peak_memory()
    assert peak is not None
    assert peak > 2**20
