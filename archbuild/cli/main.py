"""``archbuild``: the main command, and the group of all verbs."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from difflib import get_close_matches
from typing import Any

import click
from click.core import ParameterSource

from archbuild.cli.clean import clean
from archbuild.cli.doctor import doctor
from archbuild.cli.ending import report
from archbuild.cli.export import export
from archbuild.cli.generate import generate
from archbuild.cli.hosts import hosts_options
from archbuild.cli.listing import list_things
from archbuild.cli.new import new
from archbuild.cli.options import (
    arch_option,
    backend_option,
    data_dir_option,
    dataset_option,
    gathered,
    head_option,
    json_option,
    lengths_refused,
    out_option,
    precision_option,
    quiet_option,
    reading_options,
    seed_option,
    set_option,
    stage_options,
)
from archbuild.cli.places import open_streams, refuse_few_files, refuse_lost_folder
from archbuild.cli.predict import predict
from archbuild.cli.run import RunOptions, run
from archbuild.cli.runs import runs
from archbuild.cli.schema import schema
from archbuild.cli.show import show
from archbuild.cli.suggest_k import suggest_k
from archbuild.cli.sweep import sweep
from archbuild.cli.validate import validate
from archbuild.environment import end_with_input
from archbuild.errors import UsageError
from archbuild.version import __version__

_NAME = "archbuild"
_TERMINATED = 143
_AGAIN_AFTER = 0.2  # seconds, in which a callback has returned
_EPILOG = """\b
Your own data:
  archbuild new --for mine.csv
First run:
  archbuild -d DIGITS -a 0 --pretrain 50 --cluster 20 --metrics --visualize
A mixture prior, trained as one with the network, and what it generates:
  archbuild -d SPIRAL -a 0 --train 100 --metrics --visualize
"""


class _Verbs(click.Group):
    """A group that lists its commands in order, and suggests a close match for an unknown one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options in front of a command."""
        with lengths_refused():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command.

        Raises:
            UsageError: there is no working directory, or a word that may be a path is longer than
                the system's paths.
        """
        refuse_lost_folder()
        try:
            with lengths_refused():
                return super().invoke(ctx)
        except OSError as error:
            refuse_lost_folder()  # others may remove it under the command
            if error.errno != errno.ENAMETOOLONG:
                raise
            name = str(error.filename or "")[:60]
            raise UsageError(
                f"'{name}...' is longer than any name of a file or a spec; check the command"
            ) from error

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(context, name) is None and not name.startswith("-"):
            close = get_close_matches(name, self.commands, n=1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            known = ", ".join(self.commands)
            context.fail(f"There is no command '{name}'.{hint} There are {known}.")
        return super().resolve_command(context, args)


@click.group(
    cls=_Verbs,
    invoke_without_command=True,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    subcommand_metavar="[COMMAND ...]",
    epilog=_EPILOG,
)
@dataset_option()
@arch_option()
@stage_options
@click.option("--metrics", is_flag=True, help="Table of metrics, printed and saved.")
@click.option("--visualize", is_flag=True, help="Figures, saved under plots/.")
@click.option("--report", is_flag=True, help="One HTML page about the run, saved under plots/.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Forecast of the stages: parameters, minutes, memory and disk; nothing is written.",
)
@head_option()
@set_option
@reading_options
@seed_option
@precision_option
@data_dir_option
@out_option
@backend_option
@hosts_options
@click.option(
    "--fresh",
    is_flag=True,
    help="New start of the requested stages, without their earlier results.",
)
@quiet_option
@json_option(progress=True)
@click.version_option(__version__, prog_name=_NAME, help="Version of archbuild.")
@click.pass_context
@gathered(RunOptions, "options")
def cli(context: click.Context, /, options: RunOptions) -> None:
    """Declare the encoder; the decoder, the loss, the training and the figures follow.

    Stages run in the order pretrain, cluster, train; without N, for as many epochs as the spec
    says. Metrics, figures and the report come after them. The same command again continues where
    it stopped, and skips what is done.
    """
    if context.invoked_subcommand is not None:
        _refuse_options_before(context.invoked_subcommand, context)
        return
    run(options)


def _refuse_options_before(verb: str, context: click.Context) -> None:
    """Refuse options before a verb: they belong to the main command, and would be ignored."""
    given = [
        parameter.opts[-1]
        for parameter in context.command.params
        if context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(
            f"{', '.join(given)} before '{verb}' would be ignored; put options after the command "
            f"(see 'archbuild {verb} --help')",
            context,
        )


_SPECS = (new, show, validate, schema, list_things)
_MODELS = (suggest_k, predict, generate, export)
_RUNS = (sweep, runs, clean, doctor)
for _verb in (*_SPECS, *_MODELS, *_RUNS):
    cli.add_command(_verb)


def exit_when_terminated() -> None:
    """Exit at SIGTERM: unlike a kill, an exit removes files that are half written.

    An exit that is raised inside a callback of a library is discarded there. It is raised again.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    show = sys.unraisablehook

    def exit_again(discarded: Any) -> None:
        if discarded.exc_type is SystemExit:
            threading.Timer(_AGAIN_AFTER, signal.raise_signal, [signal.SIGTERM]).start()
        else:
            show(discarded)

    sys.unraisablehook = exit_again


def main() -> None:
    """Run the command line, and turn errors into messages and exit statuses."""
    # nothing in TensorFlow's own log helps users
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    open_streams()
    end_with_input()
    if threading.current_thread() is threading.main_thread():
        exit_when_terminated()
    try:
        refuse_few_files()
        status = cli(prog_name=_NAME, standalone_mode=False)
    except Exception as error:  # in place of a traceback
        status = report(error)
    except KeyboardInterrupt as interrupt:
        status = report(interrupt)
    sys.exit(status if isinstance(status, int) else 0)
