"""The options that several verbs share, each declared once, and how they become one argument."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from archbuild.cli.numbers import SEED, Whole
from archbuild.environment import BACKENDS, FLOAT32, PRECISIONS, choose_backend
from archbuild.errors import UsageError
from archbuild.spec.top import CHANNEL_PLACES

_Command = TypeVar("_Command", bound=Callable[..., Any])

SPEC_EPOCHS: Final = -1
"""In place of a number of epochs: as many as the spec says."""


def gathered(kind: type, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Pass the options that are called like the fields of a dataclass as one argument.

    Args:
        kind: the dataclass; a field without an option has a default.
        name: the argument that receives the instance.
    """
    names = {field.name for field in fields(kind)}

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def call(*arguments: Any, **options: Any) -> Any:
            values = {option: options.pop(option) for option in names & options.keys()}
            return command(*arguments, **{name: kind(**values)}, **options)

        return call

    return decorate


def with_options(command: _Command, options: Sequence[Callable[[_Command], _Command]]) -> _Command:
    """Add options, so that the help lists them in the given order."""
    for option in reversed(options):
        command = option(command)
    return command


# -- what is meant: a dataset, a spec, a head, a seed ------------------------------------------


def dataset_option(required: bool = False) -> Callable[[_Command], _Command]:
    """Return the option ``-d``, ``--dataset``."""
    return click.option(
        "-d",
        "--dataset",
        required=required,
        metavar="DATASET",
        help="Name of a dataset, or path to your own data.",
    )


def arch_option(required: bool = False) -> Callable[[_Command], _Command]:
    """Return the option ``-a``, ``--arch``."""
    return click.option(
        "-a",
        "--arch",
        required=required,
        metavar="ARCH",
        help="Index, name, path, path:index or path:name of a spec.",
    )


def head_option(default: str = "the spec's") -> Callable[[_Command], _Command]:
    """Return the option ``--head``.

    Args:
        default: in words, the head that is taken without it.
    """
    return click.option(
        "--head",
        metavar="HEAD",
        help="Type of the head; see 'archbuild list heads'.",
        show_default=default,
    )


def set_option_of(text: str, metavar: str = "KEY=VALUE") -> Callable[[_Command], _Command]:
    """Return the option ``--set``; ``text`` says what may be set."""
    return click.option("--set", "overrides", multiple=True, metavar=metavar, help=text)


set_option = set_option_of(
    "New value of a key of the spec, such as head.n_clusters=16; repeatable."
)


def data_settings(
    assignments: Sequence[str], place: str, allowed: frozenset[str] | None = None
) -> dict[str, Any]:
    """Return the ``data`` section that ``--set data.KEY=VALUE`` makes.

    Args:
        assignments: as they were given.
        place: what they are set of, for messages: ``a new spec``.
        allowed: the keys that may be set; ``None``: all of the section's.

    Raises:
        UsageError: a key of another section is given, or one that is not allowed.
        SpecError: a key or a value is not one of the section's.
    """
    from archbuild.spec.sections import data_section

    others = [text for text in assignments if not text.startswith("data.")]
    if others:
        raise UsageError(f"--set {others[0]}: of {place} only keys of data can be set")
    section = data_section(assignments)
    refused = [key for key in section if allowed is not None and key not in allowed]
    if refused:
        raise UsageError(
            f"--set data.{refused[0]}: the model keeps what becomes of the data; of {place} only "
            f"the keys that say how a file is read can be set: {', '.join(sorted(allowed or ()))}"
        )
    return section


seed_option = click.option(
    "--seed", type=SEED, default=0, show_default=True, metavar="S", help="Random seed of the run."
)

precision_option = click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default=FLOAT32,
    show_default=True,
    help="Precision in which layers compute in training; mixed ones are for accelerators.",
)

run_option = click.option(
    "--run",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Folder of the run, in place of -a, --seed and --out.",
)

published_option = click.option(
    "--published",
    metavar="NAME",
    help="Trained model that comes with archbuild, in place of a run; 'archbuild list published'.",
)


# -- how the data are read ---------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """The options that stand for keys of the spec's ``data`` section.

    Attributes:
        labels: the label column, or ``none``.
        channels: ``first``, ``last`` or ``none``.
    """

    labels: str | None = None
    channels: str | None = None

    def overrides(self) -> tuple[str, ...]:
        """Return the options as assignments to keys of the spec, as ``--set`` takes them."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        return tuple(f"data.{name}={json.dumps(value)}" for name, value in given.items())


_READING: Final = (
    click.option(
        "--labels",
        metavar="COLUMN",
        help="Label column of a table, or none for no labels.",
        show_default="found by its name",
    ),
    click.option(
        "--channels",
        type=click.Choice(CHANNEL_PLACES),
        help="Place of the channel axis of an array, or none.",
        show_default="found by its size",
    ),
)


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--labels`` and ``--channels``, and pass them as ``reading``."""
    return with_options(gathered(Reading, "reading")(command), _READING)


# -- which stages ------------------------------------------------------------------------------


class _Epochs(Whole):
    """A number of epochs from 0, or ``SPEC_EPOCHS``, which cannot be typed."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; raise a usage error for any other text."""
        if isinstance(value, int) and value == SPEC_EPOCHS:  # typed, it would be text
            return value
        return super().convert(value, param, ctx)


