"""The page itself: template, style and script are files beside this one, data goes in as text.

Whatever comes from outside (names of data, classes, columns and files) is escaped here and only
here. Should an escape ever fail, the page's own policy still lets no script run but ours, and
nothing be fetched.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from archbuild.evaluation.table import directions, table_cells, tables_of
from archbuild.report.network import network_html
from archbuild.report.pictures import Embedded, embed
from archbuild.report.words import Remark
from archbuild.spec.plan import Plan
from archbuild.spec.rendering import side_by_side

_FOLDER = Path(__file__).parent
_UNSAFE = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


@dataclass(frozen=True)
class Section:
    """Pictures under one heading: PNG files, with what each is of."""

    heading: str
    pictures: Mapping[Path, str]


@dataclass(frozen=True)
class Report:
    """The content of the page. All texts are plain; the page escapes them.

    Attributes:
        title: the dataset's name.
        subtitle: the spec's name.
        facts: numbers worth a glance, by what they are.
        summary: what was run, how good it is, whether anything collapsed.
        metrics: rows as ``metrics.json`` has them; may be empty.
        scatter: from ``map_document``; ``None`` where there is nothing to lay out yet.
        sections: the pictures.
        plan: of the network.
        spec: the resolved spec as text.
        environment: what the run was made with, by name.
    """

    title: str
    subtitle: str
    facts: Mapping[str, str]
    summary: Sequence[Remark]
    metrics: Sequence[Mapping[str, Any]]
    scatter: Mapping[str, Any] | None
    sections: Sequence[Section]
    plan: Plan
    spec: str
    environment: Mapping[str, str]


def render_page(report: Report) -> str:
    """Return the page as text: one file of HTML that needs nothing beside it."""
    script = _read("report.js")
    embedded = embed([path for section in report.sections for path in section.pictures])
    sections = [_section(section, embedded) for section in report.sections]
    return Template(_read("report.html")).substitute(
        policy=_policy(script),
        title=escape(report.title),
        subtitle=escape(report.subtitle),
        style=_read("report.css"),
        links=_links(report),
        facts=_pairs("facts", report.facts),
        summary="\n".join(map(_paragraph, report.summary)),
        metrics=_tables(report.metrics),
        scatter="" if report.scatter is None else _read("map.html"),
        sections="\n".join(sections),
        network=network_html(report.plan),
        side_by_side=escape(side_by_side(report.plan)),
        spec=escape(report.spec),
        environment=_pairs("environment", report.environment),
        data="" if report.scatter is None else json_for_script(report.scatter),
        script=script,
    )


def json_for_script(value: Any) -> str:
    r"""Return ``value`` as JSON that can stand inside a ``script`` element.

    ``<``, ``>``, ``&`` and the line ends U+2028 and U+2029 are written ``\uXXXX``; they occur in
    texts only, so the value stays the same.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_UNSAFE)


def _read(name: str) -> str:
    return (_FOLDER / name).read_text("utf-8")


def _policy(script: str) -> str:
    """Return the content security policy: nothing fetched, pictures as data, only this script."""
    digest = b64encode(sha256(script.encode()).digest()).decode("ascii")
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def _links(report: Report) -> str:
    headings = [section.heading for section in report.sections]
    names = ["Summary", *(["Map"] if report.scatter else []), *headings]
    names += ["Network", "Spec", "Environment"]
    return "\n".join(f'<a href="#{_anchor(name)}">{escape(name)}</a>' for name in names)


def _anchor(heading: str) -> str:
    return escape(heading.lower().replace(" ", "-"))


def _pairs(name: str, pairs: Mapping[str, str]) -> str:
    items = (
        f"<div><dt>{escape(term)}</dt><dd>{escape(text)}</dd></div>" for term, text in pairs.items()
    )
    return f'<dl class="{name}">\n' + "\n".join(items) + "\n</dl>"


def _paragraph(remark: Remark) -> str:
    kind = ' class="warning"' if remark.is_warning else ""
    return f"<p{kind}>{escape(remark.text)}</p>"


def _tables(rows: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(map(_table, tables_of(rows)))


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    headings, *lines = table_cells(rows)
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in headings)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in lines
    )
    words = directions(rows)
    return (
        '<div class="wide" tabindex="0" role="region" aria-label="Metrics"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
        + (f'\n<p class="note">{escape(words)}</p>' if words else "")
    )


def _section(section: Section, embedded: Mapping[Path, Embedded]) -> str:
    figures = (_figure(embedded[path], text) for path, text in section.pictures.items())
    heading = escape(section.heading)
    return (
        f'<section id="{_anchor(section.heading)}">\n<h2>{heading}</h2>\n'
        + "\n".join(figures)
        + "\n</section>"
    )


def _figure(picture: Embedded, text: str) -> str:
    return (
        f'<figure><div class="frame" tabindex="0" role="group" aria-label="{escape(text)}">'
        f'<img src="{picture.uri}" alt="{escape(text)}" '
        f'width="{picture.width}" height="{picture.height}"></div>'
        '<button type="button" class="enlarge" aria-pressed="false">Full size</button></figure>'
    )
