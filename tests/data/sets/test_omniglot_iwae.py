from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from archbuild.data import held_out, load_dataset
from archbuild.data.sets import omniglot_iwae
from archbuild.errors import DataError
from tests.data.conftest import found
from tests.data.writers import write_73

SIZES = {"train": 7, "test": 4}
PREFIX = {"train": "", "test": "test"}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(omniglot_iwae, "N_IMAGES", SIZES)


def images_of(part: str) -> np.ndarray:
    """``(n, 28, 28)``, upright."""
    return np.random.default_rng(SIZES[part]).random((SIZES[part], 28, 28))


def alphabets_of(part: str) -> np.ndarray:
    """``(n,)`` from 0, as the place of the 1 in the file."""
    return np.arange(SIZES[part]) % 3 + 11


def arrays_of() -> dict[str, np.ndarray]:
    """Both parts, a column for each drawing, in MATLAB's order of pixels."""
    arrays: dict[str, np.ndarray] = {}
    for part, size in SIZES.items():
        upright = images_of(part)
        marks = np.zeros((50, size))
        marks[alphabets_of(part), np.arange(size)] = 1
        arrays[f"{PREFIX[part]}data"] = upright.swapaxes(1, 2).reshape(size, 784).T
        arrays[f"{PREFIX[part]}target"] = marks
        arrays[f"{PREFIX[part]}targetchar"] = np.ones((1, size)) + np.arange(size) % 2
    return arrays


def write(folder: Path, **changes: np.ndarray | None) -> Path:
    """Write both parts; without those whose change is ``None``."""
    folder.mkdir(parents=True, exist_ok=True)
    everything = {**arrays_of(), **changes}
    kept = {name: array for name, array in everything.items() if array is not None}
    savemat(folder / "chardata.mat", kept, do_compression=True)
    return folder / "chardata.mat"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("OMNIGLOT-IWAE", ["train", "test"]),
        ("OMNIGLOT-IWAE-TRAIN", ["train"]),
        ("OMNIGLOT-IWAE-TEST", ["test"]),
    ],
)
def test_each_name_has_its_part_upright(tmp_path, name, parts):
    path = write(tmp_path / "OMNIGLOT")
    dataset = load_dataset(name, tmp_path)
    expected = np.concatenate([images_of(part) for part in parts])
    np.testing.assert_allclose(dataset.rows(slice(None))[..., 0], expected, rtol=1e-6)
    assert (dataset.shape, dataset.source) == ((1, 28, 28), str(path))
    assert found(tmp_path, name) == (True, str(path))


def test_a_file_of_version_7_3_is_the_same(tmp_path):
    old = load_dataset("OMNIGLOT-IWAE", write(tmp_path / "old").parent)
    (tmp_path / "new").mkdir()
    write_73(tmp_path / "new" / "chardata.mat", **arrays_of())
    new = load_dataset("OMNIGLOT-IWAE", tmp_path / "new")
    np.testing.assert_array_equal(new.rows(slice(None)), old.rows(slice(None)))
    assert (new.labels.tolist(), new.class_names) == (old.labels.tolist(), old.class_names)


def test_the_classes_are_those_of_the_whole_file(tmp_path):
    write(tmp_path)
    train, test = (
        load_dataset("OMNIGLOT-IWAE-TRAIN", tmp_path),
        held_out("OMNIGLOT-IWAE-TRAIN", tmp_path),
    )
    assert test.name == "OMNIGLOT-IWAE-TEST"
    assert train.class_names == test.class_names
    assert [test.class_names[label] for label in test.labels] == [
        "alphabet 12, character 01",
        "alphabet 13, character 02",
        "alphabet 14, character 01",
        "alphabet 12, character 02",
    ]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"target": None}, "has no variable 'target'"),
        ({"data": np.zeros((784, 6))}, r"'data' has shape \(784, 6\), and \(784, 7\) was expected"),
        ({"testdata": np.full((784, 4), 255.0)}, "'testdata' has values from 255 to 255"),
    ],
)
def test_other_files_are_refused(tmp_path, change, part):
    write(tmp_path, **change)
    with pytest.raises(DataError, match=part):
        load_dataset("OMNIGLOT-IWAE", tmp_path)


def test_where_the_file_belongs_is_said(tmp_path):
    with pytest.raises(DataError, match=r"not in .*OMNIGLOT; put the chardata\.mat"):
        load_dataset("OMNIGLOT-IWAE-TEST", tmp_path)
