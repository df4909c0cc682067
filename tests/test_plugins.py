"""Registries, against packages that are nothing but their metadata and a module."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from archbuild.errors import PluginError
from archbuild.plugins import Registry, instance_of, subclass_of

GROUP = "archbuild.things"
Install = Callable[..., None]


@dataclass(frozen=True)
class Thing:
    name: str


class Base:
    name = "base"


@pytest.fixture
def things() -> Registry[Thing]:
    return Registry(GROUP, [Thing("b"), Thing("a")], instance_of(Thing))


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a distribution with entry points ``name="module:object"`` on the path."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def put(distribution: str, **entries: str) -> None:
        folder = tmp_path / f"{distribution}-1.5.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n"
        )
        lines = [f"{name} = {place}" for name, place in entries.items()]
        (folder / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines]))

    return put


def test_own_things_keep_their_order_and_plugins_follow(
    things: Registry[Thing], install: Install
) -> None:
    install("stranger", z=f"{__name__}:Z", c=f"{__name__}:C")
    assert list(things) == ["b", "a", "c", "z"]
    assert len(things) == 4
    assert things["z"] is Z
    assert "c" in things
    assert list(things.own) == ["b", "a"]


Z, C, NAMELESS = Thing("z"), Thing("c"), object()


def test_own_things_are_found_without_a_look_at_what_is_installed(
    things: Registry[Thing], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.metadata.entry_points", None)
    assert things["a"] == Thing("a")
    assert "b" in things
    with pytest.raises(TypeError):
        "c" in things  # noqa: B015


def test_a_plugin_is_imported_when_it_is_asked_for(
    things: Registry[Thing], install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("stranger", z=f"{__name__}:Z", c="no.such.module:C")
    loaded: list[str] = []
    load = EntryPoint.load
    monkeypatch.setattr(EntryPoint, "load", lambda self: loaded.append(self.name) or load(self))
    assert things["z"] is things["z"] is Z
    assert loaded == ["z"]
    with pytest.raises(KeyError, match="nothing"):
        things["nothing"]
    assert loaded == ["z"]


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("no.such.module:C", "ModuleNotFoundError: No module named 'no'"),
        (f"{__name__}:gone", "AttributeError"),
        (f"{__name__}:NAMELESS", "TypeError: expected an instance of Thing, got <object object"),
        (f"{__name__}:Thing", "TypeError: .*missing 1 required positional argument: 'name'"),
        (f"{__name__}:Z", "TypeError: its own name is 'z'"),
    ],
)
def test_a_broken_plugin_is_an_error_by_name_and_a_warning_in_the_list(
    things: Registry[Thing],
    install: Install,
    caplog: pytest.LogCaptureFixture,
    place: str,
    reason: str,
) -> None:
    install("stranger", broken=place)
    message = rf"'broken' in archbuild\.things, of stranger 1\.5, cannot be used \({reason}"
    with pytest.raises(PluginError, match=message):
        things["broken"]
    with caplog.at_level(logging.WARNING):
        assert list(things) == ["b", "a"]
        assert len(things) == 2
    assert [record.message.startswith("left out: 'broken'") for record in caplog.records] == [True]


def test_two_plugins_of_one_name_are_both_named(things: Registry[Thing], install: Install) -> None:
    install("one", z=f"{__name__}:Z")
    install("two", z=f"{__name__}:Z")
    with pytest.raises(PluginError, match=r"of (one|two) 1\.5 and (one|two) 1\.5, exists more"):
        things["z"]
    assert list(things) == ["b", "a"]


def test_own_things_win_with_a_warning(
    things: Registry[Thing], install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    install("stranger", a=f"{__name__}:Z")
    with caplog.at_level(logging.WARNING):
        assert list(things) == ["b", "a"]
    assert things["a"] == Thing("a")
    assert "'a' of stranger 1.5 is left out: archbuild has it" in caplog.text


def test_subclasses_are_told_from_instances() -> None:
    assert subclass_of(Base)(Base) is Base
    assert isinstance(instance_of(Base)(Base), Base)
    with pytest.raises(TypeError, match="expected a subclass of Base"):
        subclass_of(Base)(Base())
    with pytest.raises(TypeError, match="expected a thing with a name"):
        Registry(GROUP, [NAMELESS], instance_of(object))
