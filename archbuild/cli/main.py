"""``archbuild``: the main job, and the door to every verb."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from archbuild import __version__
from archbuild.cli.doctor import doctor
from archbuild.cli.listing import list_things
from archbuild.cli.new import new
from archbuild.cli.schema import schema
from archbuild.cli.show import show
from archbuild.cli.validate import validate
from archbuild.errors import ArchbuildError

_OWN_EPOCHS = -1


@click.group(
    invoke_without_command=True,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="First run: archbuild -d DIGITS -a 0 --pretrain 50 --cluster 20 --metrics --visualize",
)
@click.option("-d", "--dataset", help="A dataset's name, or a path to your own data.")
@click.option("-a", "--arch", help="Index, name, path, path:index or path:name of a spec.")
@click.option(
    "--pretrain",
    metavar="[N]",
    type=click.IntRange(min=0),
    is_flag=False,
    flag_value=_OWN_EPOCHS,
    help="Learn to reconstruct for N epochs (without N: as many as the spec says).",
)
@click.option(
    "--cluster",
    metavar="[N]",
    type=click.IntRange(min=0),
    is_flag=False,
    flag_value=_OWN_EPOCHS,
    help="Refine with the head for N epochs (without N: as many as the spec says).",
)
@click.option("--metrics", is_flag=True, help="Print and write the table of metrics.")
@click.option("--visualize", is_flag=True, help="Draw the pictures.")
@click.option("--head", help="A head's type, in place of the spec's.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a value.")
@click.option("--seed", type=click.IntRange(min=0, max=2**32 - 1), default=0, show_default=True)
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Where datasets lie (default: $ARCHBUILD_DATA, else ./datasets).",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("."),
    help="Where saved_params/, logs/ and plots/ go (default: here).",
)
@click.option("--fresh", is_flag=True, help="Start the asked-for stages over.")
@click.option("--quiet", is_flag=True, help="Only results and errors.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.version_option(__version__, prog_name="archbuild")
@click.pass_context
def cli(context: click.Context, /, **options: object) -> None:
    """Declare the encoder; the decoder, the loss, the training and the figures follow.

    Stages run in the order pretrain, cluster; then metrics and pictures. The same command again
    goes on where it stopped, and skips what is done.
    """
    if context.invoked_subcommand is None:
        from archbuild.cli.run import run

        run(**options)  # type: ignore[arg-type]  # click checked their types


for _verb in (show, validate, schema, new, list_things, doctor):
    cli.add_command(_verb)


def main() -> None:
    """Entry point: runs the command line and turns errors into messages and exit statuses."""
    # TensorFlow's own log of its start says nothing that a user could act on
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        status = cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except ArchbuildError as error:
        click.echo(f"archbuild: {error}", err=True)
        status = error.exit_status
    except (KeyboardInterrupt, click.Abort):
        click.echo("stopped; the same command goes on after the last finished epoch", err=True)
        status = 130
    except BrokenPipeError:
        sys.stderr.close()
        status = 141
    sys.exit(status if isinstance(status, int) else 0)
