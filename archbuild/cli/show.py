"""``archbuild show``: encoder and derived decoder side by side."""

from __future__ import annotations

import click


@click.command(no_args_is_help=True, short_help="Show encoder and derived decoder side by side.")
@click.option(
    "-d", "--dataset", metavar="DATASET", help="The dataset in whose file an index counts."
)
@click.option(
    "-a",
    "--arch",
    metavar="ARCH",
    required=True,
    help="Index, name, path, path:index or path:name of a spec.",
)
@click.option("--head", metavar="HEAD", help="A head's type, in place of the spec's.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a value of the spec."
)
@click.option("--json", "as_json", is_flag=True, help="The plan as one JSON document.")
def show(
    dataset: str | None, arch: str, head: str | None, overrides: tuple[str, ...], as_json: bool
) -> None:
    """Show what a spec becomes: layers, shapes, parameters, and which layer mirrors which."""
    from archbuild.data import arch_stem
    from archbuild.io.documents import json_text
    from archbuild.registry import default_vocabulary
    from archbuild.spec import load_spec, make_plan
    from archbuild.spec.rendering import plan_document, side_by_side

    vocabulary = default_vocabulary()
    stem = arch_stem(dataset) if dataset else None
    spec = load_spec(arch, vocabulary, stem=stem, overrides=overrides, head=head)
    plan = make_plan(spec, vocabulary)
    click.echo(
        json_text(plan_document(plan), indent=2, ascii_only=True) if as_json else side_by_side(plan)
    )
