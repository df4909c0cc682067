"""``Observation``: data, as the lowest module of a graph."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from archbuild.data.arrays import check_finite, check_kind
from archbuild.errors import DataError, UsageError
from archbuild.modules.module import Learned, Module


class Observation(Module):
    """Data as a module that learns nothing.

    Args:
        values: ``(n, ...)`` numbers, a row for each thing that was observed.
        name: its name in errors.

    Raises:
        DataError: the values are no numbers, not finite, or none.
    """

    name = "obs"

    def __init__(self, values: Any, name: str = "obs") -> None:
        super().__init__()
        self.name = name  # type: ignore[misc]  # an instance may have its own
        self.observe(values)

    def observe(self, values: Any) -> None:
        """Replace the observed values by others, ``(n, ...)``."""
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
        """The kind of module and the number of numbers in a row, as JSON."""
        return {**super().identity, "numbers": prod(self.forward_message.shape[1:])}

    def clear_messages(self) -> None:
        """Drop the messages that it received; the data stay."""
        self.received.clear()

    def update(self) -> None:
        """Do nothing: an observation does not learn."""

    def learn(self, data: np.ndarray) -> Learned:
        """Return the data themselves."""
        return Learned(data)

    def recognise(self, data: np.ndarray) -> Learned:
        """Return new data, if their rows have the shape of those that were observed.

        Raises:
            DataError: they have another, or are no finite numbers.
        """
        array, wanted = self._checked(data), self.forward_message.shape[1:]
        if array.shape[1:] != wanted:
            raise DataError(
                f"new rows of the observation {self.name} have shape {array.shape[1:]}, and those "
                f"before had {wanted}; give rows of that shape"
            )
        return Learned(array)
