from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from archbuild.data import (
    DATASETS,
    Dataset,
    arch_stem,
    data_folder,
    find_datasets,
    held_out,
    load_dataset,
    registry,
)
from archbuild.data.request import Known
from archbuild.errors import DataError


def test_the_registry_names_each_source_once():
    assert list(DATASETS) == [
        "DIGITS",
        "SPIRAL",
        "HALFMOON",
        "HALFMOON-TEST",
        "HALFMOON-CLEAR",
        "HALFMOON-CLEAR-TEST",
        "MNIST",
        "MNIST-60K",
        "MNIST-TRAIN",
        "MNIST-TEST",
        "BINARIZED_MNIST",
        "BINARIZED_MNIST-60K",
        "BINARIZED_MNIST-TRAIN",
        "BINARIZED_MNIST-VALID",
        "BINARIZED_MNIST-TEST",
        "FASHION",
        "FASHION-TRAIN",
        "FASHION-TEST",
        "COIL20",
        "SERKET3000",
        "SVHN",
        "SVHN-TRAIN",
        "SVHN-TEST",
        "NORB",
        "NORB-TRAIN",
        "NORB-TEST",
        "HAR",
        "HAR-TRAIN",
        "HAR-TEST",
        "OMNIGLOT",
        "OMNIGLOT-TRAIN",
        "OMNIGLOT-TEST",
        "OMNIGLOT-IWAE",
        "OMNIGLOT-IWAE-TRAIN",
        "OMNIGLOT-IWAE-TEST",
        "CLUTTERED",
        "CLUTTERED-VALID",
        "CLUTTERED-TEST",
        "CLUTTERED-SMALL",
        "CLUTTERED-SMALL-VALID",
        "CLUTTERED-SMALL-TEST",
    ]
    assert all(name == source.name for name, source in DATASETS.items())


def test_the_data_folder_is_the_argument_then_the_environment_then_datasets(monkeypatch):
    monkeypatch.setenv("ARCHBUILD_DATA", "/from/environment")
    assert data_folder(Path("given")) == Path("given")
    assert data_folder() == Path("/from/environment")
    monkeypatch.delenv("ARCHBUILD_DATA")
    assert data_folder() == Path("datasets")


def test_find_datasets_answers_for_every_name_with_what_to_do(tmp_path):
    answers = find_datasets(tmp_path)
    assert [answer.name for answer in answers] == list(DATASETS)
    made = ("HALFMOON", "CLUTTERED")
    generated = ["DIGITS", "SPIRAL", *(name for name in DATASETS if name.startswith(made))]
    assert [answer.name for answer in answers if answer.found] == generated
    assert all("put" in answer.where for answer in answers if not answer.found)


@pytest.mark.parametrize("ask", [load_dataset, arch_stem, held_out])
def test_a_misspelt_name_brings_the_close_one(ask):
    with pytest.raises(DataError, match=r"no dataset 'mnits'; did you mean MNIST\?"):
        ask("mnits")
    with pytest.raises(DataError, match=r"no dataset 'qqqqqq'\. Known by name: DIGITS, SPIRAL"):
        ask("qqqqqq")


def test_each_training_half_has_its_held_out_half():
    pairs = {name: source.held_out for name, source in DATASETS.items() if source.held_out}
    assert pairs == {
        "HALFMOON": "HALFMOON-TEST",
        "HALFMOON-CLEAR": "HALFMOON-CLEAR-TEST",
        "MNIST-TRAIN": "MNIST-TEST",
        "BINARIZED_MNIST-60K": "BINARIZED_MNIST-TEST",
        "BINARIZED_MNIST-TRAIN": "BINARIZED_MNIST-TEST",
        "FASHION-TRAIN": "FASHION-TEST",
        "SVHN-TRAIN": "SVHN-TEST",
        "NORB-TRAIN": "NORB-TEST",
        "HAR-TRAIN": "HAR-TEST",
        "OMNIGLOT-TRAIN": "OMNIGLOT-TEST",
        "OMNIGLOT-IWAE-TRAIN": "OMNIGLOT-IWAE-TEST",
        "CLUTTERED": "CLUTTERED-TEST",
        "CLUTTERED-SMALL": "CLUTTERED-SMALL-TEST",
    }
    assert all(arch_stem(train) == arch_stem(test) for train, test in pairs.items())


def test_the_held_out_half_is_loaded_for_the_same_input(monkeypatch):
    asked = []

    def load(data, input_shape):
        asked.append((data, input_shape))
        return Dataset("HAR-TEST", np.zeros((3, 2)))

    entry = replace(DATASETS["HAR-TEST"], load=load)
    monkeypatch.setattr(registry, "DATASETS", {**DATASETS, "HAR-TEST": entry})
    unseen = held_out("har-train", Path("here"), input_shape=(9, 28, 28))
    assert unseen is not None
    assert unseen.name == "HAR-TEST"
    assert asked == [(Path("here"), (9, 28, 28))]


def test_whole_datasets_and_own_data_have_no_held_out_half(tmp_path):
    assert held_out("DIGITS") is None
    assert held_out("mnist-60k", tmp_path) is None
    assert held_out(str(tmp_path / "own.npy")) is None


def test_a_held_out_half_that_is_not_there_is_said_to_be_missing(tmp_path):
    with pytest.raises(DataError, match=r"SVHN-TEST is not in .*; put test_32x32"):
        held_out("SVHN-TRAIN", tmp_path)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(DataError, match=r"there is no file or folder .*gone\.npy"):
        load_dataset(str(tmp_path / "gone.npy"))


def test_an_unknown_kind_of_file_brings_the_known_ones(tmp_path):
    (tmp_path / "x.pkl").write_bytes(b"")
    with pytest.raises(DataError, match=r"expected one of \.npy, \.npz, \.csv"):
        load_dataset(str(tmp_path / "x.pkl"))


def test_arch_stem_is_known_without_loading(tmp_path):
    assert arch_stem("mnist-60k") == "mnist"
    assert arch_stem("SERKET3000") == "serket3000"
    assert arch_stem("some/my table.csv:species") == "my-table"
    assert arch_stem(str(tmp_path)) == tmp_path.name


def test_arch_stem_is_that_of_the_loaded_dataset(tmp_path):
    np.save(tmp_path / "my points.npy", np.zeros((3, 2)))
    dataset = load_dataset(str(tmp_path / "my points.npy"))
    assert dataset.arch_stem == dataset.name == "my-points"
    assert arch_stem(str(tmp_path / "my points.npy")) == "my-points"


def test_importing_the_room_loads_nothing_heavy():
    heavy = "{'keras', 'tensorflow', 'sklearn', 'scipy', 'PIL', 'matplotlib'}"
    code = f"import sys, archbuild.data; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_unseen_rows_of_a_table_are_encoded_as_those_of_training(tmp_path):
    for part, lines in (
        ("TRAIN", ["Oslo,1,a", "Bern,2,b"] * 4),
        ("TEST", ["Bern,4,b", "Oslo,5,a"]),
    ):
        (tmp_path / f"Own_{part}.csv").write_text("\n".join(["city,size,kind", *lines]))
    text = f"{tmp_path / 'Own_TRAIN.csv'}:kind"
    trained = load_dataset(text)
    known = Known(trained.columns, trained.encoding, trained.scale)
    unseen = held_out(text, known=known)
    assert unseen.columns == trained.columns
    assert unseen.values[:, trained.columns.index("city=Oslo")].tolist() == [0, 1]
    assert [unseen.class_names[code] for code in unseen.labels] == ["b", "a"]
