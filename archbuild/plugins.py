"""Registries: archbuild's own things by name, and those of other packages by entry points.

A package that brings a layer, a head, a dataset or a figure says so in its ``pyproject.toml``::

    [project.entry-points."archbuild.heads"]
    infomax = "archbuild_example.infomax:InfomaxHead"

Other packages are searched only for names that archbuild itself does not have, and when everything
is listed, so that commands which need neither stay quick.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from archbuild.errors import PluginError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Registry(Mapping[str, T], Generic[T]):
    """Things by name: archbuild's own, in the order given, then those of installed plugins.

    A plugin that cannot be used is an error when its name is looked up; a list of all names leaves
    it out with a warning.

    Args:
        group: the entry points' group, such as ``archbuild.heads``.
        own: archbuild's own things, each with a ``name``.
        accept: takes what an entry point leads to, and returns the thing; raises ``TypeError``
            with the reason where it is none.
    """

    def __init__(self, group: str, own: Iterable[T], accept: Callable[[Any], T]) -> None:
        self.group = group
        self.own: Mapping[str, T] = {name_of(thing): thing for thing in own}
        self._accept = accept
        self._loaded: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        """Return the thing of that name.

        Raises:
            KeyError: there is none.
            PluginError: a plugin should bring it, but cannot be used, or several bring it.
        """
        if name in self.own:
            return self.own[name]
        if name not in self._loaded:
            self._loaded[name] = self._load(name, self._found[name])
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter([*self.own, *self._usable])

    def __len__(self) -> int:
        return len(self.own) + len(self._usable)

    @cached_property
    def _found(self) -> dict[str, list[EntryPoint]]:
        """The entry points of each name, nothing imported yet."""
        from importlib.metadata import entry_points

        found: dict[str, list[EntryPoint]] = {}
        for entry in entry_points(group=self.group):
            found.setdefault(entry.name, []).append(entry)
        for name in found.keys() & self.own.keys():
            makers = _distributions(found.pop(name))
            _log.warning("%s: '%s' of %s is left out: archbuild has it", self.group, name, makers)
        return found

    @cached_property
    def _usable(self) -> tuple[str, ...]:
        """The names that plugins bring; what cannot be used is left out with a warning."""
        names = []
        for name in sorted(self._found):
            try:
                self[name]
            except PluginError as error:
                _log.warning("left out: %s", error)
            else:
                names.append(name)
        return tuple(names)

    def _load(self, name: str, entries: list[EntryPoint]) -> T:
        what = f"'{name}' in {self.group}, of {_distributions(entries)},"
        if len(entries) > 1:
            raise PluginError(f"{what} exists more than once; uninstall all but one")
        try:
            thing = self._accept(entries[0].load())
            if name_of(thing) != name:
                raise TypeError(f"its own name is '{name_of(thing)}'")
        except Exception as error:  # another package's module may raise anything
            reason = f"{type(error).__name__}: {error}"
            raise PluginError(
                f"{what} cannot be used ({reason}); update that package or uninstall it"
            ) from error
        return thing


def name_of(thing: Any) -> str:
    """Return the name under which a registry holds a thing.

    Raises:
        TypeError: it has none.
    """
    name = getattr(thing, "name", None)
    if not isinstance(name, str):
        raise TypeError(f"expected a thing with a name, got {thing!r}")
    return name


def instance_of(kind: type[T]) -> Callable[[Any], T]:
    """Return an ``accept`` that takes instances of ``kind``, or a subclass that makes one."""

    def accept(thing: Any) -> T:
        if isinstance(thing, type) and issubclass(thing, kind):
            thing = thing()
        if not isinstance(thing, kind):
            raise TypeError(f"expected an instance of {kind.__name__}, got {thing!r}")
        return thing

    return accept


def subclass_of(kind: type[T]) -> Callable[[Any], type[T]]:
    """Return an ``accept`` that takes subclasses of ``kind``."""

    def accept(thing: Any) -> type[T]:
        if not (isinstance(thing, type) and issubclass(thing, kind)):
            raise TypeError(f"expected a subclass of {kind.__name__}, got {thing!r}")
        return thing

    return accept


def _distributions(entries: Iterable[EntryPoint]) -> str:
    """Return the packages that entry points are of, with their versions."""
    return " and ".join(
        f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"
        for entry in entries
    )
