"""The version of archbuild, stated once: the package's metadata are read from this file."""

from __future__ import annotations

__version__ = "0.1.0"
