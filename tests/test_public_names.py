"""What ``import archbuild`` offers, and that it stays quick."""

from __future__ import annotations

import subprocess
import sys

import pytest

import archbuild


def test_the_public_names_are_these() -> None:
    assert archbuild.__all__ == [
        "DeepClustering",
        "NetworkBuilder",
        "__version__",
        "load_spec",
        "open",
    ]
    assert set(archbuild.__all__) <= set(dir(archbuild))


def test_every_public_name_has_a_docstring() -> None:
    for name in archbuild.__all__:
        assert name.startswith("__") or getattr(archbuild, name).__doc__.strip(), name


def test_a_name_that_is_not_there_is_refused() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'DeepClustring'"):
        _ = archbuild.DeepClustring


def test_importing_the_package_imports_nothing_else() -> None:
    code = (
        "import sys, archbuild;"
        "print(sorted(name for name in sys.modules if name.startswith('archbuild.')"
        " or name in ('keras', 'numpy', 'sklearn')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['archbuild.version']"
