from __future__ import annotations

import pytest

from archbuild.printable import one_line
from archbuild.spec import parse_text
from archbuild.spec.line import quoted

ODD = "a\nb\r\tc\x85d\u2028e\x1b[31mf\x00g\U000e0001h\u00a0i"


def test_whatever_ends_or_hides_a_line_is_escaped() -> None:
    assert one_line("größe, 日本 'x'\\N") == "größe, 日本 'x'\\N"
    found = one_line(ODD)
    assert found.isprintable()
    assert found.startswith(r"a\nb\r\tc\u0085d\u2028e\u001b[31mf\u0000g\U000e0001h")


@pytest.mark.parametrize(
    "text", ["x", "layers/counts", "null", "no", "1", "1e3", "a b", "\\N", 'q"', "a: b", "#"]
)
def test_a_value_is_read_as_the_text_that_it_was(text: str) -> None:
    assert parse_text(f"key: {quoted(text)}", "t", "yaml").tree == {"key": text}
    assert quoted("layers/counts") == "layers/counts"
