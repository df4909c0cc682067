from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from archbuild.data import held_out, load_dataset
from archbuild.data.sets import omniglot
from archbuild.errors import DataError
from tests.data.conftest import found

CHARACTERS = {
    "background": ["Greek/character01", "Greek/character02", "Latin/character01"],
    "evaluation": ["Tengwar/character01", "ULOG/character02"],
}
DRAWERS = 2
SIZES = {part: DRAWERS * len(names) for part, names in CHARACTERS.items()}


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(omniglot, "N_IMAGES", SIZES)


def drawing(number: int, side: int = 105) -> np.ndarray:
    """True where there is paper, ``(side, side)``."""
    return np.random.default_rng(number).random((side, side)) > 0.1


def png(number: int, side: int = 105) -> bytes:
    buffer = BytesIO()
    Image.fromarray(drawing(number, side)).save(buffer, "PNG")
    return buffer.getvalue()


def files(part: str, side: int = 105) -> dict[str, bytes]:
    names = [
        f"{character}/{number:04}_{drawer:02}.png"
        for number, character in enumerate(CHARACTERS[part])
        for drawer in range(DRAWERS)
    ]
    return {name: png(index, side) for index, name in enumerate(names)}


def write(folder: Path, part: str, *, side: int = 105, packed: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if packed:
        with zipfile.ZipFile(folder / f"images_{part}.zip", "w") as archive:
            for name, content in reversed(files(part, side).items()):
                archive.writestr(f"images_{part}/{name}", content)
            archive.writestr(f"__MACOSX/images_{part}/Greek/character01/._0000_00.png", b"")
        return folder / f"images_{part}.zip"
    for name, content in files(part, side).items():
        path = folder / f"images_{part}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder / f"images_{part}"


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("OMNIGLOT", ["background", "evaluation"]),
        ("OMNIGLOT-TRAIN", ["background"]),
        ("OMNIGLOT-TEST", ["evaluation"]),
    ],
)
def test_each_name_has_its_drawings_in_white_on_black(tmp_path, name, parts, packed):
    paths = [write(tmp_path / "OMNIGLOT", part, packed=packed) for part in CHARACTERS]
    dataset = load_dataset(name, tmp_path)
    names = [character for part in parts for character in CHARACTERS[part]]
    assert (dataset.shape, dataset.class_names) == ((1, 105, 105), tuple(names))
    np.testing.assert_array_equal(dataset.labels, np.repeat(np.arange(len(names)), DRAWERS))
    ink = [~drawing(index) for part in parts for index in range(SIZES[part])]
    np.testing.assert_array_equal(dataset.rows(slice(None))[..., 0], np.array(ink, np.float32))
    used = [path for part, path in zip(CHARACTERS, paths, strict=True) if part in parts]
    assert dataset.source == ", ".join(map(str, used))
    assert found(tmp_path, name) == (True, dataset.source)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("shape", [(1, 35, 35), (1225,)])
def test_smaller_images_are_means_over_areas(tmp_path, shape):
    write(tmp_path, "background")
    rows = load_dataset("OMNIGLOT-TRAIN", tmp_path, input_shape=shape).rows([1])[0, ..., 0]
    means = (~drawing(1)).reshape(35, 3, 35, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(rows, means, atol=0.51 / 255)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("shape", [(3, 28, 28), (1, 28, 30), (1, 106, 106), (785,)])
def test_other_inputs_are_refused(tmp_path, shape):
    write(tmp_path, "background")
    with pytest.raises(DataError, match=r"grey squares of at most 105 x 105"):
        load_dataset("OMNIGLOT-TRAIN", tmp_path, input_shape=shape)


@pytest.mark.usefixtures("small")
def test_the_evaluation_set_is_held_out_in_the_size_of_the_other(tmp_path):
    write(tmp_path, "evaluation")
    assert held_out("OMNIGLOT-TRAIN", tmp_path, input_shape=(1, 28, 28)).shape == (1, 28, 28)


@pytest.mark.usefixtures("small")
def test_missing_and_damaged_sets_are_named(tmp_path, monkeypatch):
    path = write(tmp_path, "evaluation")
    with pytest.raises(DataError, match=r"put images_background\.zip there"):
        load_dataset("OMNIGLOT", tmp_path)
    monkeypatch.setattr(omniglot, "N_IMAGES", SIZES | {"evaluation": 5})
    with pytest.raises(DataError, match="has 4 drawings, and the evaluation set of OMNIGLOT has 5"):
        load_dataset("OMNIGLOT-TEST", tmp_path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(DataError, match=r"images_evaluation\.zip cannot be read"):
        load_dataset("OMNIGLOT-TEST", tmp_path)


@pytest.mark.usefixtures("small")
def test_images_of_another_size_and_broken_ones_are_named(tmp_path):
    folder = write(tmp_path, "evaluation", side=100, packed=False)
    with pytest.raises(DataError, match=r"0000_00\.png is an image of 100 x 100 pixels"):
        load_dataset("OMNIGLOT-TEST", tmp_path)
    (folder / "Tengwar" / "character01" / "0000_00.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"character01/0000_00\.png cannot be read"):
        load_dataset("OMNIGLOT-TEST", tmp_path)


def test_the_real_drawings_have_little_ink(real_data):
    dataset = load_dataset("OMNIGLOT-TEST", real_data, input_shape=(1, 28, 28))
    assert (len(dataset), dataset.n_classes) == (13_180, 659)
    np.testing.assert_allclose(dataset.values.mean() / 255, 0.084, atol=0.001)
