"""The model of a fitted estimator, as arrays that can be pickled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archbuild.heads import HEADS
from archbuild.registry import default_vocabulary
from archbuild.spec import make_plan, spec_from_tree

if TYPE_CHECKING:
    from archbuild.data.origin import Origin
    from archbuild.models.model import Model


class Memory:
    """A model as arrays, and the model itself once it is needed.

    What is pickled, or copied, are the arrays alone.

    Args:
        model: with a head that can assign.
    """

    def __init__(self, model: Model) -> None:
        self._model: Model | None = model
        self._origin, self._epoch = model.origin, model.epoch
        self._tree = model.plan.spec.tree
        self._weights = model.network.get_weights()
        self._head = model.assigning_head.arrays()

    @property
    def origin(self) -> Origin:
        """The record of the training data, which needs no Keras."""
        return self._origin

    @property
    def model(self) -> Model:
        """The model, built on first use after unpickling, with the same numbers."""
        if self._model is None:
            self._model = self._built()
        return self._model

    def _built(self) -> Model:
        from archbuild.models.model import Model
        from archbuild.networks.builder import build_network

        vocabulary = default_vocabulary()
        spec = spec_from_tree(self._tree, vocabulary)
        plan = make_plan(spec, vocabulary)
        network = build_network(plan, vocabulary, seed=0)
        network.set_weights(self._weights)
        head = HEADS[spec.head.type](spec.head.config, plan)
        head.restore(self._head)
        return Model(plan, network, head, self._origin, self._epoch)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_model": None}
