"""``archbuild suggest-k``: how many clusters the pretrained latents fall into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from archbuild.cli.numbers import Whole
from archbuild.cli.options import json_option
from archbuild.cli.output import say, tell
from archbuild.cli.run_choice import RunChoice, run_options
from archbuild.errors import UsageError
from archbuild.io.documents import json_text

if TYPE_CHECKING:
    from archbuild.models.run import Run

_CLUSTERS = Whole(2, 100)


@click.command("suggest-k", no_args_is_help=True, short_help="Suggest a number of clusters.")
@run_options(with_head=False, published=False)
@click.option(
    "--min",
    "least",
    type=_CLUSTERS,
    default=2,
    show_default=True,
    metavar="K",
    help="Lowest number of clusters.",
)
@click.option(
    "--max",
    "most",
    type=_CLUSTERS,
    default=20,
    show_default=True,
    metavar="K",
    help="Highest number of clusters.",
)
@json_option()
def suggest_k(choice: RunChoice, least: int, most: int, as_json: bool) -> None:
    """Measure every number of clusters from --min to --max on the latents of a pretrained run.

    Labels are not used. The table goes to stdout, candidates.png to the run's plots, and
    n_clusters.json into the run's folder, from which the same question is answered next time.
    Above 20, the numbers tried are about a tenth apart. Method: docs/n_clusters.md.
    """
    from archbuild.figures.candidates import draw_suggestion
    from archbuild.models.suggestion import in_text, suggest_for

    if least > most:
        raise UsageError(f"--min {least} is above --max {most}; give the lower number to --min")
    run = choice.run(needs="--pretrain")
    with run.folder.lock():
        suggestion = suggest_for(run, least, most)
        picture = draw_suggestion(run, suggestion)
    say(
        json_text(suggestion.to_json(), indent=2, ascii_only=True)
        if as_json
        else in_text(suggestion)
    )
    tell(f"picture: {picture}")
    _advise(run, suggestion.n_clusters)


def _advise(run: Run, n_clusters: int) -> None:
    """Print the command that clusters with the suggested number, if the run's own is known."""
    from archbuild.experiments.request import with_clusters
    from archbuild.runs.names import refining

    if run.command:
        stage = refining(run.spec.head.type)
        done = stage in [other.name for other in run.finished_stages]
        command = with_clusters(run.command, n_clusters)
        tell(f"next: {command} --cluster{' --fresh' if done else ''}")
