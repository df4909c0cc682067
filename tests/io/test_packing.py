"""Folders as bytes."""

from __future__ import annotations

from archbuild.io.packing import packed, unpacked


def test_files_come_back_and_links_do_not(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    (here / "stage").mkdir(parents=True)
    (here / "run.json").write_text("{}")
    (here / "stage" / "weights.npz").write_bytes(bytes(range(256)))
    (here / "latest").symlink_to("stage")
    (here / "secret").symlink_to("/etc/hostname")
    unpacked(packed(here), there)
    assert sorted(str(path.relative_to(there)) for path in there.rglob("*")) == [
        "run.json",
        "stage",
        "stage/weights.npz",
    ]
    assert (there / "stage" / "weights.npz").read_bytes() == bytes(range(256))


def test_a_folder_that_is_not_there_is_an_empty_one(tmp_path):
    unpacked(packed(tmp_path / "nowhere"), tmp_path / "new" / "there")
    assert list((tmp_path / "new" / "there").iterdir()) == []
