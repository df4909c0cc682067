from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from archbuild.data import load_dataset
from archbuild.data.formats.images.classes import find_images
from archbuild.data.request import ReadRequest
from archbuild.errors import DataError
from tests.data.writers import write_image

GREY = np.arange(20, dtype=np.uint8).reshape(4, 5)


def found(folder: Path, *names: str) -> tuple[list[str], list[str] | None, str]:
    """The images' paths, their classes, and what is said, once the folder holds the files."""
    for name in names:
        if name.lower().endswith("png"):
            write_image(folder / name, GREY)
        else:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("something else")
    images = find_images(ReadRequest(folder))
    paths = [path.relative_to(folder).as_posix() for path in images.paths]
    return paths, images.classes, " / ".join(map(str, images.guesses))


@pytest.mark.parametrize("other", ["notes/readme.txt", "__MACOSX/cat/._1.png", ".cache/cat/1.png"])
def test_folders_without_images_change_nothing(tmp_path, other):
    names = ("data/cat/1.png", "data/dog/2.PNG")
    paths, classes, said = found(tmp_path, *names, other)
    assert (paths, classes) == (list(names), ["cat", "dog"])
    assert "2 classes, a folder each: 'cat', 'dog'" in said
    assert "left out: 1 files that are no images" in said


def test_parts_are_parts_beside_a_folder_without_images(tmp_path):
    _, classes, said = found(tmp_path, "train/cat/1.png", "test/dog/2.png", "docs/about.txt")
    assert classes == ["dog", "cat"]
    assert "parts: train, test" in said


def test_images_in_folders_beside_as_many_images_are_counted(tmp_path):
    paths, classes, said = found(tmp_path, "1.png", "2.png", "cat/3.png", "cat/deep/4.png")
    assert (paths, classes) == (["1.png", "2.png"], None)
    assert "left out: 2 images in the folders 'cat'" in said


@pytest.mark.parametrize("strays", [("0.png",), ("0.png", "9.png", "z.png")])
def test_few_images_beside_the_folders_of_classes_are_left_out_by_name(tmp_path, strays):
    names = ("cat/1.png", "cat/2.png", "dog/3.png", "dog/4.png")
    paths, classes, said = found(tmp_path, *names, *strays)
    assert (paths, classes) == (list(names), ["cat", "cat", "dog", "dog"])
    named = ", ".join(f"'{name}'" for name in strays)
    assert (
        f"left out: {len(strays)} images beside the folders 'cat', 'dog', which have more: {named}"
        in said
    )


def test_few_images_beside_the_folder_around_the_classes_are_left_out_too(tmp_path):
    paths, classes, said = found(tmp_path, "0.png", "all/cat/1.png", "all/dog/2.png")
    assert (paths, classes) == (["all/cat/1.png", "all/dog/2.png"], ["cat", "dog"])
    assert "left out: 1 images beside the folders 'all', which have more: '0.png'" in said


def test_images_of_a_part_in_no_folder_of_a_class_have_no_label(tmp_path):
    names = ("train/cat/1.png", "train/dog/2.png", "train/3.png", "test/4.png")
    paths, classes, said = found(tmp_path, *names)
    labels = {"test/4.png": "", "train/3.png": "", "train/cat/1.png": "cat"}
    assert dict(zip(paths, classes, strict=True)) == labels | {"train/dog/2.png": "dog"}
    assert "2 classes, a folder each: 'cat', 'dog'; 2 of 4 rows have no label" in said
    assert load_dataset(str(tmp_path)).n_unlabelled == 2


def test_more_images_in_no_folder_of_a_class_cost_the_labels_with_a_word(tmp_path):
    names = ("train/cat/1.png", "train/dog/2.png", "train/3.png", "test/4.png", "test/5.png")
    paths, classes, said = found(tmp_path, *names)
    assert (len(paths), classes) == (5, None)
    assert "labels: none; 3 images lie in no folder of a class, beside 'cat', 'dog'" in said


def test_folders_inside_the_classes_are_said_to_count_for_them(tmp_path):
    _, classes, said = found(tmp_path, "cat/deep/1.png", "cat/2.png", "dog/3.png")
    assert classes == ["cat", "cat", "dog"]
    assert "images of the folders inside them count for them" in said


def test_a_link_to_a_folder_around_it_is_not_followed(tmp_path):
    write_image(tmp_path / "cat/1.png", GREY)
    (tmp_path / "cat/again").symlink_to(tmp_path)
    assert found(tmp_path, "dog/2.png")[0] == ["cat/1.png", "dog/2.png"]


def test_a_folder_counts_once_whatever_links_lead_to_it(tmp_path):
    for number in range(20):  # 2^20 paths
        (tmp_path / f"all/{number}").mkdir(parents=True)
        for name in "xy":
            (tmp_path / f"all/{number}/{name}").symlink_to(f"../{number + 1}")
    paths, _, said = found(tmp_path, "all/20/1.png", "all/20/2.png")
    assert paths == ["all/20/1.png", "all/20/2.png"]
    assert "links to folders that count already (40)" in said


def test_links_to_folders_elsewhere_are_followed_once(tmp_path):
    write_image(tmp_path / "elsewhere/1.png", GREY)
    for name in ("a", "b"):
        (tmp_path / "here" / name).mkdir(parents=True)
        (tmp_path / "here" / name / "link").symlink_to(tmp_path / "elsewhere")
    assert found(tmp_path / "here", "a/2.png")[0] == ["a/2.png", "a/link/1.png"]


def test_pipes_devices_and_broken_links_are_counted(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "loop.png").symlink_to("loop.png")
    paths, _, said = found(tmp_path, "1.png", "2.png")
    assert paths == ["1.png", "2.png"]
    assert "pipes, devices and broken links (3)" in said


def test_folders_too_deep_are_refused(tmp_path):
    with pytest.raises(DataError, match="more than 64 deep"):
        found(tmp_path, f"{'d/' * 70}1.png")


def test_other_files_are_counted_by_kind(tmp_path):
    kinds = [f"{number}.s{number}" for number in range(10)]
    said = found(tmp_path, "1.png", "2.png", "Thumbs.db", ".DS_Store", *kinds)[2]
    assert "left out: 12 files that are no images" in said
    assert "and 4 more kinds" in said


def test_folders_beside_train_and_test_are_no_classes(tmp_path):
    names = ("train/cat/1.png", "test/dog/2.png", "extra/cat/3.png")
    paths, classes, said = found(tmp_path, *names)
    assert (paths, classes) == (["test/dog/2.png", "train/cat/1.png"], ["dog", "cat"])
    assert "left out: 1 images in the folders 'extra', which are no parts" in said


def test_a_class_may_have_the_name_of_a_part(tmp_path):
    assert found(tmp_path, "train/1.png", "bus/2.png", "car/3.png")[1] == ["bus", "car", "train"]
