from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from archbuild.data import load_dataset
from archbuild.data.sets import har
from archbuild.errors import DataError
from tests.data.conftest import found

SIZES = {"train": 5, "test": 3}
LABELS = {"train": [5, 1, 6, 2, 2], "test": [3, 4, 1]}
SIGNALS = [
    f"{kind}_{axis}" for kind in ("body_acc", "body_gyro", "total_acc") for axis in ("x", "y", "z")
]
OUTER = "human+activity+recognition+using+smartphones.zip"
FOLDER = "UCI HAR Dataset"


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(har, "N_WINDOWS", SIZES)


def windows_of(half: str) -> np.ndarray:
    """``(n, 128, 9)``."""
    return np.random.default_rng(SIZES[half]).normal(size=(SIZES[half], 128, 9))


def official(number: float) -> str:
    """Sixteen places with three digits of exponent, as in the official files."""
    mantissa, exponent = f"{number:.7e}".split("e")
    return f"{mantissa}e{int(exponent):+04d}".rjust(16)


def shortened(sizes: dict[str, int]) -> dict[str, str]:
    """The files with the first rows alone."""
    return {
        name: "".join(content.splitlines(keepends=True)[: sizes[name.partition("/")[0]]])
        for name, content in files().items()
    }


def files() -> dict[str, str]:
    """Every file by its path in the official folder."""
    contents = {}
    for half, windows in ((half, windows_of(half)) for half in SIZES):
        contents[f"{half}/y_{half}.txt"] = "".join(f"{label}\n" for label in LABELS[half])
        for channel, signal in enumerate(SIGNALS):
            rows = ("".join(map(official, row)) for row in windows[..., channel])
            contents[f"{half}/Inertial Signals/{signal}_{half}.txt"] = "\n".join(rows) + "\n"
    return contents


def write_folder(folder: Path) -> Path:
    for name, content in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def write_part(path: Path, sizes: dict[str, int]) -> None:
    """An archive of some windows, without entries for its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in shortened(sizes).items():
            archive.writestr(f"{FOLDER}/{name}", content)


def archive_bytes() -> bytes:
    """The official archive, with the litter that a Mac leaves in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{FOLDER}/", "")
        for name, content in files().items():
            head, _, last = name.rpartition("/")
            archive.writestr(f"{FOLDER}/{name}", content)
            archive.writestr(f"__MACOSX/{FOLDER}/{head}/._{last}", "litter")
    return buffer.getvalue()


