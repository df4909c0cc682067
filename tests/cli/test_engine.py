from __future__ import annotations

import pytest

from archbuild.cli.engine import EngineChoice
from archbuild.models.ray_predictions import RayCluster
from tests.cli.calling import Archbuild


def test_this_machine_is_the_default_and_a_cluster_is_as_asked() -> None:
    assert EngineChoice("local", None, None, False).cluster() is None
    assert EngineChoice("ray", None, None, False).cluster() == RayCluster("auto", None, False)
    assert EngineChoice("ray", "h:1", 3, True).cluster() == RayCluster("h:1", 3, True)


@pytest.mark.parametrize(
    ("words", "name"),
    [(["--address", "h:1"], "--address"), (["--workers", "2"], "--workers"), (["--shared"],) * 2],
)
def test_options_of_a_cluster_mean_nothing_without_it(
    archbuild: Archbuild, words: list[str], name: str | list[str]
) -> None:
    status, out, err = archbuild("predict", "-d", "DIGITS", "--published", "digits", *words)
    assert (status, out) == (2, "")
    assert f"{''.join(name)}: for a Ray cluster only; add --engine ray" in err
