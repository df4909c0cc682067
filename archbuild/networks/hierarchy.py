"""A network cut at the levels of a hierarchy, so that each step can be given a draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras


class Steps:
    """The steps from one level of a Keras model to the next; they share the model's weights.

    Args:
        places: symbolic tensors on the way: the model's input; mean and log-variance of each level;
            what the model gives. The mean of a level is the input of the step after it.
    """

    def __init__(self, places: Sequence[Any]) -> None:
        self._places = [keras.tree.flatten(place) for place in places]
        self._models: dict[int, keras.Model] = {}

    def __call__(self, step: int, tensor: Any, training: bool) -> list[Any]:
        """Return what the step gives for ``tensor`` in the place of the mean that it begins at.

        Args:
            step: counted from 0 at the input.
            tensor: of the shape of that mean.
            training: whether batch statistics and dropout are those of training.
        """
        if step not in self._models:
            begin, end = self._places[step][0], self._places[step + 1]
            self._models[step] = keras.Model(begin, end, name=f"step_{step}")
        found: list[Any] = keras.tree.flatten(self._models[step](tensor, training=training))
        return found
