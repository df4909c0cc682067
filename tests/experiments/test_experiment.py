"""An experiment from the first epoch to the last picture: skipped, refused, killed, resumed."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from archbuild.errors import RunError, SpecError, UsageError
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.figures.drawing import draw
from archbuild.io.atomic import sha256
from archbuild.models.measuring import measure
from archbuild.spec.top import OF_COUNTS
from archbuild.training.progress import Note
from tests.graphs import graphs

# the spec's own batches of 16 take most of the time; these are a third of the rows each
WHOLE_BATCHES = "batch_size=599"
SHORT = (
    "pretrain.epochs=3",
    "cluster.epochs=3",
    "head.start=k-means",
    "head.tolerance=0",
    WHOLE_BATCHES,
)

# processes that are killed at the end of an epoch, before its checkpoint could be told of
KILLED = """
import os, signal, sys
from pathlib import Path
import keras  # once for all of them
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.training.progress import EpochDone

def train(stage, out):
    def kill(event):
        if isinstance(event, EpochDone) and (event.stage, event.row["epoch"]) == (stage, 2):
            os.kill(os.getpid(), signal.SIGKILL)

    request = ExperimentRequest("DIGITS", "0", overrides=sys.argv[1].split(), out=Path(out))
    experiment = Experiment(request, kill)
    experiment.pretrain()
    experiment.cluster()

for stage, out in zip(sys.argv[2::2], sys.argv[3::2]):
    process = os.fork()
    if process == 0:
        train(stage, out)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
"""
HEAD = "self_training"
STAGE = f"cluster-{HEAD}"
STAGES = ("pretrain", STAGE)


def make_experiment(out, *overrides, **changes):
    return Experiment(
        ExperimentRequest("DIGITS", "0", overrides=(*SHORT, *overrides), out=out, **changes)
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A experiment that ran through."""
    experiment = make_experiment(tmp_path_factory.mktemp("done"))
    with graphs(True):  # other processes, which trace them, must come to the same bytes
        assert experiment.pretrain()
        assert experiment.cluster()
    measure(experiment.results())
    return experiment


def copy_of(done, out):
    """Copy the experiment that ran through to another folder."""
    shutil.copytree(done.request.out, out, dirs_exist_ok=True)
    return make_experiment(out)


def digests(experiment):
    paths = [*experiment.folder.path.glob("*/*"), *experiment.folder.path.glob("*.json")]
    chosen = (path for path in paths if path.name != "manifest.json")
    return {str(path.relative_to(experiment.folder.path)): sha256(path) for path in sorted(chosen)}


def test_the_run_folder_holds_what_the_design_says(done):
    assert set(digests(done)) == {
        "spec.json",
        "metrics.json",
        *(f"pretrain/{name}" for name in ("model.weights.h5", "latents.npy", "history.jsonl")),
        *(
            f"{STAGE}/{name}"
            for name in (
                "model.weights.h5",
                "latents.npy",
                "history.jsonl",
                "head.npz",
                "assignments.npy",
                "labels.npy",
            )
        ),
    }
    assignments = np.load(done.folder.stage(STAGE).file("assignments.npy"))
    assert assignments.shape == (1797, 10)
    labels = np.load(done.folder.stage(STAGE).file("labels.npy"))
    np.testing.assert_array_equal(labels, assignments.argmax(axis=1))


def test_the_table_has_a_row_for_every_space_and_method(done):
    document = json.loads(done.folder.metrics_path.read_text())
    assert {key: document[key] for key in ("dataset", "arch", "seed")} == {
        "dataset": "DIGITS",
        "arch": done.spec.name,
        "seed": 0,
    }
    assert [(row["space"], row["method"]) for row in document["rows"]] == [
        ("raw", "k-means"),
        ("pretrain", "k-means"),
        (HEAD, "k-means"),
        (HEAD, "head"),
    ]
    assert all({"acc", "nmi", "ari", "silhouette"} <= set(row) for row in document["rows"])


def test_the_same_again_does_nothing(done):
    before = digests(done)
    again = make_experiment(done.request.out)
    assert not again.pretrain()
    assert not again.cluster()
    measure(again.results())
    assert digests(again) == before


def test_the_same_seed_elsewhere_gives_the_same_bytes(done, tmp_path):
    other = make_experiment(tmp_path)
    other.pretrain()
    other.cluster()
    measure(other.results())
    assert digests(other) == digests(done)


@pytest.fixture(scope="module")
def killed(done, tmp_path_factory):
    """Folders of experiments that were killed in a stage, by the stage."""
    folders = {stage: tmp_path_factory.mktemp(stage) for stage in STAGES}
    copy_of(done, folders[STAGE]).folder.stage(STAGE).clear()
    given = [str(each) for pair in folders.items() for each in pair]
    arguments = [sys.executable, "-c", KILLED, " ".join(SHORT), *given]
    ended = subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True)
    assert ended.stdout.split() == [str(-signal.SIGKILL)] * len(STAGES)
    return folders


