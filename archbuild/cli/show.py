"""``archbuild show``: encoder and derived decoder side by side."""

from __future__ import annotations

import click

from archbuild.cli.options import (
    arch_option,
    dataset_option,
    head_option,
    json_option,
    set_option,
)
from archbuild.cli.output import say


@click.command(no_args_is_help=True, short_help="Show encoder and derived decoder side by side.")
@dataset_option()
@arch_option(required=True)
@head_option()
@set_option
@json_option()
def show(
    dataset: str | None, arch: str, head: str | None, overrides: tuple[str, ...], as_json: bool
) -> None:
    """Show what a spec becomes: layers, shapes, parameters, and which layer mirrors which.

    With an index as ARCH, DATASET names the file that it counts in.
    """
    from archbuild.data import arch_stem
    from archbuild.io.documents import json_text
    from archbuild.registry import default_vocabulary
    from archbuild.spec import load_spec, make_plan
    from archbuild.spec.rendering import plan_document, side_by_side

    vocabulary = default_vocabulary()
    stem = arch_stem(dataset) if dataset else None
    spec = load_spec(arch, vocabulary, stem=stem, overrides=overrides, head=head)
    plan = make_plan(spec, vocabulary)
    say(
        json_text(plan_document(plan), indent=2, ascii_only=True) if as_json else side_by_side(plan)
    )
