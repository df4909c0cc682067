from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.io import savemat

from archbuild.data import load_dataset
from archbuild.data.formats.arrays.sparse import dense
from archbuild.errors import DataError

IDENTITY = np.eye(4)


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"])
def test_every_layout_becomes_the_same_array(kind):
    matrix = sparse.csr_matrix(IDENTITY).asformat(kind)
    np.testing.assert_array_equal(dense(matrix, "x"), IDENTITY)


@pytest.mark.parametrize("kind", ["csr", "csc", "coo"])
def test_an_index_outside_is_refused_before_anything_is_written_there(kind):
    matrix = sparse.csr_matrix(IDENTITY).asformat(kind)
    indices = matrix.coords[0] if kind == "coo" else matrix.indices
    indices[-1] = 2**30
    with pytest.raises(DataError, match=r"the sparse matrix in x .*(damaged|cannot be read)"):
        dense(matrix, "x")


@pytest.mark.parametrize("kind", ["csr", "csc", "bsr"])
@pytest.mark.parametrize(
    "pointers", [[0, 2, 3, 4, 0], [0, 3, 2, 3, 4], [1, 2, 3, 4, 4], [0, 2**31 - 1, -2, 3, 4]]
)
def test_pointers_that_do_not_rise_are_refused_before_memory_is_overrun(kind, pointers):
    matrix = sparse.csr_matrix(IDENTITY).asformat(kind)
    matrix.indptr = np.array(pointers, np.int32)
    with pytest.raises(DataError, match="its pointers do not rise from 0 to the number of its"):
        dense(matrix, "x")


def test_a_damaged_sparse_variable_is_refused(tmp_path):
    matrix = sparse.csc_matrix(IDENTITY)
    savemat(tmp_path / "own.mat", {"X": matrix})
    content = (tmp_path / "own.mat").read_bytes()
    rows = np.arange(4, dtype="<i4").tobytes()
    broken = rows[:-4] + np.array([2**30], "<i4").tobytes()
    assert content.count(rows) > 0
    (tmp_path / "own.mat").write_bytes(content.replace(rows, broken, 1))
    with pytest.raises(DataError, match="an index lies outside of a sparse variable"):
        load_dataset(str(tmp_path / "own.mat"))
