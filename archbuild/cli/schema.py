"""``archbuild schema``: the JSON Schema of the spec language."""

from __future__ import annotations

import json

import click


@click.command(short_help="Print the JSON Schema of spec files.")
def schema() -> None:
    """Print the JSON Schema (draft-07) of spec files, for editors and other tools."""
    from archbuild.spec import build_schema
    from archbuild.vocabulary import default_vocabulary

    click.echo(json.dumps(build_schema(default_vocabulary()), indent=2))
