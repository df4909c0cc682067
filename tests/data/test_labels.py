from __future__ import annotations

import numpy as np
import pytest

from archbuild.data.labels import count_classes, encode_labels
from archbuild.errors import DataError


@pytest.mark.parametrize(
    ("labels", "codes", "names"),
    [
        (np.array([7, 3, 7], np.uint8), [1, 0, 1], ("3", "7")),
        (np.array([[5.0], [-1.0], [5.0]]), [1, 0, 1], ("-1", "5")),
        (["cat", "ant", "cat"], [1, 0, 1], ("ant", "cat")),
        ([b"cat", b"ant", b"cat"], [1, 0, 1], ("ant", "cat")),
        (np.array([True, False, True]), [1, 0, 1], ("0", "1")),
        (["10", "2", "10"], [1, 0, 1], ("2", "10")),
        (["10", "2", "x"], [0, 1, 2], ("10", "2", "x")),
        (["1.0", "2", "1"], [0, 1, 0], ("1", "2")),
        (["01", "1", "01"], [0, 1, 0], ("01", "1")),
        (["08", "10", "08"], [0, 1, 0], ("08", "10")),
        (np.array(["b", "a", "b"], object), [1, 0, 1], ("a", "b")),
        (np.array([[4, 9, 4]]), [0, 1, 0], ("4", "9")),
        ([np.nan, 10.0, 2.0], [-1, 1, 0], ("2", "10")),
        (["10", "2", " "], [1, 0, -1], ("2", "10")),
        ([2e19, np.nan, 1e19], [1, -1, 0], ("10000000000000000000", "20000000000000000000")),
        (
            [-(2.0**63), 2.0**63, 1.0],
            [0, 2, 1],
            ("-9223372036854775808", "1", "9223372036854775808"),
        ),
        (np.array([2**64 - 1, 0, 5], np.uint64), [2, 0, 1], ("0", "5", "18446744073709551615")),
        ([b"", b"b", b"a"], [-1, 1, 0], ("a", "b")),
        (np.array(["b", None, np.nan], object), [0, -1, -1], ("b",)),
    ],
)
def test_labels_become_contiguous_codes_and_names(labels, codes, names):
    came, classes = encode_labels(labels, 3, "file")
    assert came.dtype == np.int64
    assert came.shape == (3,)
    assert (came.tolist(), classes) == (codes, names)


def test_the_labels_of_sequences_share_their_classes():
    codes, names = encode_labels([["b", "a"], ["c", "a"], ["", "b"]], 3, "file")
    assert codes.tolist() == [[1, 0], [2, 0], [-1, 1]]
    assert names == ("a", "b", "c")


@pytest.mark.parametrize(
    "labels", [["1", "1.0", "2"], ["01", "1", "2"], ["a", "1", "1.0"], ["2", "", "2.0"]]
)
def test_classes_are_counted_as_they_are_encoded(labels):
    assert count_classes(labels) == len(encode_labels(labels, 3, "file")[1])


@pytest.mark.parametrize(
    ("labels", "part"),
    [
        ([1, 2], "shape (2,), and the data have 3 rows"),
        (np.eye(3), "shape (3, 3) and are 0 and 1 alone, which mark classes"),
        ([[1, 0], [0, np.nan], [1, 1]], "shape (3, 2) and are 0 and 1 alone"),
        (np.arange(8).reshape(2, 4), "shape (2, 4), and the data have 3 rows"),
        (np.zeros((3, 2, 2)), "shape (3, 2, 2)"),
        ([0.0, 0.5, 1.0], "row 1 in file is 0.5"),
        ([0.0, np.nan, np.inf], "row 2 in file is inf, and 1 labels in all"),
        ([np.nan] * 3, "no row has a label in file"),
        (["", " ", ""], "no row has a label in file"),
        (np.array([1j, 2, 3]), "complex128"),
        (np.array([[1], [2], None], object), "of type object"),
    ],
)
def test_labels_that_name_no_classes_are_refused(labels, part):
    with pytest.raises(DataError) as caught:
        encode_labels(labels, 3, "file")
    assert part in str(caught.value)
