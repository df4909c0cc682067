from __future__ import annotations

import logging
from datetime import datetime, tzinfo
from pathlib import Path

import pytest

from archbuild.cli import log
from archbuild.cli.log import run_log
from archbuild.errors import RunError, UsageError
from archbuild.training.progress import LOGGER

ROOM = logging.getLogger("archbuild.data.any")


def words(path: Path) -> list[str]:
    """The lines of a log without date and time."""
    return [line.split(" ", 2)[2] for line in path.read_text().splitlines()]


def test_what_came_before_the_file_stands_in_it_too(tmp_path: Path) -> None:
    with run_log("archbuild -d X") as written:
        ROOM.warning("%d images cannot be read", 3)
        path = written.open(tmp_path / "logs", "my data", "a/b")
        LOGGER.info("pretrain 1/2  loss 3")
        assert words(path)[-1] == "INFO pretrain 1/2  loss 3"  # at once, not at the end
    command, versions, *rest, end = words(path)
    assert command == "INFO command: archbuild -d X"
    assert versions.startswith("INFO on: python 3.")
    assert ", keras " in versions
    assert rest == ["WARNING 3 images cannot be read", "INFO pretrain 1/2  loss 3"]
    assert end.startswith("INFO ended well after ")
    assert path.name.endswith("-my-data-a-b.log")


def fail(folder: Path, error: Exception) -> None:
    """A command that fails."""
    with run_log("c") as written:
        written.open(folder, "d", "a")
        raise error


def test_a_users_mistake_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        fail(tmp_path, UsageError("say more"))
    (path,) = tmp_path.iterdir()
    assert words(path)[-1] == "ERROR not finished: say more"
    assert not hasattr(caught.value, "__notes__")


def test_the_unforeseen_stands_in_the_log_with_its_traceback(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        fail(tmp_path, ZeroDivisionError("by nothing"))
    (path,) = tmp_path.iterdir()
    assert "ERROR not finished: by nothing\nTraceback" in path.read_text()
    assert "raise error" in path.read_text()
    assert caught.value.__notes__ == [f"the traceback is in the log: {path}"]


def test_two_in_the_same_second_have_files_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime(2020, 1, 2, 3, 4, 5)

    monkeypatch.setattr(log, "datetime", Stopped)
    for command in ("one", "two"):
        with run_log(command) as written:
            written.open(tmp_path, "d", "a")
    first, second = tmp_path / "20200102-030405-d-a.log", tmp_path / "20200102-030405-d-a-2.log"
    assert "command: one" in first.read_text()
    assert "command: two" in second.read_text()


def test_without_a_file_nothing_is_written_or_kept(tmp_path: Path) -> None:
    handlers, level, propagate = list(LOGGER.handlers), LOGGER.level, LOGGER.propagate
    with run_log("c"):
        LOGGER.info("said")
    assert not list(tmp_path.iterdir())
    assert (LOGGER.handlers, LOGGER.level, LOGGER.propagate) == (handlers, level, propagate)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="choose another"), run_log("c") as written:
        written.open(tmp_path / "file" / "logs", "d", "a")


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "logs").symlink_to(tmp_path / "elsewhere")
    with run_log("archbuild") as log, pytest.raises(RunError, match="logs is a symbolic link"):
        log.open(tmp_path / "logs", "D", "a")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_names_that_are_no_utf8_can_be_logged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with run_log("archbuild -d r\udcffws.csv") as written:
        path = written.open(tmp_path / "logs", "d", "a")
        ROOM.warning("%s cannot be read", "x\udcff.png")
    assert r"x\udcff.png cannot be read" in path.read_text()
    assert "Logging error" not in capsys.readouterr().err


def test_a_full_disk_is_told_once_and_hides_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_new_file", lambda folder, stem: Path("/dev/full"))
    with pytest.raises(UsageError, match="said"):
        fail(tmp_path / "logs", UsageError("what has to be said"))
    err = capsys.readouterr().err
    assert err == "warning: the log /dev/full lacks lines (No space left on device)\n"