@pytest.mark.parametrize("stage", STAGES)
def test_killed_and_run_again_gives_the_same_bytes(done, killed, stage):
    again = make_experiment(killed[stage])
    assert again.folder.stage(stage).status() == "running"
    again.pretrain()
    again.cluster()
    measure(again.results())
    assert digests(again) == digests(done)


def test_a_changed_spec_is_refused_with_the_difference(done):
    changed = make_experiment(done.request.out, "pretrain.learning_rate=0.5")
    with pytest.raises(RunError, match=r"pretrain\.learning_rate: 0\.002 -> 0\.5(.|\n)*--fresh"):
        changed.pretrain()


def test_another_network_cannot_take_the_pretrained_weights(done):
    changed = make_experiment(done.request.out, "layers[1].num_units=100")
    with pytest.raises(RunError, match=r"num_units: 500 -> 100"):
        changed.cluster()


@pytest.mark.graphs(False)
def test_clustering_takes_the_pretrained_run_whatever_its_length(done, tmp_path):
    copy_of(done, tmp_path)
    other = make_experiment(tmp_path, "pretrain.epochs=50", head="kmeans")
    assert other.cluster()
    assert [stage.space for stage in other.results().finished_heads] == ["kmeans", HEAD]


def test_without_a_pretrained_run_the_command_that_makes_one_is_named(tmp_path):
    command = r"archbuild -d DIGITS -a 0 --seed 0 .*--out .* --pretrain 3"
    with pytest.raises(RunError, match=command):
        make_experiment(tmp_path).cluster()


@pytest.mark.graphs(False)
def test_fresh_pretraining_drops_what_was_built_on_the_old(done, tmp_path):
    assert copy_of(done, tmp_path).folder.stages() == ("pretrain", STAGE)
    fresh = make_experiment(tmp_path, "pretrain.epochs=1", "pretrain.learning_rate=0.01")
    assert fresh.pretrain(fresh=True)
    assert fresh.folder.stages() == ("pretrain",)


@pytest.mark.graphs(False)
def test_a_damaged_file_is_named_not_used(tmp_path):
    experiment = make_experiment(tmp_path, "pretrain.epochs=0")
    experiment.pretrain()
    weights = experiment.folder.stage("pretrain").file("model.weights.h5")
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    with pytest.raises(RunError, match=r"model\.weights\.h5 is damaged"):
        make_experiment(tmp_path, "pretrain.epochs=0").cluster()


def test_unlabelled_data_needs_a_number_of_clusters(tmp_path, rng):
    np.save(tmp_path / "mine.npy", rng.random((50, 64), dtype="float32"))
    request = ExperimentRequest(
        str(tmp_path / "mine.npy"), write_dense_spec(tmp_path), out=tmp_path
    )
    with pytest.raises(UsageError, match=r"--set head\.n_clusters"):
        Experiment(request)


@pytest.mark.graphs(False)
def test_unlabelled_data_from_spec_to_pictures(tmp_path, rng):
    np.save(tmp_path / "mine.npy", rng.random((50, 64), dtype="float32"))
    overrides = ("head.n_clusters=3", "pretrain.epochs=1", "cluster.epochs=1")
    arch = write_dense_spec(tmp_path)
    experiment = Experiment(
        ExperimentRequest(str(tmp_path / "mine.npy"), arch, overrides=overrides, out=tmp_path)
    )
    experiment.pretrain()
    experiment.cluster()
    rows = measure(experiment.results())["rows"]
    assert all("acc" not in row and "silhouette" in row for row in rows)
    assert "confusion-kld.png" not in {path.name for path in draw(experiment.results())}


def test_more_clusters_than_rows_are_refused(tmp_path):
    with pytest.raises(UsageError, match="1797 rows"):
        make_experiment(tmp_path, "head.n_clusters=2000")


def write_dense_spec(folder):
    path = folder / "dense.yaml"
    path.write_text(
        "spec_version: 1\nname: dense\nlayers:\n"
        "  - {type: Input, output_shape: [64]}\n"
        "  - {type: Dense, num_units: 16}\n"
        "  - {type: Dense, num_units: 3, non_linearity: linear}\n"
    )
    return str(path)


def test_metrics_and_pictures_are_refused_for_another_network(done):
    changed = make_experiment(done.request.out, "layers[1].num_units=100")
    for step in (measure, draw):
        with pytest.raises(RunError, match=r"num_units: 500 -> 100"):
            step(changed.results())


@pytest.mark.graphs(False)
def test_metrics_do_not_mind_how_the_stages_were_trained(done):
    before = digests(done)
    measure(
        make_experiment(
            done.request.out, "pretrain.epochs=50", "cluster.learning_rate=0.1"
        ).results()
    )
    assert digests(done) == before


def prior_job(out):
    """A experiment of three short stages on DIGITS whose head has weights of its own."""
    layers = "[{type: Input, output_shape: [1, 8, 8]}, {type: Gaussian, num_units: 3}]"
    arch = out / "prior.yaml"
    arch.write_text(f"{{spec_version: 1, name: prior, layers: {layers}, head: {{type: gmvae}}}}")
    epochs = [f"{stage}.epochs=1" for stage in ("pretrain", "cluster", "train")]
    overrides = [*epochs, WHOLE_BATCHES]
    return Experiment(ExperimentRequest("DIGITS", str(arch), overrides=overrides, out=out))


