"""``archbuild suggest-k``: how many clusters the pretrained latents fall into."""

from __future__ import annotations

from pathlib import Path

import click

from archbuild.cli.folders import data_dir_option, out_option
from archbuild.cli.numbers import SEED, Whole
from archbuild.errors import UsageError
from archbuild.io.documents import json_text

_CLUSTERS = Whole(2, 100)


@click.command("suggest-k", no_args_is_help=True, short_help="Suggest a number of clusters.")
@click.option("-d", "--dataset", required=True, metavar="DATASET", help="What the run is of.")
@click.option("-a", "--arch", required=True, metavar="ARCH", help="The run's spec.")
@click.option("--head", metavar="HEAD", help="A head's type, in place of the spec's.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="As the run was asked for."
)
@click.option("--seed", type=SEED, default=0, metavar="S", help="Of the run (default: 0).")
@click.option(
    "--min", "least", type=_CLUSTERS, default=2, metavar="K", help="The fewest (default: 2)."
)
@click.option(
    "--max", "most", type=_CLUSTERS, default=20, metavar="K", help="The most (default: 20)."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, no table.")
@data_dir_option("As for the run.")
@out_option("the run's saved_params/ is")
def suggest_k(
    dataset: str,
    arch: str,
    head: str | None,
    overrides: tuple[str, ...],
    seed: int,
    least: int,
    most: int,
    as_json: bool,
    data_dir: Path | None,
    out: Path,
) -> None:
    """Measure every number of clusters from --min to --max on the latents of a pretrained run.

    Labels are not looked at. The table goes to stdout, candidates.png to the run's plots, and
    n_clusters.json beside its spec; asked again, the same is read and not measured. Above 20, the
    numbers that are tried lie a tenth apart. The method: docs/n_clusters.md.
    """
    from archbuild.experiments.experiment import Experiment
    from archbuild.experiments.request import ExperimentRequest
    from archbuild.figures.candidates import draw_suggestion
    from archbuild.models.suggestion import in_text, suggest_for

    if least > most:
        raise UsageError(f"--min {least} is above --max {most}; give the lower number to --min")
    # whatever number the spec has
    asked = ExperimentRequest(dataset, arch, head, overrides, seed, data_dir, out)
    request = asked.with_clusters("auto")
    experiment = Experiment(request)
    with experiment.folder.lock():
        run = experiment.results()
        suggestion = suggest_for(run, least, most)
        picture = draw_suggestion(run, suggestion)
    click.echo(
        json_text(suggestion.to_json(), indent=2, ascii_only=True)
        if as_json
        else in_text(suggestion)
    )
    click.echo(f"picture: {picture}", err=True)
    done = experiment.head_stage in [stage.name for stage in run.finished_stages]
    command = request.with_clusters(suggestion.n_clusters).command()
    click.echo(f"next: {command} --cluster{' --fresh' if done else ''}", err=True)
