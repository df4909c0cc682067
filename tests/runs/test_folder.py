from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from archbuild.errors import RunError
from archbuild.runs import RunFolder, slug

ROOT = Path(__file__).parents[2]

HOLD = """
import sys, time
from pathlib import Path
from archbuild.runs import RunFolder
with RunFolder(Path(sys.argv[1])).lock():
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("MNIST", "MNIST"),
        ("c-3-32_p_c-3-64_p_fc-32", "c-3-32_p_c-3-64_p_fc-32"),
        ("my data (2).npz", "my-data-2-.npz"),
        ("../../etc/passwd", "etc-passwd"),
        ("a\\b:c*d", "a-b-c-d"),
        ("Käfer", "Kafer"),
        (".hidden.", "hidden"),
    ],
)
def test_slug_is_safe_for_files(text, name):
    assert slug(text) == name


def test_slug_keeps_names_apart_that_it_cannot_spell():
    names = {slug("数据"), slug("图像"), slug(""), slug(".."), slug("x" * 200), slug("x" * 201)}
    assert len(names) == 6
    assert all(name.isascii() and 0 < len(name) < 120 for name in names)


def test_locate_composes_the_folder_without_making_it(tmp_path):
    run = RunFolder.locate(tmp_path, "my data", "vade/fc", 3)
    assert run.path == tmp_path / "saved_params" / "my-data" / "vade-fc" / "3"
    assert run.metrics_path == run.path / "metrics.json"
    assert os.listdir(tmp_path) == []


def test_stages_lists_those_with_a_manifest_pretrain_first(tmp_path):
    run = RunFolder(tmp_path / "run")
    assert run.stages() == ()
    for name in ("cluster-kld", "pretrain", "cluster-gmm"):
        stage = run.stage(name)
        stage.begin({})
        stage.finish({}, summary={}, history=[])
    run.stage("cluster-unfinished").begin({})
    assert run.stages() == ("pretrain", "cluster-gmm", "cluster-kld")


def test_the_spec_comes_back_as_it_was_written(tmp_path):
    run = RunFolder(tmp_path / "run")
    spec = {"name": "x", "layers": [{"type": "Input", "output_shape": [1, 8, 8]}]}
    run.write_spec(spec)
    assert run.read_spec() == spec
    assert json.loads((run.path / "spec.json").read_text()) == spec


def test_a_missing_spec_says_that_there_is_no_run(tmp_path):
    with pytest.raises(RunError, match="holds no run"):
        RunFolder(tmp_path).read_spec()


@pytest.mark.parametrize("text", ['{"name": "x"', "[1, 2]", "\xff"])
def test_a_damaged_spec_is_named(tmp_path, text):
    run = RunFolder(tmp_path)
    run.spec_path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RunError, match=r"spec\.json is damaged .*--fresh"):
        run.read_spec()


def test_a_second_lock_is_refused_at_once_and_free_afterwards(tmp_path):
    with (
        RunFolder(tmp_path).lock(),
        pytest.raises(RunError, match=f"in use by process {os.getpid()}, started 20"),
        RunFolder(tmp_path).lock(),
    ):
        pytest.fail("two hold one lock")
    with RunFolder(tmp_path).lock():
        pass


def test_the_lock_is_freed_by_an_error_inside(tmp_path):
    run = RunFolder(tmp_path)
    with pytest.raises(KeyboardInterrupt), run.lock():
        raise KeyboardInterrupt
    with run.lock():
        pass


def test_the_lock_does_not_outlive_a_killed_process(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        run = RunFolder(tmp_path)
        try:
            with pytest.raises(RunError, match=f"process {holder.pid}, started"), run.lock():
                pytest.fail("two processes hold one lock")
        finally:
            holder.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
            holder.wait()
        with run.lock():
            pass


def test_a_lock_without_a_known_holder_is_still_refused(tmp_path):
    run = RunFolder(tmp_path)
    with run.lock():
        (tmp_path / ".lock-holder.json").write_text("")
        with pytest.raises(RunError, match="in use by another process"), run.lock():
            pytest.fail("two hold one lock")


def test_a_folder_that_cannot_be_made_is_reported(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(RunError, match="cannot lock"), RunFolder(tmp_path / "out" / "run").lock():
        pytest.fail("locked below a file")