def write_outer(path: Path, inner: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{FOLDER}.names", "notes")
        archive.writestr(f"{FOLDER}.zip", inner)


def reference_image(window: np.ndarray, side: int) -> np.ndarray:
    """``(side, side)`` from 128 steps, pixel by pixel."""
    image = np.concatenate([np.zeros(8), window, np.zeros(8)]).reshape(12, 12)
    resized = np.empty((side, side))
    for row in range(side):
        for column in range(side):
            y = min(max((row + 0.5) * 12 / side - 0.5, 0), 11)
            x = min(max((column + 0.5) * 12 / side - 0.5, 0), 11)
            top, left = min(int(y), 10), min(int(x), 10)
            down, right = y - top, x - left
            upper = (1 - right) * image[top, left] + right * image[top, left + 1]
            lower = (1 - right) * image[top + 1, left] + right * image[top + 1, left + 1]
            resized[row, column] = (1 - down) * upper + down * lower
    return resized


@pytest.mark.parametrize("place", [f"HAR/{FOLDER}", "HAR", "har", FOLDER, "."])
def test_the_folder_is_read_wherever_it_usually_lies(tmp_path, place):
    folder = write_folder(tmp_path / place)
    dataset = load_dataset("har", tmp_path)
    expected = np.concatenate([windows_of("train"), windows_of("test")])
    assert (dataset.shape, dataset.values.dtype) == ((9, 128), np.float32)
    np.testing.assert_allclose(dataset.values, expected, rtol=1e-6)
    assert dataset.source == str(folder)
    assert found(tmp_path, "HAR") == (True, str(folder))


@pytest.mark.parametrize("half", ["train", "test"])
def test_a_half_needs_its_own_files_only(tmp_path, half):
    folder = write_folder(tmp_path / FOLDER)
    other = {"train": "test", "test": "train"}[half]
    (folder / other / f"y_{other}.txt").unlink()
    dataset = load_dataset(f"HAR-{half}", tmp_path)
    np.testing.assert_allclose(dataset.values, windows_of(half), rtol=1e-6)
    assert (dataset.labels + 1).tolist() == LABELS[half]
    assert (dataset.name, dataset.arch_stem) == (f"HAR-{half.upper()}", "har")
    assert found(tmp_path, f"HAR-{half.upper()}")[0]
    assert not found(tmp_path, "HAR")[0]


def test_labels_stand_for_activities(tmp_path):
    write_folder(tmp_path / FOLDER)
    dataset = load_dataset("HAR", tmp_path)
    names = [dataset.class_names[label] for label in dataset.labels]
    train = ["STANDING", "WALKING", "LAYING", "WALKING_UPSTAIRS", "WALKING_UPSTAIRS"]
    assert names == [*train, "WALKING_DOWNSTAIRS", "SITTING", "WALKING"]


@pytest.mark.parametrize("nested", [True, False])
def test_the_archive_is_read_as_it_was_downloaded(tmp_path, nested):
    path = tmp_path / "HAR" / (OUTER if nested else f"{FOLDER}.zip")
    path.parent.mkdir()
    if nested:
        write_outer(path, archive_bytes())
    else:
        path.write_bytes(archive_bytes())
    dataset = load_dataset("HAR-TEST", tmp_path)
    np.testing.assert_allclose(dataset.values, windows_of("test"), rtol=1e-6)
    assert dataset.source == str(path)
    assert found(tmp_path, "HAR") == (True, str(path))


@pytest.mark.parametrize("side", [12, 13, 28])
def test_an_input_of_square_images_brings_the_image_view(tmp_path, side):
    write_folder(tmp_path / FOLDER)
    dataset = load_dataset("HAR-TEST", tmp_path, input_shape=(9, side, side))
    assert (dataset.shape, dataset.values.dtype) == ((9, side, side), np.float32)
    expected = [
        np.stack([reference_image(channel, side) for channel in window.T], axis=-1)
        for window in windows_of("test")
    ]
    np.testing.assert_allclose(dataset.values, expected, atol=1e-5)


@pytest.mark.parametrize("input_shape", [(9, 128), (1152,), (1, 128, 9)])
def test_other_inputs_bring_the_series(tmp_path, input_shape):
    write_folder(tmp_path / FOLDER)
    dataset = load_dataset("HAR-TEST", tmp_path, input_shape=input_shape)
    assert dataset.shape == (9, 128)
    assert dataset.fitted_to(input_shape).shape == input_shape


@pytest.mark.parametrize("input_shape", [(9, 11, 11), (9, 28, 14)])
def test_images_that_cannot_be_made_are_refused(tmp_path, input_shape):
    with pytest.raises(DataError, match=r"square with sides of 12 or more; write output_shape"):
        load_dataset("HAR", tmp_path, input_shape=input_shape)


def test_nothing_there_says_what_to_put_where(tmp_path):
    with pytest.raises(DataError) as caught:
        load_dataset("HAR", tmp_path)
    for part in (str(tmp_path / "HAR"), OUTER, FOLDER):
        assert part in str(caught.value)
    assert not found(tmp_path, "HAR")[0]


def test_a_missing_file_is_named(tmp_path):
    folder = write_folder(tmp_path / FOLDER)
    (folder / "train" / "Inertial Signals" / "body_gyro_y_train.txt").unlink()
    with pytest.raises(DataError) as caught:
        load_dataset("HAR", tmp_path)
    assert "without 1 of the 20 files" in str(caught.value)
    assert "'train/Inertial Signals/body_gyro_y_train.txt'" in str(caught.value)
    assert found(tmp_path, "HAR") == (False, str(caught.value))


@pytest.mark.parametrize(
    ("name", "change", "part"),
    [
        ("test/y_test.txt", lambda text: text[:-2], "has 3 windows, and 'test/y_test.txt' has 2"),
        ("test/y_test.txt", lambda text: text + "4\n", "has 4 labels, and HAR has 3 there"),
        ("test/y_test.txt", lambda text: "", "has 0 labels, and HAR has 3 there"),
        (
            "test/y_test.txt",
            lambda text: text.replace("4", "4 4"),
            "cannot be read as a table",
        ),
        ("test/y_test.txt", lambda text: text.replace("\n", " 1\n"), "has rows of 2 numbers"),
        ("test/y_test.txt", lambda text: text.replace("4", "7"), "labels from 1 to 7"),
        ("test/y_test.txt", lambda text: text.replace("1", "0"), "labels from 0 to 4"),
        (
            "test/y_test.txt",
            lambda text: text.replace("4", "standing"),
            "cannot be read as a table",
        ),
        (
            "test/Inertial Signals/total_acc_z_test.txt",
            lambda text: text[:-40],
            "cannot be read as a table",
        ),
        (
            "test/Inertial Signals/total_acc_z_test.txt",
            lambda text: text[: text.index("\n") + 1],
            "has 1 windows, and 'test/y_test.txt' has 3 labels",
        ),
        (
            "test/Inertial Signals/total_acc_z_test.txt",
            lambda text: "",
            "has 0 windows, and 'test/y_test.txt' has 3 labels",
        ),
        (
            "test/Inertial Signals/body_acc_x_test.txt",
            lambda text: f"{'nan':>16}{text[16:]}",
            "NaN, infinity or numbers beyond float32 in 1 of 3 rows",
        ),
    ],
)
def test_damaged_files_are_refused(tmp_path, name, change, part):
    path = write_folder(tmp_path / FOLDER) / name
    path.write_text(change(path.read_text()))
    with pytest.raises(DataError) as caught:
        load_dataset("HAR-TEST", tmp_path)
    assert part in str(caught.value)
    assert str(tmp_path / FOLDER) in str(caught.value)


def test_a_damaged_file_in_the_inner_archive_is_named(tmp_path):
    content = archive_bytes()
    damaged = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(damaged, "w") as target,
    ):
        for info in source.infolist():
            text = source.read(info)
            target.writestr(
                info.filename, text[:-40] if "body_acc_x_test" in info.filename else text
            )
    write_outer(tmp_path / OUTER, damaged.getvalue())
    with pytest.raises(DataError) as caught:
        load_dataset("HAR-TEST", tmp_path)
    assert "'test/Inertial Signals/body_acc_x_test.txt' in" in str(caught.value)
    assert OUTER in str(caught.value)


