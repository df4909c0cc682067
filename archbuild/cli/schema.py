"""``archbuild schema``: the spec language as JSON Schema or as Markdown."""

from __future__ import annotations

import json

import click

from archbuild.cli.output import say


@click.command(short_help="Print the JSON Schema of spec files.")
@click.option(
    "--markdown", is_flag=True, help="Tables of every key in Markdown, in place of the schema."
)
def schema(markdown: bool) -> None:
    """Print the JSON Schema (draft-07) of spec files, for editors and other tools."""
    from archbuild.registry import default_vocabulary, own_vocabulary
    from archbuild.spec import build_schema
    from archbuild.spec.reference import reference

    vocabulary = default_vocabulary()
    if markdown:
        text = reference(vocabulary, documented=own_vocabulary().heads)
    else:
        text = json.dumps(build_schema(vocabulary), indent=2)
    say(text.rstrip("\n"))
