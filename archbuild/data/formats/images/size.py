"""The one size of many images, and the refusal of too few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median_low

from archbuild.data.dataset import Shape
from archbuild.data.formats.images.layout import SUFFIXES
from archbuild.data.formats.images.picture import MODES, Header
from archbuild.data.guess import Guess
from archbuild.data.request import ReadRequest
from archbuild.errors import DataError

_NO_FAULTS: Mapping[int, str] = {}


def common_shape(
    headers: Sequence[Header | None],
    request: ReadRequest,
    faults: Mapping[int, str] = _NO_FAULTS,
) -> Shape:
    """Return the ``(height, width, channels)`` of all images: Input's, else the most common.

    Where no size is that of half of the images, it is the median height and the median width.

    Raises:
        DataError: there are none, or Input has channels that no image has.
    """
    there = [header for header in headers if header]
    if not there:
        raise too_few(request.path, 0, faults=faults)
    wanted = request.input_shape or ()
    if len(wanted) == 3:
        if wanted[0] not in MODES:
            raise DataError(
                f"the spec's Input takes {list(wanted)}, and images have 1, 3 or 4 channels "
                f"(grey, RGB, RGBA), not {wanted[0]}; change Input's output_shape"
            )
        return (*wanted[1:], wanted[0])
    height, width = _common_size([(header.height, header.width) for header in there])
    own = 1 if all(header.grey for header in there) else 3
    fitting = [count for count in MODES if wanted == (height * width * count,)]
    return (height, width, fitting[0] if fitting else own)


def too_few(
    path: Path,
    count: int,
    least: int = 2,
    beside: Sequence[Guess] = (),
    faults: Mapping[int, str] = _NO_FAULTS,
) -> DataError:
    """Return the refusal of fewer images than are needed.

    Args:
        path: of the images.
        count: how many can be read.
        least: how many are needed.
        beside: what was left out.
        faults: why images cannot be used, of which the first reason is said.
    """
    reason = next((reason for reason in faults.values() if reason), None)
    if reason is not None:
        return DataError(
            f"{path} holds {count} images that can be used, and at least {least} are needed; why "
            f"the first of the others cannot: {reason}"
        )
    if path.is_dir():
        advice = (
            f"put images ({', '.join(sorted(SUFFIXES))}) there, in one folder for each class if "
            "the classes are known"
        )
    elif path.suffix.lower() in SUFFIXES:
        advice = "give the folder of all images; of a file with several pictures the first counts"
    else:
        advice = "check how the file was written"
    others = "".join(f" ({guess.subject}: {guess.found})" for guess in beside)
    return DataError(
        f"{path} holds {count} images that can be read, and at least {least} are needed{others}; "
        f"{advice}"
    )


def _common_size(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    (size, count) = Counter(sizes).most_common(1)[0]
    if 2 * count >= len(sizes):
        return size
    heights, widths = zip(*sizes, strict=True)
    return median_low(heights), median_low(widths)


def is_common(headers: Sequence[Header | None], shape: Shape) -> bool:
    """Return whether half of the images at least have a size."""
    fits = [(header.height, header.width) == shape[:2] for header in headers if header]
    return 2 * sum(fits) >= len(fits)
