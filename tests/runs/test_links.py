"""A run folder from a stranger: nothing outside of it is written, changed, removed or read."""

from __future__ import annotations

import shutil

import pytest

from archbuild.errors import RunError
from archbuild.io.atomic import write_json
from archbuild.runs import RunFolder, find_run
from archbuild.runs.catalogue import find_runs
from archbuild.runs.removal import removals
from archbuild.runs.texts import clear_stage
from tests.runs.making import make_run

FILES = ("spec.json", "metrics.json", "n_clusters.json", ".lock", ".lock-holder.json")
FOLDERS = (
    "saved_params",
    "saved_params/DIGITS",
    "saved_params/DIGITS/tiny",
    "saved_params/DIGITS/tiny/0",
)


def content(folder):
    """Every file with its bytes and time, every folder and every link."""
    return {
        path: (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in [folder, *folder.rglob("*")]
    }


@pytest.fixture
def elsewhere(tmp_path):
    """What is nobody's business: a file, and a run with a finished stage."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_text("mine")
    make_run(tmp_path / "elsewhere")
    return tmp_path / "elsewhere"


def link(place, target):
    if place.is_dir():
        shutil.rmtree(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(target)


@pytest.fixture(params=[*FILES, "pretrain/manifest.json"])
def linked_file(request, tmp_path, elsewhere):
    run = make_run(tmp_path / "out", rows=[{"space": "raw", "method": "k-means", "acc": 0.5}])
    link(run.path / request.param, elsewhere / "file")
    return run


@pytest.fixture(params=[*FOLDERS, "saved_params/DIGITS/tiny/0/pretrain"])
def linked_folder(request, tmp_path, elsewhere):
    run = make_run(tmp_path / "out")
    link(tmp_path / "out" / request.param, elsewhere / request.param)
    return run


def look(run):
    """What ``runs``, ``clean --dry-run --all`` and ``predict`` do before they print."""
    for entry in find_runs(run.out):
        entry.document()
    for removal in removals(run.out):
        assert not removal.run.in_use()
        assert removal.size > 0
    find_run(run.out, "DIGITS", "tiny", 0)


def test_looking_writes_nothing(linked_file, tmp_path):
    before = content(tmp_path)
    look(linked_file)
    assert content(tmp_path) == before


def test_writing_replaces_a_link_and_leaves_its_target(linked_file, elsewhere):
    before = content(elsewhere)
    run = linked_file
    with run.lock():
        run.write_spec({"name": "new"})
        for path in (run.metrics_path, run.n_clusters_path):
            write_json(path, {"new": True})
        stage = run.stage("pretrain")
        clear_stage(stage)
        stage.begin({"seed": 1})
        stage.save_checkpoint(1, {}, [{"epoch": 1}])
    assert content(elsewhere) == before
    assert not any(path.is_symlink() for path in run.path.rglob("*"))
    assert run.read_spec() == {"name": "new"}


@pytest.mark.parametrize("name", ["spec.json", "pretrain/manifest.json", "pretrain/latents.npy"])
def test_reading_outside_is_refused(tmp_path, elsewhere, name):
    run = make_run(tmp_path / "out")
    link(run.path / name, elsewhere / "saved_params/DIGITS/tiny/0" / name)
    use = run.read_spec if name == "spec.json" else run.stage("pretrain").verify
    with pytest.raises(RunError, match=r"which is outside of .*out"):
        use()


def test_a_linked_folder_is_not_written_to(linked_folder, elsewhere):
    before = content(elsewhere)
    stage = linked_folder.stage("pretrain")
    for write in (
        lambda: stage.begin({"spec": {"pretrain": {"epochs": 3}}, "seed": 0}),
        lambda: clear_stage(stage),
        stage.make,
    ):
        with pytest.raises(RunError):
            write()
    assert content(elsewhere) == before


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_run_behind_a_link_is_neither_locked_nor_read(tmp_path, elsewhere, folder):
    run = make_run(tmp_path / "out")
    link(tmp_path / "out" / folder, elsewhere / folder)
    before = content(elsewhere)
    for use in (lambda: run.lock().__enter__(), run.read_spec, lambda: run.write_spec({})):
        with pytest.raises(RunError):
            use()
    assert content(elsewhere) == before


def test_the_out_folder_may_be_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    run = make_run(tmp_path / "out")
    with run.lock():
        assert run.read_spec() == {"name": "tiny"}
    (entry,) = find_runs(tmp_path / "out")
    assert entry.stages["pretrain"].state == "finished"


def test_a_run_that_lies_alone_may_be_a_link(tmp_path):
    run = make_run(tmp_path / "disk")
    (tmp_path / "mine").symlink_to(run.path)
    run = RunFolder(tmp_path / "mine")
    assert run.read_spec() == {"name": "tiny"}
    run.stage("pretrain").verify()
