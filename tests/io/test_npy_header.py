from __future__ import annotations

import io

import numpy as np
import pytest

from archbuild.io.npy_header import read_header


def saved(array: np.ndarray, version: tuple[int, int] = (1, 0)) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version)
    return stream.getvalue()


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_header_is_read_and_the_stream_left_behind_it(
    order: str, version: tuple[int, int]
) -> None:
    array = np.array([[1.5, 2], [3, 4]], order=order)
    stream = io.BytesIO(saved(array, version))
    assert read_header(stream) == ((2, 2), order == "F", np.dtype("float64"))
    assert stream.read() == array.tobytes("A")


def test_a_header_of_python_2_is_read_without_a_word(recwarn: pytest.WarningsRecorder) -> None:
    content = saved(np.zeros(3)).replace(b"(3,), } ", b"(3L,), }")
    assert read_header(io.BytesIO(content))[0] == (3,)
    assert not recwarn.list


@pytest.mark.parametrize(
    ("place", "byte", "said"),
    [(20, 0x1B, "no text"), (20, 0xC9, "no text"), (6, 9, "not known"), (9, 0xFF, "at most")],
)
def test_what_is_no_header_never_reaches_the_parser(place: int, byte: int, said: str) -> None:
    content = bytearray(saved(np.zeros(3)))
    content[place] = byte
    with pytest.raises(ValueError, match=said):
        read_header(io.BytesIO(content))
