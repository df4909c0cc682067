"""Modules that learn one by one and exchange messages with their neighbours.

A module takes its parents' *forward messages* as its data. What it learns from them gives its own
forward message, the data of the modules above, and a *backward message*, which the module below
takes as its prior. Nothing else passes between them, so any acyclic graph of modules can learn:
each updates in turn, and the turns repeat. The modules of one graph are of one set of rows; all
messages have a row for each.

Source: Nakamura, Nagai and Taniguchi, "SERKET: an architecture for connecting stochastic models to
realize a large-scale cognitive model", Frontiers in Neurorobotics 12:25, 2018.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from itertools import count
from math import prod
from typing import Any, ClassVar

import numpy as np

from archbuild.errors import UsageError

_NUMBERS = count()


@dataclass(frozen=True)
class Learned:
    """The result of learning from data, or of recognising new data.

    Attributes:
        forward: the data of the modules above, ``(n, ...)``.
        backward: the prior of the modules below, in the shape of the data, the parents' side by
            side; ``None`` without one, as on new data.
        texts: arrays for text files, a row each, by Serket's names: ``z``, ``Pdz``.
    """

    forward: np.ndarray
    backward: np.ndarray | None = None
    texts: Mapping[str, np.ndarray] = field(default_factory=dict)


class Module(ABC):
    """One part of a model.

    Attributes:
        name: its name in folders and errors.
        parents: the modules whose forward messages it takes as data.
        children: the modules that take its own.
        learned: the result of the latest update; ``None`` before the first.
        rounds: number of updates.
        received: the latest backward message of each child.
        number: its place in the order in which modules were made.
    """

    name: ClassVar[str]
    """Name of the kind of module, by default that of its class; an instance may have its own."""
    seed: int = 0
    """Random seed."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if not hasattr(cls, "name"):
            cls.name = cls.__name__.lower()

    def __init__(self) -> None:
        self.number = next(_NUMBERS)
        self.parents: tuple[Module, ...] = ()
        self.children: list[Module] = []
        self.learned: Learned | None = None
        self.rounds = 0
        self.received: dict[Module, np.ndarray] = {}

    def connect(self, *parents: Module) -> None:
        """Take the forward messages of ``parents`` as data, side by side in this order.

        Raises:
            UsageError: the module is connected already, a parent is named twice, or messages would
                go in a circle.
        """
        self._refuse_connection(parents)
        self.parents = parents
        for parent in parents:
            parent.children.append(self)

    @property
    def forward_message(self) -> np.ndarray:
        """The data of the modules above, ``(n, ...)``.

        Raises:
            UsageError: the module has not been updated.
        """
        return self.latest.forward

    @property
    def latest(self) -> Learned:
        """The result of the latest update.

        Raises:
            UsageError: the module has not been updated.
        """
        if self.learned is None:
            raise UsageError(
                f"the {self.name} module has no message yet; update it first, from below"
            )
        return self.learned

    @property
    def backward_message(self) -> np.ndarray | None:
        """The combined messages of the modules above; ``None`` before the first arrives."""
        messages = list(self.received.values())
        return self.combine(messages) if messages else None

    def receive(self, child: Module, message: np.ndarray) -> None:
        """Store a backward message of a child, in place of its earlier one."""
        self.received[child] = message

    def clear_messages(self) -> None:
        """Drop the messages that it sent and received; what it learned stays."""
        self.learned = None
        self.received.clear()

    def update(self) -> None:
        """Learn from the parents' messages and the children's, and leave a message for each.

        Raises:
            UsageError: there are no data, as ``incoming`` says.
        """
        self.learned = self.learn(self.incoming())
        self.rounds += 1
        if self.learned.backward is not None:
            self._send_back(self.learned.backward)

    def incoming(self) -> np.ndarray:
        """Return the parents' forward messages side by side, ``(n, ...)``.

        Raises:
            UsageError: the module has no parents, one of them has no message yet, or their
                messages have different numbers of rows.
        """
        if not self.parents:
            raise UsageError(f"the {self.name} module has no data; connect it to a module first")
        messages = [parent.forward_message for parent in self.parents]
        self.refuse_other_rows(messages)
        return side_by_side(messages)

    def generator(self, *numbers: int) -> np.random.Generator:
        """Return the random generator of the next update: one for each round and module.

        Args:
            numbers: distinguish several generators of one update.
        """
        place = self._namesakes()
        keys = [*numbers, place] if place else [number for number in numbers if number]
        return np.random.default_rng([self.seed, self.rounds, *keys])

    def _namesakes(self) -> int:
        """Count the modules of its kind that come before it in the graph; they may share a seed."""
        kin = [module for module in connected(self) if type(module) is type(self)]
        return kin.index(self)

    def refusal(self) -> UsageError:
        """Return the error for a module that has not learned yet."""
        return UsageError(f"the {self.name} module has learned nothing yet; update it first")

    @abstractmethod
    def learn(self, data: np.ndarray) -> Learned:
        """Learn from ``data`` ``(n, dimensions)``, with ``backward_message`` as the prior."""

    @abstractmethod
    def recognise(self, data: np.ndarray) -> Learned:
        """Apply the learned state to new data ``(m, dimensions)``; change nothing."""

    def parameters(self) -> Mapping[str, np.ndarray]:
        """Return learned parameters to read, by Serket's names where it has one: ``mu``."""
        return {}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the learned state by name, for ``restore``; empty before the first update."""
        raise UsageError(
            f"the {self.name} module cannot be saved: its class, {type(self).__name__}, has no "
            "arrays() and restore(); give it both"
        )

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the state that ``arrays`` returned."""
        raise UsageError(
            f"the {self.name} module cannot be loaded: its class, {type(self).__name__}, has no "
            "restore(); give it one"
        )

    @property
    def identity(self) -> dict[str, Any]:
        """The settings that a module must share to restore what this one learned, as JSON."""
        return {"module": self.name}

    def combine(self, messages: Sequence[np.ndarray]) -> np.ndarray:
        """Return the backward messages of several children as one; by default their mean.

        That is the mean of the product of Gaussians of one spread.
        """
        mean: np.ndarray = np.mean(messages, axis=0)
        return mean

    def _refuse_connection(self, parents: Sequence[Module]) -> None:
        others = [parent for parent in parents if not isinstance(parent, Module)]
        if others:
            raise UsageError(
                f"the {self.name} module was connected to a {type(others[0]).__name__}; wrap data "
                "in an Observation, and connect to that"
            )
        if self.parents:
            raise UsageError(
                f"the {self.name} module is connected already; name all its parents in one call"
            )
        if len(set(parents)) < len(parents):
            raise UsageError(f"a parent of the {self.name} module is named twice; name each once")
        if not parents:
            raise UsageError(f"the {self.name} module was given no parents; name at least one")
        for parent in parents:
            if self in ancestors([parent]):
                raise UsageError(
                    f"the {self.name} module cannot take data from {parent.name}, which takes data "
                    "from it: messages would go in a circle; connect each module to those below it"
                )

    def refuse_other_rows(self, messages: Sequence[np.ndarray]) -> None:
        """Check that the messages of the parents have as many rows each.

        Raises:
            UsageError: they have not.
        """
        counts = [len(message) for message in messages]
        if len(set(counts)) > 1:
            raise UsageError(
                f"the parents of the {self.name} module have {' and '.join(map(str, counts))} "
                "rows; give every observation the same rows"
            )

    def _send_back(self, message: np.ndarray) -> None:
        """Send each parent its part of a message."""
        flat = message.reshape(len(message), -1)
        ends = np.cumsum([prod(parent.forward_message.shape[1:]) for parent in self.parents])
        for parent, part in zip(self.parents, np.split(flat, ends[:-1], axis=1), strict=True):
            parent.receive(self, part)


def side_by_side(messages: Sequence[np.ndarray]) -> np.ndarray:
    """Join messages ``(n, ...)`` to one, ``(n, dimensions)``; a single one keeps its shape."""
    if len(messages) == 1:
        return messages[0]
    return np.concatenate([message.reshape(len(message), -1) for message in messages], axis=1)


def ancestors(modules: Sequence[Module]) -> list[Module]:
    """Return modules and all below them, each once, parents before their children."""
    below: dict[Module, tuple[Module, ...]] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        below[module] = module.parents
        waiting += [parent for parent in module.parents if parent not in below]
    return list(TopologicalSorter(below).static_order())


def connected(module: Module) -> list[Module]:
    """Return every module of the graph that ``module`` is in, in the order they were made."""
    graph, waiting = {module}, [module]
    while waiting:
        each = waiting.pop()
        found = {*each.parents, *each.children} - graph
        graph |= found
        waiting += found
    return sorted(graph, key=lambda each: each.number)
