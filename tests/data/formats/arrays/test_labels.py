from __future__ import annotations

import numpy as np
import pytest

from archbuild.data.formats.arrays.labels import judge_labels
from archbuild.errors import DataError


@pytest.mark.parametrize("kind", [np.uint8, np.float64, bool])
def test_marks_of_classes_become_their_numbers(kind):
    labels, (said,) = judge_labels(np.eye(3, dtype=kind)[[2, 0, 1, 1]], "y")
    assert labels.tolist() == [2, 0, 1, 1]
    assert "the array 'y', in which a 1 marks one of 3 classes" in str(said)


def test_a_row_of_nan_among_marks_has_no_label():
    marks = np.eye(3)[[2, 0, 1]]
    marks[1] = np.nan
    labels, (said,) = judge_labels(marks, "y")
    np.testing.assert_array_equal(labels, [2, np.nan, 1])
    assert "marks one of 3 classes; 1 of 3 rows have no label" in str(said)


def test_marks_of_none_or_several_classes_are_no_labels():
    marks = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]])
    kept, (said,) = judge_labels(marks, "y")
    assert kept is None
    assert "rows of 0 and 1 that mark none or several" in str(said)
    with pytest.raises(DataError, match="mark none or several"):
        judge_labels(marks, "y", "y")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.array([[3, 1], [4, 1], [5, 9]]), "the array 'y', 2 labels of each row"),
        (
            np.array([["a", "b"], ["b", ""], ["a", "a"]]),
            "the array 'y', 2 labels of each row; 1 of 3 rows lack some of them",
        ),
    ],
)
def test_a_row_may_have_a_sequence_of_labels(labels, words):
    kept, (said,) = judge_labels(labels, "y")
    assert kept is labels
    assert words in str(said)


@pytest.mark.parametrize(
    ("labels", "cause"),
    [
        ([0.5, 1], "fractions"),
        ([0.0, np.inf], "infinity"),
        ([np.nan, np.nan], "NaN alone"),
        ([0.5, np.nan], "fractions"),
        (np.arange(60), "60 different numbers in 60 rows"),
    ],
)
def test_what_names_no_classes_is_left_out_with_the_cause(labels, cause):
    kept, (said,) = judge_labels(labels, "y")
    assert kept is None
    line = f"labels: none; the array 'y' has {cause}, so it names no classes, and is left out"
    can_be_told = len(labels) == 60  # fractions and infinity are no classes whoever asks
    assert str(said) == line + " [otherwise: --set data.labels=y]" * can_be_told


def test_what_the_user_names_is_taken_unless_it_cannot_be():
    assert judge_labels(np.arange(60), "y", "y")[0].shape == (60,)
    with pytest.raises(DataError, match="'y' has infinity"):
        judge_labels([np.inf, 1.0], "y", "y")


@pytest.mark.parametrize("labels", [[1.0, np.nan, 2.0, np.nan], np.array(["a", "", "b", " "])])
def test_rows_without_a_label_are_counted(labels):
    kept, (said,) = judge_labels(labels, "y")
    assert len(kept) == 4
    assert "the array 'y'; 2 of 4 rows have no label" in str(said)


def test_texts_in_cells_are_texts():
    cells = np.array([[np.array(["cat"])], [np.array(["dog"])]], object)
    assert judge_labels(cells, "y")[0].tolist() == ["cat", "dog"]
    mixed = np.array([1, "dog"], object)
    assert judge_labels(mixed, "y")[0] is mixed
