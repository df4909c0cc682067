from __future__ import annotations

import pytest

from archbuild.data.formats.parts import parts_below, wanted_files


def is_one(path):
    return ".x" in path.name


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["train-0.x", "train-1.x", "test-0.x"], {"train": 2, "test": 1}),
        (["Training.x", "dev.x"], {"train": 1, "val": 1}),
        (["mnist-train.x-00000-of-00001", "mnist-test.x-00000-of-00001"], {"train": 1, "test": 1}),
        (["a_test_train.x"], {"train": 1}),
        (["train.x", "other.x"], {"": 2}),
        (["0000.x"], {"": 1}),
        (["train.y"], {}),
    ],
)
def test_the_words_of_names_say_the_parts(tmp_path, names, parts):
    for name in names:
        (tmp_path / name).touch()
    found = parts_below(tmp_path, is_one)
    assert {part: len(files) for part, files in found.items()} == parts


def test_a_part_or_all_files_are_wanted(tmp_path):
    for name in ("test.x", "train-0.x", "train-1.x"):
        (tmp_path / name).touch()
    (tmp_path / "train-2.x").mkdir()  # a folder is no file
    parts = parts_below(tmp_path, is_one)
    files, said = wanted_files(tmp_path, parts, None)
    assert [path.name for path in files] == ["train-0.x", "train-1.x", "test.x"]
    each = f"{tmp_path.name}-TRAIN and {tmp_path.name}-TEST name one each"
    assert str(said) == f"parts: the files train (2), test (1), one below the other; {each}"
    files, said = wanted_files(tmp_path, parts, "test")
    assert [path.name for path in files] == ["test.x"]
    assert str(said) == "parts: the test rows of the files train (2), test (1)"
