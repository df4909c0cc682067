from __future__ import annotations

import click
import pytest

from archbuild.cli.numbers import SEED, Whole


@pytest.mark.parametrize("value", ["3", 3, "5"])
def test_a_number_within_the_bounds(value: str | int) -> None:
    assert Whole(3, 5).convert(value, None, None) == int(value)


@pytest.mark.parametrize("value", ["2", "6", "3.5", "many", ""])
def test_what_is_none_is_refused_with_the_bounds(value: str) -> None:
    with pytest.raises(click.BadParameter) as refused:
        Whole(3, 5).convert(value, None, None)
    assert refused.value.message == f"'{value}' is not a whole number from 3 to 5"


def test_a_seed_fits_into_32_bits() -> None:
    assert SEED.convert(str(2**32 - 1), None, None) == 2**32 - 1
    with pytest.raises(click.BadParameter, match="to 4,294,967,295"):
        SEED.convert(str(2**32), None, None)
