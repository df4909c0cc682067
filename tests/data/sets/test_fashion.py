from __future__ import annotations

import pytest

from archbuild.data import load_dataset
from archbuild.data.sets.fashion import FAMILY
from archbuild.data.sets.mnist import FAMILY as MNIST
from tests.data.conftest import found
from tests.data.writers import write_halves


@pytest.mark.parametrize(
    ("place", "end"),
    [("FASHION", ""), ("FashionMNIST/raw", ".gz"), ("fashion-mnist", ".gz"), ("fashion", "")],
)
def test_the_folders_that_go_round_are_looked_into(tmp_path, place, end):
    write_halves(tmp_path / place, FAMILY, end=end)
    dataset = load_dataset("fashion-test", tmp_path)
    assert (dataset.name, dataset.arch_stem) == ("FASHION-TEST", "fashion")
    assert dataset.source == str(tmp_path / place)


def test_classes_have_their_names_in_words(tmp_path):
    write_halves(tmp_path / "FASHION", FAMILY)
    names = load_dataset("FASHION", tmp_path).class_names
    assert (len(names), names[0], names[1], names[9]) == (
        10,
        "T-shirt/top",
        "Trouser",
        "Ankle boot",
    )


def test_files_of_mnist_that_lie_in_the_data_folder_are_not_taken(tmp_path):
    write_halves(tmp_path, MNIST)
    write_halves(tmp_path / "MNIST", MNIST)
    assert found(tmp_path, "MNIST")[0]
    assert not found(tmp_path, "FASHION")[0]


def test_what_to_put_where_is_said(tmp_path):
    there, advice = found(tmp_path, "FASHION-TRAIN")
    assert not there
    assert f"not in {tmp_path / 'FASHION'}; put the IDX files or fashion-mnist.npz" in advice
