"""The affine maps of spatial transformers, and the numbers that are free in each kind."""

from __future__ import annotations

from typing import Final

IDENTITY: Final = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
"""The map that changes nothing: the numbers a to f of (a x + b y + c, d x + e y + f)."""
TRANSFORMS: Final = {
    "affine": tuple(tuple(float(i == j) for j in range(6)) for i in range(6)),
    "attention": ((1, 0, 0, 0, 1, 0), (0, 0, 1, 0, 0, 0), (0, 0, 0, 0, 0, 1)),
    "translation": ((0, 0, 1, 0, 0, 0), (0, 0, 0, 0, 0, 1)),
}
"""Name -> how much each free number adds to the numbers a to f of the identity.

Attention is one factor for both axes, and a shift (Jaderberg et al., arXiv 1506.02025, equation 2).
"""
