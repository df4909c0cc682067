"""Which run is meant."""

from __future__ import annotations

import pytest

from archbuild.errors import UsageError
from archbuild.runs import RunFolder, find_run


def make_run(out, dataset, arch="net", seed=0):
    run = RunFolder.locate(out, dataset, arch, seed)
    stage = run.stage("pretrain")
    stage.begin({"spec": {}})
    stage.finish({}, summary={}, history=[])
    return run


def test_the_run_on_data_of_that_name_comes_first(tmp_path):
    make_run(tmp_path, "A")
    wanted = make_run(tmp_path, "B")
    assert find_run(tmp_path, "B", "net", 0).path == wanted.path


def test_the_only_run_will_do_for_new_data(tmp_path):
    wanted = make_run(tmp_path, "A")
    make_run(tmp_path, "A", seed=1)
    make_run(tmp_path, "A", arch="other")
    for dataset in ("new", None):
        assert find_run(tmp_path, dataset, "net", 0).path == wanted.path


def test_of_several_runs_none_is_guessed(tmp_path):
    runs = [make_run(tmp_path, name) for name in "AB"]
    with pytest.raises(UsageError, match="--run") as error:
        find_run(tmp_path, "new", "net", 0)
    assert all(str(run.path) in str(error.value) for run in runs)


def test_where_there_is_none_there_is_none(tmp_path):
    make_run(tmp_path, "A")
    assert find_run(tmp_path, "A", "net", 7) is None
    assert find_run(tmp_path / "elsewhere", "A", "net", 0) is None
