"""Which pages the documentation site has: those of the repository, and a reference of public names.

Every page keeps its place in the repository, so that a link leads to the same page here and there.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from archbuild.environment import start_keras

ROOT = Path(__file__).resolve().parents[1]
PUBLIC = ("archbuild", "archbuild.layers", "archbuild.serket", "archbuild.objectives")
"""The packages whose ``__all__`` users import from."""

SECTIONS = {
    "How-to": ("docs/howto/*.md", "examples/plugin/README.md"),
    "Heads": ("docs/heads.md", "docs/heads/*.md"),
    "Reference": ("docs/*.md",),
    "Results": ("benchmarks/results/README.md", "benchmarks/results/*.md"),
    "Project": ("datasets/README.md", "[A-Z]*[A-Z].md"),
}
FILES = ("docs/images/*", "benchmarks/images/*", "CITATION.cff")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List every page once, in the first section that it belongs to, by its own title."""
    seen = {"README.md"}
    nav: list[object] = ["README.md"]
    for title, patterns in SECTIONS.items():
        pages = [page for page in _found(*patterns) if page not in seen]
        seen.update(pages)
        nav.append({title: pages})
    nav.insert(-1, {"Python": [_page(package) for package in PUBLIC]})
    config.nav = nav
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Put the repository's pages at their places, and a page for each public package."""
    start_keras()  # quietly: some packages import it
    for file in [file for file in files if Path(file.src_dir or "/") == Path(config.docs_dir)]:
        files.remove(file)
    patterns = [pattern for section in SECTIONS.values() for pattern in section]
    for name in dict.fromkeys(["README.md", *_found(*patterns, *FILES)]):
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    for package in PUBLIC:
        files.append(File.generated(config, _page(package), content=_reference(package)))
    return files


def _found(*patterns: str) -> list[str]:
    """Return the repository's files of these patterns, pattern by pattern."""
    return [
        path.relative_to(ROOT).as_posix()
        for pattern in patterns
        for path in sorted(ROOT.glob(pattern))
    ]


def _page(package: str) -> str:
    return f"docs/reference/{package}.md"


def _reference(package: str) -> str:
    """Return the page of a package's public names, each described where it is defined."""
    return f"# {package}\n\n{import_module(package).__doc__}\n\n" + "\n\n".join(_entries(package))


def _entries(package: str) -> Iterator[str]:
    module = import_module(package)
    for name in module.__all__:
        if not name.startswith("_"):
            value = getattr(module, name)
            entry = f"::: {value.__module__}.{value.__qualname__}"
            renamed = value.__qualname__ != name
            yield f"{entry}\n    options:\n      heading: {name}" if renamed else entry
