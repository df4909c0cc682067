"""The arithmetic of convolutions and their mirrors, one axis at a time.

``i`` is the size below a convolution, ``o`` the size above, ``k`` the kernel, ``s`` the stride and
``p`` the zeros put on each side. The sizes of transposed convolutions are those of Keras 3
(``keras.layers.Conv2DTranspose``): output padding changes the size, and must be less than ``s``.
"""

from __future__ import annotations


def reach(k: int, dilation: int) -> int:
    """Return how many numbers a kernel of ``k`` spans whose entries stand ``dilation`` apart."""
    return (k - 1) * dilation + 1


def convolved(i: int, k: int, s: int, mode: str, p: int = 0) -> int:
    """Return ``o``, not positive where the kernel does not fit."""
    if mode in ("same", "causal"):  # causal: all zeros stand before
        return -(-i // s)
    return (i + 2 * p - k) // s + 1


def deconvolved(o: int, k: int, s: int, mode: str, p: int = 0, padding: int | None = None) -> int:
    """Return ``i`` after a transposed convolution with output padding and a crop of ``p``."""
    if mode == "causal":
        return o * s
    if mode == "same":
        return o * s if padding is None else (o - 1) * s + k % 2 + padding
    extra = max(s - k, 0) if padding is None else padding
    return (o - 1) * s + k + extra - 2 * p


def mirror_padding(i: int, k: int, s: int, mode: str, p: int = 0) -> int | None:
    """Return the output padding with which the transposed convolution comes back to ``i`` exactly.

    ``None`` where leaving it out does.
    """
    o = convolved(i, k, s, mode, p)
    if deconvolved(o, k, s, mode, p) == i:
        return None
    if mode == "valid":
        return (i + 2 * p - k) % s
    rest = i - (o - 1) * s
    return rest - 1 if k % 2 else rest


def same_as_valid(o: int, k: int, s: int, i: int) -> tuple[int, tuple[int, int]]:
    """Return a ``same`` transposed convolution from ``o`` to ``i`` as a ``valid`` one.

    Returns:
        The output padding, and what is to be cropped (before, after): the adjoint of a ``same``
        convolution, whose zeros stand half before and half after, the odd one after.
    """
    full = (o - 1) * s + k
    surplus = max(full - i, 0)
    return max(i - full, 0), (surplus // 2, surplus - surplus // 2)
