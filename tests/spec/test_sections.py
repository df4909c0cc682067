from __future__ import annotations

import pytest

from archbuild.errors import SpecError
from archbuild.spec.sections import data_section


def test_assignments_make_a_section():
    section = data_section(["data.header=false", "data.columns={a b: category}"])
    assert section == {"header": False, "columns": {"a b": "category"}}
    assert data_section([]) == {}


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("data.heder=false", "did you mean 'header'"),
        ("data.header=7", "true or false"),
        ("data.columns.a=number7", "columns"),
    ],
)
def test_unknown_keys_and_values_are_refused(assignment, message):
    with pytest.raises(SpecError) as caught:
        data_section([assignment])
    assert message in str(caught.value)