@contextmanager
def lengths_refused() -> Iterator[None]:
    """Name the bound of a stage's length that is below 0, which click takes for an option."""
    try:
        yield
    except click.NoSuchOption as error:
        parameters = error.ctx.command.params if error.ctx is not None else []
        names = [each.opts[-1] for each in parameters if isinstance(each.type, _Epochs)]
        if not names or not re.fullmatch(r"-\d", error.option_name):
            raise
        raise click.UsageError(
            f"'{error.option_name}' is no option; N of {', '.join(names)} is a whole number from 0",
            error.ctx,
        ) from error


@dataclass(frozen=True)
class StageLengths:
    """The stages that are asked for.

    Attributes:
        pretrain: number of epochs; ``SPEC_EPOCHS``: the spec's; ``None``: not asked for.
        cluster: number of epochs, or of rounds of a head that has them.
        train: number of epochs, or of rounds of a head that has them.
    """

    pretrain: int | None
    cluster: int | None
    train: int | None

    def asked(self) -> dict[str, int | None]:
        """Return the length of every stage that is asked for; ``None``: the spec's."""
        return {
            stage: None if length == SPEC_EPOCHS else length
            for stage, length in vars(self).items()
            if length is not None
        }

    def given(self) -> dict[str, int]:
        """Return the lengths that replace the spec's."""
        return {stage: length for stage, length in self.asked().items() if length is not None}


def stage_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--pretrain``, ``--cluster`` and ``--train``, and pass them as ``stages``."""
    return with_options(gathered(StageLengths, "stages")(command), _STAGES)


def _stage_option(name: str, help_text: str) -> Callable[[_Command], _Command]:
    return click.option(
        name,
        metavar="[N]",
        type=_Epochs(0, 1_000_000),
        is_flag=False,
        flag_value=SPEC_EPOCHS,
        help=help_text,
    )


_STAGES: Final = (
    _stage_option("--pretrain", "Pretraining by reconstruction, for N epochs."),
    _stage_option(
        "--cluster",
        "Refinement of the pretrained network with the head, for N epochs (or rounds, where the "
        "head has them).",
    ),
    _stage_option(
        "--train",
        "Training of network and head together from scratch, for N epochs (or rounds).",
    ),
)


# -- where things are, and what is written -----------------------------------------------------

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the datasets.",
    show_default="$ARCHBUILD_DATA, else ./datasets",
)

out_option = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    metavar="DIR",
    help="Parent folder of saved_params/, logs/, plots/, messages/ and sweeps/.",
    show_default="the current folder",
)


STDOUT: Final = "stdout"
"""The place of an output without ``--output``, which ``-`` names too."""


def output_option(
    what: str, *, default: str | None = None, folder: bool = False
) -> Callable[[_Command], _Command]:
    """Return the option ``--output``.

    Args:
        what: help text: what is written.
        default: in words, the place without it; ``None``: the option is required.
        folder: whether the output may be a folder.
    """

    def file_of(_: click.Context, __: click.Parameter, value: Path | None) -> Path | None:
        if value != Path("-"):
            return value
        if default != STDOUT:
            raise click.BadParameter("'-' is no file here; write ./- for a file of that name")
        return None

    return click.option(
        "--output",
        type=click.Path(path_type=Path, dir_okay=folder),
        callback=file_of,
        required=default is None,
        show_default=default or False,
        metavar="PATH" if folder else "FILE",
        help=what,
    )


def format_option(
    formats: Sequence[str], default: str | None = None
) -> Callable[[_Command], _Command]:
    """Return the option ``--format``, whose value is called ``kind``.

    Args:
        formats: the names that may be given.
        default: in words, the format without it; ``None``: the option is required.
    """
    return click.option(
        "--format",
        "kind",
        type=click.Choice(formats),
        required=default is None,
        show_default=default or False,
        help="Format of the output.",
    )


# -- what computes -----------------------------------------------------------------------------


def _choose(context: click.Context, option: click.Parameter, backend: str | None) -> None:
    if backend is not None:
        choose_backend(backend)


backend_option = click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    expose_value=False,
    callback=_choose,
    help="Backend of Keras.",
    show_default="$KERAS_BACKEND, else tensorflow",
)
"""Chosen while the command line is read: before anything can import Keras."""


# -- what is written and printed ---------------------------------------------------------------

force_option = click.option("--force", is_flag=True, help="Replacement of an existing output.")

quiet_option = click.option("--quiet", is_flag=True, help="No progress, only results and errors.")


def json_option(progress: bool = False) -> Callable[[_Command], _Command]:
    """Return the option ``--json``; with ``progress``, for a verb that also reports events."""
    events = ", and progress as JSON lines on stderr" if progress else ""
    return click.option(
        "--json", "as_json", is_flag=True, help=f"One JSON document on stdout{events}."
    )
