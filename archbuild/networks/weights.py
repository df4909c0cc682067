"""Load a network's weights from a file that may be damaged, or come from an unknown source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

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
        _refuse_other_files(path)
        network.load_weights(path)
    for variable in network.variables:
        refuse_non_finite(to_numpy(variable), path, variable.path)


def _refuse_other_files(path: Path) -> None:
    """Refuse a weights file that points into other files: Keras writes none of that kind.

    Raises:
        ValueError: it has a link, or an array whose values are stored or assembled elsewhere.
        OSError: it is not HDF5.
    """
    import h5py

    def refuse(group: Any) -> None:
        for name in group:
            link, thing = group.get(name, getlink=True), None
            if isinstance(link, h5py.HardLink):
                thing = group[name]
            if thing is None or getattr(thing, "external", None) or getattr(thing, "is_virtual", 0):
                raise ValueError(f"'{group.name.rstrip('/')}/{name}' points into another file")
            if isinstance(thing, h5py.Group):
                refuse(thing)

    with h5py.File(path, "r") as file:
        refuse(file)
