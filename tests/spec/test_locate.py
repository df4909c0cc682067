from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archbuild.errors import SpecError, UsageError
from archbuild.spec import find_arch, shipped_archs
from archbuild.spec.locate import PACKAGED, default_folders

Write = Callable[[str, Any], Path]


@pytest.fixture
def folders(write: Write) -> tuple[Path, Path]:
    """A user's folder and a packaged one."""
    ours = write("ours/mnist.json", [{"name": "own"}, {"name": "shared"}])
    write("ours/broken.json", "{")
    theirs = write("theirs/mnist.json", [{"name": f"packaged-{i}"} for i in range(3)])
    write("theirs/digits.yaml", "- name: shared\n- name: tiny\n- name: tiny\n")
    write("theirs/notes.txt", "not a spec")
    return ours.parent, theirs.parent


def test_the_first_folder_wins(folders: tuple[Path, Path]) -> None:
    assert find_arch("1", "mnist", folders) == (folders[0] / "mnist.json", 1)
    assert find_arch("1", "MNIST", folders[1:]) == (folders[1] / "mnist.json", 1)
    assert find_arch("0", "digits", folders) == (folders[1] / "digits.yaml", 0)


def test_names_are_looked_for_in_the_datasets_own_file_first(folders: tuple[Path, Path]) -> None:
    assert find_arch("shared", "digits", folders) == (folders[1] / "digits.yaml", 0)
    assert find_arch("shared", "mnist", folders) == (folders[0] / "mnist.json", 1)
    assert find_arch("packaged-2", None, folders) == (folders[1] / "mnist.json", 2)


def test_an_alias_is_as_good_as_a_name(write: Write) -> None:
    specs = [{"name": "new"}, {"name": "a", "aliases": ["old", "older"]}, {"name": "b"}]
    path = write("archs/mnist.json", [*specs, {"name": "c", "aliases": ["b"]}])
    assert find_arch("older", None, [path.parent]) == (path, 1)
    assert find_arch("old", "mnist", [path.parent]) == (path, 1)
    assert find_arch(f"{path}:old", None) == (path, 1)
    with pytest.raises(UsageError, match=r"2 specs in .* are called 'b': say which by index, 2, 3"):
        find_arch(f"{path}:b", None)
    with pytest.raises(UsageError, match=r"did you mean 'older'\?"):
        find_arch("oldr", None, [path.parent])


def test_the_classic_projects_own_name_finds_its_network() -> None:
    path, index = find_arch("c-5-6_p_c-5-16_p_c-4-120", None)
    assert (path.name, index) == ("literature.yaml", 7)


def test_paths(write: Write) -> None:
    path = write("a.json", [{"name": "x"}, {"name": "c-3:2"}])
    assert find_arch(f"{path}:1", None) == (path, 1)
    assert find_arch(f"{path}:x", None) == (path, 0)
    single = write("b.yaml", "name: x\n")
    assert find_arch(str(single), None) == (single, None)
    assert find_arch(f"{single}:0", None) == (single, None)
    assert find_arch(f"{single}:x", None) == (single, None)
    assert find_arch(str(write("c.json", [{"name": "x"}])), None)[1] == 0


def test_a_path_to_a_list_needs_a_choice(write: Write) -> None:
    path = write("a.json", [{"name": "x"}, {"no": "name"}])
    with pytest.raises(UsageError, match=r"holds 2 specs: say which.*\n.*0 x\n.*1 \(no name\)"):
        find_arch(str(path), None)


@pytest.mark.parametrize("index", ["3", "-1", "99"])
def test_index_out_of_range(folders: tuple[Path, Path], index: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_arch(index, "mnist", folders[1:])
    text = str(caught.value)
    assert f"there is no spec {index} in" in text
    assert "3 specs, 0 to 2" in text
    assert "1 packaged-1" in text


def test_name_that_is_not_there(folders: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError) as caught:
        find_arch("sharde", "digits", folders)
    assert "did you mean 'shared'?" in str(caught.value)
    assert "1 tiny" in str(caught.value)


def test_name_that_two_specs_have(folders: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError, match=r"2 specs .* are called 'tiny': .* by index, 1, 2"):
        find_arch("tiny", "digits", folders)


def test_dataset_without_specs(folders: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError) as caught:
        find_arch("0", "usps", folders)
    text = str(caught.value)
    assert "no file of specs for usps" in text
    assert all(str(folder) in text for folder in folders)
    assert "archbuild new --for DATA --output FILE" in text
    assert "made for it" not in text


def test_a_spec_that_bears_a_datasets_name_is_advised(folders: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError, match=r"made for it \(-a vae-svhn, -a svhn-conv\), write one"):
        find_arch("0", "SVHN", [_with_svhn(folders[0])])


def _with_svhn(folder: Path) -> Path:
    (folder / "vae.yaml").write_text("- name: vae-svhn\n- name: svhnx\n- name: svhn-conv\n")
    return folder


def test_index_without_a_dataset(folders: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError, match="needs a dataset"):
        find_arch("0", None, folders)


def test_no_folder_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is none"):
        find_arch("name", None, [tmp_path / "nowhere"])


@pytest.mark.parametrize("arch", ["dir/none", "none.json", "none.yaml:2", "x/none.toml"])
def test_paths_that_cannot_be_read(arch: str) -> None:
    with pytest.raises(SpecError):
        find_arch(arch, None)


def test_the_datasets_own_broken_file_is_not_passed_over(folders: tuple[Path, Path]) -> None:
    with pytest.raises(SpecError):
        find_arch("shared", "broken", folders)


def test_the_working_directory_wins(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_arch("1", "mnist")[0] == PACKAGED / "mnist.json"
    write("archs/mnist.yml", "- name: a\n- name: b\n")
    assert find_arch("1", "mnist") == (Path("archs/mnist.yml"), 1)


def test_a_checkouts_own_folder_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PACKAGED.parent)
    assert default_folders() == (PACKAGED,)


def test_shipped_archs(folders: tuple[Path, Path]) -> None:
    listed = shipped_archs(folders[1:])
    assert [(path.stem, index, name) for path, index, name in listed] == [
        ("digits", 0, "shared"),
        ("digits", 1, "tiny"),
        ("digits", 2, "tiny"),
        ("mnist", 0, "packaged-0"),
        ("mnist", 1, "packaged-1"),
        ("mnist", 2, "packaged-2"),
    ]
    datasets = {"mnist", "coil20", "digits", "spiral", "serket3000", "omniglot"}
    datasets |= {"halfmoon", "cluttered"}
    systems = {"vade", "s3vdc", "gmvae", "lvae", "literature", "auxiliary", "cagem", "classifier"}
    assert {path.stem for path, _, _ in shipped_archs()} == datasets | systems