@pytest.mark.graphs(False)
def test_every_stage_starts_from_its_own_weights_in_any_order(tmp_path):
    orders = {
        "first": ("pretrain", "cluster", "train"),
        "second": ("train", "pretrain", "cluster"),
    }
    for name, stages in orders.items():
        (tmp_path / name).mkdir()
        experiment = prior_job(tmp_path / name)
        assert all(getattr(experiment, stage)() for stage in stages)
    first, second = (prior_job(tmp_path / name) for name in orders)
    assert digests(first) == digests(second)


def test_augmenting_by_nothing_is_for_tables_too(tmp_path):
    overrides = ("augment={rotate: 0, shift: 0}", "pretrain.epochs=1", WHOLE_BATCHES)
    request = ExperimentRequest(
        "DIGITS", write_dense_spec(tmp_path), overrides=overrides, out=tmp_path
    )
    assert Experiment(request).pretrain()


def test_augmenting_a_table_is_refused_as_validate_does(tmp_path):
    arch = write_dense_spec(tmp_path)
    with pytest.raises(SpecError, match="rotate does not change tables"):
        Experiment(
            ExperimentRequest("DIGITS", arch, overrides=("augment={rotate: 5}",), out=tmp_path)
        )


def test_a_dataset_without_a_held_out_half(done):
    assert done.results().held_out is None


def test_a_bernoulli_likelihood_refuses_values_outside_its_range(tmp_path):
    experiment = make_experiment(tmp_path, "scaling=standardise", "reconstruction=bernoulli")
    with pytest.raises(UsageError, match="scaling: minmax"):
        experiment.pretrain()


@pytest.mark.graphs(False)
def test_the_number_of_clusters_can_come_from_the_pretrained_latents(tmp_path, rng):
    groups = 5 * rng.normal(size=(4, 64))
    np.save(tmp_path / "mine.npy", groups[np.arange(200) % 4] + rng.normal(size=(200, 64)))
    arch, notes = write_dense_spec(tmp_path), []

    def experiment():
        overrides = (*SHORT, "head.n_clusters=auto")
        request = ExperimentRequest(
            str(tmp_path / "mine.npy"), arch, overrides=overrides, out=tmp_path
        )
        return Experiment(request, notes.append)

    first = experiment()
    with pytest.raises(RunError, match="--pretrain"):
        first.settle_clusters()
    first.pretrain()
    first.cluster()
    number = first.spec.head.config["n_clusters"]
    assert number == json.loads((first.folder.path / "n_clusters.json").read_text())["n_clusters"]
    assignments = np.load(first.folder.stage("cluster-kld").file("assignments.npy"))
    assert assignments.shape == (200, number)
    said = [event.message for event in notes if isinstance(event, Note)]
    assert len([message for message in said if f"{number} clusters" in message]) == 1
    again = experiment()
    assert not again.cluster()  # the same number again: nothing to do
    assert {row["space"] for row in measure(again.results())["rows"]} == {"raw", "pretrain", "kld"}


def test_training_from_scratch_has_no_latents_to_ask(tmp_path):
    experiment = Experiment(
        ExperimentRequest("SPIRAL", "0", overrides=("head.n_clusters=auto",), out=tmp_path)
    )
    with pytest.raises(UsageError, match="suggest-k"):
        experiment.train()


@pytest.mark.parametrize("kind", OF_COUNTS)
def test_a_likelihood_of_counts_learns_from_counts_alone(tmp_path, rng, kind):
    groups = rng.gamma(0.5, 4, size=(3, 20))
    counts = rng.poisson(groups[np.arange(90) % 3] * rng.uniform(1, 5, (90, 1)))
    np.save(tmp_path / "counts.npy", counts)
    np.save(tmp_path / "halves.npy", counts / 2)
    tree = {
        "spec_version": 1,
        "name": "counts",
        "batch_size": 30,
        "reconstruction": kind,
        "layers": [{"type": "Input", "output_shape": [20]}, {"type": "Dense", "num_units": 3}],
        "head": {"type": "kld", "n_clusters": 3},
        "pretrain": {"epochs": 4},
        "cluster": {"epochs": 1},
    }
    (tmp_path / "counts.json").write_text(json.dumps(tree))

    def experiment(name):
        arch = str(tmp_path / "counts.json")
        return Experiment(ExperimentRequest(str(tmp_path / name), arch, out=tmp_path))

    with pytest.raises(UsageError, match="values with fractions"):
        experiment("halves.npy").pretrain()
    done = experiment("counts.npy")
    assert done.pretrain()
    losses = [row["reconstruction"] for row in done.folder.stage("pretrain").history()]
    assert losses == sorted(losses, reverse=True)
    assert np.isfinite(losses).all()
    assert done.cluster()
