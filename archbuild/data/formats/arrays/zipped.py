"""The errors that damaged zip archives raise."""

from __future__ import annotations

import zipfile
import zlib

ZIP_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
)
"""Errors of ``zipfile`` for archives that are damaged, encrypted or packed in an unknown way."""
