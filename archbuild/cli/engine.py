"""The engine that a verb runs by: this machine, or a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from archbuild.cli.numbers import Whole
from archbuild.cli.options import gathered, with_options
from archbuild.errors import UsageError

if TYPE_CHECKING:
    from archbuild.models.ray_predictions import RayCluster

RAY = "ray"

engine_option = click.option(
    "--engine",
    type=click.Choice(("local", RAY)),
    default="local",
    show_default=True,
    help="Place of the work: this machine, or a Ray cluster.",
)
address_option = click.option(
    "--address",
    metavar="HOST:PORT",
    help="Head of the Ray cluster; local: one of this machine alone, for this command.",
    show_default="as Ray finds it",
)


@dataclass(frozen=True)
class EngineChoice:
    """The options that say where predictions are made.

    Attributes:
        engine: ``local`` or ``ray``.
        address: of the cluster.
        workers: models that are open at a time in it.
        shared: whether its machines see the same files.
    """

    engine: str
    address: str | None
    workers: int | None
    shared: bool

    def cluster(self) -> RayCluster | None:
        """Return the cluster; ``None`` for this machine.

        Raises:
            UsageError: an option of the cluster is given without it.
        """
        from archbuild.models.ray_predictions import RayCluster
        from archbuild.ray_cluster import AUTO

        refuse_without_ray(
            self.engine,
            {"--address": self.address, "--workers": self.workers, "--shared": self.shared},
        )
        if self.engine != RAY:
            return None
        return RayCluster(self.address or AUTO, self.workers, self.shared)


def refuse_without_ray(engine: str, options: dict[str, Any]) -> None:
    """Refuse options that mean nothing on this machine alone.

    Raises:
        UsageError: one is given; names it.
    """
    given = [name for name, value in options.items() if value]
    if given and engine != RAY:
        raise UsageError(f"{', '.join(given)}: for a Ray cluster only; add --engine {RAY}")


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of predictions, and pass them as ``engine`` (``EngineChoice``)."""
    options = (
        engine_option,
        address_option,
        click.option(
            "--workers",
            type=Whole(1, 100_000),
            metavar="N",
            help="Number of models in the cluster, one CPU each.",
            show_default="its free CPUs",
        ),
        click.option(
            "--shared",
            is_flag=True,
            help="Run and rows read by every worker, at the same paths, rather than sent to it.",
        ),
    )
    return with_options(gathered(EngineChoice, "engine")(command), options)
