from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from archbuild.data import DATASETS, arch_stem, data_folder, find_datasets, load_dataset
from archbuild.errors import DataError


def test_the_registry_names_each_source_once():
    assert list(DATASETS) == ["DIGITS", "MNIST", "MNIST-60K", "MNIST-TEST", "COIL20", "SERKET3000"]
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
    assert [answer.name for answer in answers if answer.found] == ["DIGITS"]
    assert all("put" in answer.where for answer in answers if not answer.found)


@pytest.mark.parametrize("ask", [load_dataset, arch_stem])
def test_a_misspelt_name_brings_the_close_one(ask):
    with pytest.raises(DataError, match=r"no dataset 'mnits'; did you mean MNIST\?"):
        ask("mnits")
    with pytest.raises(DataError, match=r"no dataset 'qqqqqq'\. Known by name: DIGITS, MNIST"):
        ask("qqqqqq")


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(DataError, match=r"there is no file or folder .*gone\.npy"):
        load_dataset(str(tmp_path / "gone.npy"))


def test_an_unknown_kind_of_file_brings_the_known_ones(tmp_path):
    (tmp_path / "x.pkl").write_bytes(b"")
    with pytest.raises(DataError, match=r"expected one of \.npy, \.npz, \.csv"):
        load_dataset(str(tmp_path / "x.pkl"))


def test_arch_stem_is_known_without_loading(tmp_path):
    assert arch_stem("mnist-60k") == "mnist"
    assert arch_stem("SERKET3000") == "mnist"
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
