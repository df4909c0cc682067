from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from archbuild.experiments.request import ExperimentRequest, with_clusters

REQUEST = ExperimentRequest(
    "my data.csv", "0", "kld", ("head.n_clusters=auto", "batch_size=9"), 3, Path("in"), Path("out")
)


def test_the_command_asks_for_the_request_again():
    assert REQUEST.command() == (
        "archbuild -d 'my data.csv' -a 0 --seed 3 --head kld --set head.n_clusters=auto "
        "--set batch_size=9 --data-dir in --out out"
    )


def test_the_number_of_clusters_of_a_command_is_replaced():
    assert with_clusters(REQUEST.command(), 7) == (
        "archbuild -d 'my data.csv' -a 0 --seed 3 --head kld --set batch_size=9 --data-dir in "
        "--out out --set head.n_clusters=7"
    )


def test_the_number_of_clusters_is_added_to_a_command_without_one():
    assert with_clusters("archbuild -d DIGITS -a 0", 7).endswith("-a 0 --set head.n_clusters=7")


def test_a_precision_is_part_of_the_command_unless_it_is_float32():
    assert "--precision" not in REQUEST.command()
    mixed = replace(REQUEST, precision="mixed_bfloat16")
    assert "--precision mixed_bfloat16 --data-dir" in mixed.command()
