"""Load a network's weights from a file that may be damaged, or come from an unknown source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from archbuild.io.reading import fitting, refuse_non_finite
from archbuild.networks.rows import to_numpy

if TYPE_CHECKING:
    from archbuild.networks.network import Network


def load_weights(network: Network, path: Path) -> None:
    """Put the weights of a Keras weights file into a network.

    Args:
        network: built, of the shapes that the file is for.
        path: ``model.weights.h5``.

    Raises:
        RunError: the file cannot be read, does not fit the network, or holds values that are not
            finite; names the file, and the weight.
    """
    with fitting(path, "the network of its spec"):
        network.load_weights(path)
    for variable in network.variables:
        refuse_non_finite(to_numpy(variable), path, variable.path)
