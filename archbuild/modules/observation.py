"""``Observation``: data, as the lowest module of a graph."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from archbuild.data.arrays import check_finite, check_kind
from archbuild.errors import DataError, UsageError
from archbuild.modules.module import Learned, Module


class Observation(Module):
    """Data, as a module that learns nothing.

    Args:
        values: ``(n, ...)`` numbers, a row for each thing that was observed.
        name: what errors call it.

    Raises:
        DataError: the values are no numbers, not finite, or none.
    """

    name = "obs"

    def __init__(self, values: Any, name: str = "obs") -> None:
        super().__init__()
        self.name = name  # type: ignore[misc]  # of one among several
        self.observe(values)

    def observe(self, values: Any) -> None:
        """Put other values in the place of those that were observed, ``(n, ...)``."""
        self.learned = Learned(self._checked(values))

    def _checked(self, values: Any) -> np.ndarray:
        array = np.asarray(values)
        source = f"the observation {self.name}"
        check_kind(array, source)
        if array.ndim < 2 or not array.size:
            raise DataError(
                f"{source} has values of shape {array.shape}; expected (n, ...), a row for each "
                "thing that was observed"
            )
        check_finite(array, source)
        return array

    def connect(self, *parents: Module) -> None:
        """Refuse: an observation has no parents."""
        raise UsageError("an observation takes no data from other modules; connect them to it")

    @property
    def identity(self) -> dict[str, Any]:
        """How many numbers a row has, too."""
        return {**super().identity, "numbers": prod(self.forward_message.shape[1:])}

    def forget_messages(self) -> None:
        """Drop what it heard; the data stay."""
        self.heard.clear()

    def update(self) -> None:
        """Nothing is learned."""

    def learn(self, data: np.ndarray) -> Learned:
        """Return the data themselves."""
        return Learned(data)

    def recognise(self, data: np.ndarray) -> Learned:
        """Likewise, if their rows are like those that were observed.

        Raises:
            DataError: they are not, or are no finite numbers.
        """
        array, wanted = self._checked(data), self.forward_message.shape[1:]
        if array.shape[1:] != wanted:
            raise DataError(
                f"new rows of the observation {self.name} have shape {array.shape[1:]}, and those "
                f"before had {wanted}; give rows of that shape"
            )
        return Learned(array)