@pytest.mark.parametrize("where", ["outer", "inner"])
def test_an_archive_cut_short_is_refused_and_reported_by_find(tmp_path, where):
    inner = archive_bytes()
    path = tmp_path / OUTER
    write_outer(path, inner if where == "outer" else inner[:-2000])
    if where == "outer":
        path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match=r"cannot be read as a zip archive .* download it again"):
        load_dataset("HAR", tmp_path)
    there, why = found(tmp_path, "HAR")
    assert not there
    assert "download it again" in why


def test_flipped_bits_in_the_archive_are_noticed(tmp_path):
    content = bytearray(archive_bytes())
    start = content.index(f"{FOLDER}/test/Inertial Signals/body_acc_x_test.txt".encode())
    content[start + 300] ^= 0xFF
    (tmp_path / f"{FOLDER}.zip").write_bytes(content)
    with pytest.raises(DataError, match=r"body_acc_x_test\.txt' in .* cannot be read as a tab"):
        load_dataset("HAR-TEST", tmp_path)


def test_another_archive_is_said_to_be_without_the_files(tmp_path):
    with zipfile.ZipFile(tmp_path / OUTER, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(DataError, match="is without 20 of the 20 files"):
        load_dataset("HAR", tmp_path)


# -- a part of the windows ---------------------------------------------------------------------


PART = {"train": 4, "test": 2}


@pytest.mark.parametrize("place", ["HAR_SUBSET", "HAR", "."])
def test_a_part_is_found_and_says_so(tmp_path, place):
    path = tmp_path / place / "UCI-HAR-subset-4-2.zip"
    write_part(path, PART)
    dataset = load_dataset("HAR", tmp_path)
    expected = np.concatenate([windows_of(half)[: PART[half]] for half in PART])
    np.testing.assert_allclose(dataset.values, expected, rtol=1e-6)
    assert (dataset.labels + 1).tolist() == [*LABELS["train"][:4], *LABELS["test"][:2]]
    words = "4 of 5 training windows and 2 of 3 test windows"
    assert [str(guess) for guess in dataset.guesses] == [f"part: {words} of HAR are here"]
    assert dataset.source == str(path)
    assert found(tmp_path, "HAR") == (True, f"{path}, with {words}")


def test_a_half_of_a_part_says_how_much_of_the_half_it_is(tmp_path):
    write_part(tmp_path / "HAR_SUBSET" / "UCI-HAR-subset-5-2.zip", {"train": 5, "test": 2})
    (said,) = load_dataset("HAR-TEST", tmp_path).guesses
    assert said.found == "2 of 3 test windows of HAR are here"
    assert load_dataset("HAR-TRAIN", tmp_path).guesses == ()
    (said,) = load_dataset("HAR", tmp_path).guesses
    assert said.found == "5 of 5 training windows and 2 of 3 test windows of HAR are here"


@pytest.mark.parametrize("place", [FOLDER, "HAR_SUBSET", f"HAR_SUBSET/{FOLDER}"])
def test_a_part_that_was_unpacked_is_found(tmp_path, place):
    for name, content in shortened(PART).items():
        path = tmp_path / place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    assert len(load_dataset("HAR", tmp_path)) == 6
    assert found(tmp_path, "HAR")[1].startswith(f"{tmp_path / place}, with 4 of 5 training")


def test_the_whole_is_read_where_a_part_is_there_too(tmp_path):
    write_part(tmp_path / "HAR" / "UCI-HAR-subset-4-2.zip", PART)
    write_outer(tmp_path / OUTER, archive_bytes())
    dataset = load_dataset("HAR", tmp_path)
    assert (len(dataset), dataset.guesses) == (8, ())


def test_several_parts_are_refused(tmp_path):
    for name in ("4-2", "3-2"):
        write_part(tmp_path / "HAR_SUBSET" / f"UCI-HAR-subset-{name}.zip", PART)
    with pytest.raises(DataError, match=r"2 parts of HAR, .*3-2\.zip, .*4-2\.zip; leave one"):
        load_dataset("HAR", tmp_path)
    assert not found(tmp_path, "HAR")[0]


def test_signals_with_other_numbers_of_windows_are_no_part(tmp_path):
    write_part(tmp_path / "HAR_SUBSET" / "UCI-HAR-subset-4-2.zip", PART)
    folder = tmp_path / "HAR" / FOLDER
    for name, content in shortened(PART).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files()[name] if "body_gyro_x_train" in name else content)
    with pytest.raises(DataError, match=r"body_gyro_x_train.* has 5 windows, .* has 4 labels"):
        load_dataset("HAR", tmp_path)


def test_an_archive_of_other_files_is_no_part(tmp_path):
    path = tmp_path / "HAR_SUBSET" / "UCI-HAR-subset-4-2.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(DataError, match="is without 20 of the 20 files"):
        load_dataset("HAR", tmp_path)


def test_the_real_part_is_read(real_data, monkeypatch):
    if not list((real_data / "HAR_SUBSET").glob("UCI-HAR-subset-2400-950.zip")):
        pytest.skip("the part of 2,400 and 950 windows is not there")
    monkeypatch.setattr(har, "N_WINDOWS", {"train": 7352, "test": 2947})
    dataset = load_dataset("HAR-TEST", real_data)
    assert dataset.values.shape == (950, 128, 9)
    assert np.bincount(dataset.labels).tolist() == [160, 152, 135, 158, 172, 173]
    assert dataset.guesses[0].found == "950 of 2,947 test windows of HAR are here"
