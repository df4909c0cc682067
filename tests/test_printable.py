"""Texts of unknown source as they are shown."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from archbuild import printable
from archbuild.data.guess import Guess
from archbuild.errors import DataError, Problem, SpecError

HOSTILE = ["\x1b[31m", "\x1b]0;title\x07", "\r", "\u202e", "\x9b", "\u2028", "\u200b", "\ud800"]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_terminal_obeys_is_escaped(text):
    for show in (printable.one_line, printable.lines, printable.message):
        assert show(f"a{text}b").isprintable()
        assert text not in show(f"a{text}b")


def test_what_is_printable_stays():
    text = "é 日本 😀 -1.5"
    assert printable.one_line(text) == printable.lines(text) == printable.message(text) == text


def test_only_indented_lines_follow_in_a_message():
    assert printable.message("two:\n    one\n  other") == "two:\n    one\n  other"
    assert printable.message("no file a\narchbuild: all is well") == (
        r"no file a\narchbuild: all is well"
    )
    assert printable.one_line("a\n    b") == r"a\n    b"


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1+1", "-a", "@SUM(A1)", "\t=1", " =1"])
def test_a_cell_that_begins_as_a_formula_is_text(text):
    assert printable.cell(text) == f"'{printable.one_line(text)}"


@pytest.mark.parametrize("value", ["-1.5", "+2", "-1e-3", "a=b", "", "-inf", 3, -1.5, None])
def test_numbers_and_other_cells_stay(value):
    assert printable.cell(value) == value


@pytest.mark.parametrize("text", HOSTILE)
def test_a_problem_is_printable_line_by_line(text):
    problem = Problem(f"m{text}", (f"k{text}\n",), f"r{text}\n", None, text, f"f{text}\n", 1, 1)
    assert all(line.isprintable() for line in str(problem).split("\n"))
    assert len(str(problem).split("\n")) == 3


@pytest.mark.parametrize("text", HOSTILE)
def test_an_error_is_printable(text):
    assert str(DataError(f"no file {text}\nb")).isprintable()
    problems = [Problem("m", (), text, source=text)] * 2
    assert all(line.isprintable() for line in str(SpecError(problems)).split("\n"))
    assert len(str(SpecError(problems)).split("\n")) == 4


def test_every_command_prints_through_the_exits_that_escape():
    package = Path(printable.__file__).parent
    own = {"output.py", "ending.py", "new.py"}  # the exits; an error; a spec in ASCII or a file
    found = {
        path.name
        for path in (package / "cli").glob("*.py")
        if re.search(r"click\.s?echo\(|(?<![\w.])print\((?!line)", path.read_text())
    }
    assert found <= own


@pytest.mark.parametrize("text", ["plain", "two words", "it's", "é 日本", "-a"])
def test_printable_words_are_quoted_as_shlex_does(text):
    assert printable.shell_word(text) == shlex.quote(text)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    "text", [*HOSTILE, "\udcff", "'", "\\", "\n1", "\x1b[31m it's", "é\u200b日"]
)
def test_a_word_with_control_characters_can_be_pasted(text):
    word = printable.shell_word(f"a{text}b")
    assert word.isprintable()
    told = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True)
    if text == "\ud800":  # no name of a file
        return
    assert told.stdout.decode("utf-8", "surrogateescape") == f"a{text}b"


def test_long_lines_are_shortened_and_keep_their_end():
    cell = "x" * 200_000
    shown = str(DataError(f"the cell '{cell}' is no number; mend it\n  and '{cell}' too"))
    assert [len(line) < printable.LONGEST + 100 for line in shown.split("\n")] == [True, True]
    assert shown.startswith("the cell 'xxx")
    assert "[... 198," in shown
    assert "is no number; mend it" in shown
    guess = str(Guess("column", f"the cell '{cell}' is odd", f"columns.{cell}=ignore"))
    assert len(guess) < printable.LONGEST + 100
    assert "--set" not in guess  # half a command is none
