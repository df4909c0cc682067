"""Links below the folder that the user named: refused for writing, and for reading outside."""

from __future__ import annotations

import pytest

from archbuild.errors import RunError
from archbuild.io.containment import (
    has_no_links,
    make_folder,
    named_by_user,
    readable,
    refuse_links,
    remove_link,
)


@pytest.fixture
def out(tmp_path):
    """An out folder that is a link, as the user may have it, beside what is nobody's business."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret").write_text("mine")
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    return tmp_path / "out"


def test_below_a_link_that_the_user_named_folders_are_made(out):
    for _ in range(2):  # one that is there will do
        make_folder(out / "a" / "b", below=out)
    assert (out / "a" / "b").is_dir()
    assert has_no_links(out / "a" / "b", below=out)


@pytest.mark.parametrize("linked", ["a", "a/b"])
def test_a_link_on_the_way_is_refused_and_named(out, linked):
    (out / linked).parent.mkdir(exist_ok=True)
    (out / linked).symlink_to(out.parent / "elsewhere")
    for check in (refuse_links, make_folder):
        with pytest.raises(RunError, match=f"out/{linked} is a symbolic link"):
            check(out / "a" / "b", below=out)
    assert [path.name for path in (out.parent / "elsewhere").iterdir()] == ["secret"]


def test_a_file_outside_is_not_read(out):
    (out / "spec.json").symlink_to(out.parent / "elsewhere" / "secret")
    with pytest.raises(RunError, match=r"spec.json leads to .*elsewhere/secret, which is outside"):
        readable(out / "spec.json", below=out)


def test_a_file_inside_is_read_through_its_link(out):
    (out / "there").touch()
    (out / "link").symlink_to("there")
    assert readable(out / "link", below=out) == out / "link"
    assert readable(out / "absent", below=out) == out / "absent"


def test_what_the_user_named_is_followed(out):
    assert named_by_user(out) == named_by_user(out.parent / "disk")


def test_only_links_are_removed(out):
    (out / "file").touch()
    (out / "link").symlink_to("file")
    for name in ("file", "link", "absent"):
        remove_link(out / name)
    assert [path.name for path in out.iterdir()] == ["file"]
