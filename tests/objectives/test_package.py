"""The package imports Keras only when a function is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

from archbuild import objectives


def test_importing_the_package_does_not_import_keras():
    code = "import sys, archbuild.objectives, archbuild.heads; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", objectives.__all__)
def test_every_name_leads_to_a_documented_function(name):
    function = getattr(objectives, name)
    assert callable(function)
    assert function.__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        objectives.nonsense  # noqa: B018
