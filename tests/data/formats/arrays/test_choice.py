from __future__ import annotations

from pathlib import Path

import pytest

from archbuild.data.formats.arrays.choice import IMAGES, NUMBERS, OTHER, TEXTS, Choice, Held
from archbuild.data.request import Known, ReadOptions, ReadRequest
from archbuild.errors import DataError

PATH = Path("own.file")
ROWS = Held((6, 4), NUMBERS, "float32")
LINE = Held((6,), NUMBERS, "int64")


def choice(**held: Held) -> Choice:
    there = {name.replace("__", "/"): of for name, of in held.items()}
    return Choice(PATH, there, lambda name: name if name in there else None, "thing")


def request(known: Known | None = None, **options: str) -> ReadRequest:
    return ReadRequest(PATH, options=ReadOptions(**options), known=known)


@pytest.mark.parametrize(
    ("held", "key"),
    [
        ({"a": ROWS, "X": ROWS, "x": ROWS}, "x"),
        ({"fea": ROWS, "images": ROWS}, "images"),
        ({"odd": ROWS, "line": LINE}, "odd"),
        ({"odd": Held((6,), IMAGES, "images"), "line": LINE}, "odd"),
        ({"odd": ROWS, "y": ROWS}, "odd"),
        ({"x": LINE, "odd": ROWS}, "odd"),
    ],
)
def test_rows_have_a_usual_name_or_no_rival(held, key):
    assert choice(**held).rows(request()) == key


@pytest.mark.parametrize(
    ("held", "text"),
    [
        (
            {"a": ROWS, "b": ROWS},
            r"several things that may be rows: a \(6, 4\) float32, b .* choose",
        ),
        ({"a": LINE}, r"no thing of rows: a \(6,\) int64; expected numbers of two axes"),
        ({"a": Held((6, 4), OTHER, "what")}, r"no thing of rows: a \(6, 4\) what; expected"),
        ({}, r"no thing of rows: \(none\); expected"),
        ({f"a{place:02}": ROWS for place in range(14)}, r"a11 \(6, 4\) float32 and 2 more; choose"),
    ],
)
def test_rows_that_cannot_be_told_are_asked_for(held, text):
    with pytest.raises(DataError, match=text):
        choice(**held).rows(request())


def test_what_the_user_names_must_be_there():
    found = choice(a=ROWS, b=LINE)
    assert found.rows(request(array="b")) == "b"
    assert found.labels("a", (6,), request(labels="b")) == "b"
    for ask in (
        lambda: found.rows(request(array="c")),
        lambda: found.labels("a", (6,), request(labels="c")),
    ):
        with pytest.raises(DataError, match=r"has no thing 'c'; it has a \(6, 4\) float32, b"):
            ask()
    with pytest.raises(DataError, match="no thing 'c'; it has none"):
        choice().rows(request(array="c"))


@pytest.mark.parametrize(
    ("shape", "kind", "fits"),
    [
        ((6,), NUMBERS, True),
        ((6,), TEXTS, True),
        ((6, 1), TEXTS, True),
        ((1, 6), NUMBERS, True),
        ((6, 3), NUMBERS, True),
        ((6, 3), TEXTS, True),
        ((5, 3), TEXTS, False),
        ((5,), NUMBERS, False),
        ((6,), OTHER, False),
        ((6,), IMAGES, False),
        ((), NUMBERS, False),
    ],
)
def test_labels_are_one_for_each_row(shape, kind, fits):
    found = choice(x=ROWS, label=Held(shape, kind, "")).labels("x", (6, 4), request())
    assert found == ("label" if fits else None)


def test_labels_beside_the_rows_come_first():
    found = choice(part__x=ROWS, part__gnd=LINE, y=LINE)
    assert found.labels("part/x", (6,), request()) == "part/gnd"
    assert found.labels("x", (6,), request()) == "y"
    assert found.labels("part/x", (6,), request(labels="none")) is None
    assert found.labels("part/x", (6,), request(Known())) is None


def test_what_is_said():
    found = choice(odd=ROWS, a=ROWS, y=LINE)
    assert [str(each) for each in found.say_rows("odd", (6, 4))] == [
        "rows: the thing 'odd', (6, 4)"
    ]
    assert found.say_rows("x", (6, 4)) == []
    (said,) = found.say_left_out("odd", "y")
    assert str(said) == "left out: 1 things: a (6, 4) float32 [otherwise: --set data.array=a]"
    (said,) = found.say_left_out("odd", "a")
    assert str(said) == "left out: 1 things: y (6,) int64"
    assert found.say_left_out("odd", "a", "y") == []
