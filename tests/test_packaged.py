from __future__ import annotations

from pathlib import Path

from archbuild.packaged import packaged_folder


def test_packaged_files_lie_in_the_package_or_beside_it(tmp_path: Path) -> None:
    package = tmp_path / "archbuild"
    package.mkdir()
    assert packaged_folder("archs", package) == tmp_path / "archs"
    (package / "archs").mkdir()
    assert packaged_folder("archs", package) == package / "archs"
