"""The messages of a run as text files beside it."""

from __future__ import annotations

from archbuild.runs.texts import clear_stage, messages_of, text_files
from tests.runs.making import make_run


def test_a_cleared_stage_leaves_no_messages_and_other_files_stay(tmp_path):
    run = make_run(tmp_path, stages={"cluster-kld": "finished", "cluster-gmm": "finished"})
    for stage in run.stages():
        folder = messages_of(run) / stage / "module1"
        folder.mkdir(parents=True)
        for name in ("0.txt", ".tmp-7-1.txt"):
            (folder / name).touch()
    kept = messages_of(run) / "cluster-gmm"
    stage = run.stage("cluster-kld")
    assert [path.name for path in text_files(stage)] == [".tmp-7-1.txt", "0.txt"]
    clear_stage(stage)
    assert text_files(stage) == []
    assert list(messages_of(run).iterdir()) == [kept]
    assert len(text_files(run.stage("cluster-gmm"))) == 2
    notes = kept / "module1" / "notes.md"
    notes.touch()
    clear_stage(run.stage("cluster-gmm"))
    assert [path for path in messages_of(run).rglob("*") if path.is_file()] == [notes]
