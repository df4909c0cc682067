"""The estimator: scikit-learn's checks, its parameters, runs on disk, searches and the how-to."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from archbuild import DeepClustering
from archbuild.cli.main import main
from archbuild.errors import RunError, SpecError
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.heads import HEADS
from tests.estimator.conftest import IMAGES, QUICKEST, SHORT
from tests.test_documents import ROOT, arguments, commands

pytestmark = pytest.mark.graphs(False)

HOWTO = ROOT / "docs" / "howto" / "scikit-learn.md"


@parametrize_with_checks([DeepClustering(n_clusters=2, **QUICKEST)])
def test_it_is_an_estimator_of_scikit_learn(estimator, check):
    check(estimator)


def test_groups_that_lie_apart_are_found(blobs):
    X, groups = blobs
    clusters = DeepClustering(n_clusters=4, pretrain_epochs=4, random_state=0).fit_predict(X)
    assert adjusted_rand_score(groups, clusters) > 0.9


def test_centres_are_called_as_scikit_learn_calls_them(fitted):
    generative = HEADS[fitted.head].generates
    has_centres = fitted.head in ("kld", "kmeans")
    assert hasattr(fitted, "means_") == generative
    assert hasattr(fitted, "cluster_centers_") == has_centres
    if not (generative or has_centres):
        return
    centres = fitted.means_ if generative else fitted.cluster_centers_
    assert centres.shape == (4, fitted.transform(np.zeros((1, 6))).shape[1])


def test_another_head_takes_the_centres_of_the_first_away(blobs):
    model = DeepClustering(head="gmm", n_clusters=4, **SHORT).fit(blobs[0])
    model.set_params(head="kmeans").fit(blobs[0])
    assert not hasattr(model, "means_")


def test_parameters_that_mean_nothing_are_refused(blobs, fitted):
    with pytest.raises(ValueError, match="expected a list of such texts"):
        DeepClustering(overrides="batch_size=64").fit(blobs[0])
    with pytest.raises(ValueError, match="n_per_cluster is 0"):
        fitted.sample(0)


@pytest.mark.parametrize("shape", [(8,), (8, 2), (8, 8, 3)], ids=["table", "series", "images"])
def test_without_a_spec_one_is_made_for_the_data(shape, rng):
    X = rng.normal(size=(40, *shape))
    model = DeepClustering(**SHORT).fit(X)
    assert model.predict_proba(X).shape == (40, 8)
    assert model.inverse_transform(model.transform(X)).shape == X.shape


def test_a_spec_may_be_a_file_or_what_a_file_holds(of_images, images, tmp_path):
    import yaml

    before = clone(of_images).arch
    (tmp_path / "images.yaml").write_text(yaml.safe_dump([IMAGES]))
    for arch in (tmp_path / "images.yaml", f"{tmp_path}/images.yaml:small-images"):
        model = clone(of_images).set_params(arch=arch).fit(images)
        np.testing.assert_array_equal(model.predict_proba(images), of_images.predict_proba(images))
    assert before == IMAGES == of_images.arch


def test_parameters_win_over_the_spec(of_images, images):
    model = clone(of_images).set_params(
        head="kld", n_clusters=3, cluster_epochs=2, overrides=["head.tolerance=0"]
    )
    model.fit(images)
    assert model.cluster_centers_.shape == (3, 3)
    assert model.n_iter_ == 2


def test_the_number_of_clusters_may_be_left_to_the_latents(blobs, capsys):
    model = DeepClustering(head="kld", n_clusters="auto", verbose=True, **SHORT).fit(blobs[0])
    assert "how many clusters?" in capsys.readouterr().out
    assert len(model.cluster_centers_) == model.predict_proba(blobs[0]).shape[1] >= 2
    assert model.n_clusters == "auto"


def test_network_and_head_may_be_trained_as_one(blobs):
    model = DeepClustering(head="gmvae", n_clusters=4, train_epochs=3, random_state=0)
    assert model.fit(blobs[0]).n_iter_ == 3


def test_a_mistake_in_the_spec_is_named_before_anything_is_trained(blobs):
    with pytest.raises(SpecError, match="use_batch_norm"):
        DeepClustering({**IMAGES, "use_batchnorm": True}).fit(blobs[0])


def test_more_clusters_than_rows_are_refused_in_scikit_learns_words(blobs):
    with pytest.raises(ValueError, match=r"n_samples=5 should be >= n_clusters=6"):
        DeepClustering(n_clusters=6).fit(blobs[0][:5])


def test_a_head_that_finds_no_clusters_is_refused(blobs):
    layers = [{"type": "Input", "output_shape": [2]}, {"type": "Gaussian", "num_units": 2}]
    spec = {"spec_version": 1, "name": "levels", "layers": layers, "reconstruction": "gaussian"}
    for model in (
        DeepClustering(head="ladder"),
        DeepClustering({**spec, "head": {"type": "ladder"}}),
    ):
        with pytest.raises(ValueError, match="the ladder head finds no clusters"):
            model.fit(blobs[0])


def test_random_states_are_read_as_scikit_learn_reads_them(blobs):
    def latents(state):
        model = DeepClustering(n_clusters=4, **{**SHORT, "random_state": state})
        return model.fit(blobs[0]).transform(blobs[0])

    np.testing.assert_array_equal(latents(3), latents(np.int64(3)))
    np.testing.assert_array_equal(*(latents(np.random.RandomState(3)) for _ in range(2)))
    assert np.any(latents(3) != latents(4))


def test_it_prints_a_line_for_each_epoch_if_asked(blobs, capsys):
    DeepClustering(n_clusters=4, verbose=True, **SHORT).fit(blobs[0])
    said = capsys.readouterr()
    assert re.search(r"^pretrain 2/2 .*reconstruction", said.out, re.MULTILINE)
    assert said.err == ""


def test_it_ends_a_pipeline(blobs):
    X, _ = blobs
    model = DeepClustering(n_clusters=4, **SHORT)
    pipeline = make_pipeline(StandardScaler(), model)
    scaled = StandardScaler().fit_transform(X)
    np.testing.assert_array_equal(pipeline.fit_predict(X), clone(model).fit_predict(scaled))
    assert pipeline.predict_proba(X).shape == (64, 4)
    assert list(pipeline.get_feature_names_out()) == [
        f"deepclustering{number}" for number in range(3)
    ]


def test_it_can_be_searched_without_labels(blobs):
    X, _ = blobs
    model = DeepClustering(**{**SHORT, "pretrain_epochs": 4})
    search = GridSearchCV(model, {"n_clusters": [2, 4]}, cv=2).fit(X)
    assert search.best_params_ == {"n_clusters": 4}
    assert search.best_score_ == pytest.approx(search.cv_results_["mean_test_score"].max())
    assert search.predict(X).shape == (64,)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run on a table, two heads in it."""
    out = tmp_path_factory.mktemp("run")
    rows, groups = make_blobs(60, n_features=3, centers=3, random_state=0)
    lines = [f"{a},{b},{c},{group}" for (a, b, c), group in zip(rows, groups, strict=True)]
    (out / "table.csv").write_text("\n".join(["x,y,z,label", *lines]) + "\n")
    (out / "table.yaml").write_text(
        "{spec_version: 1, name: small, layers: [{type: Input, output_shape: [3]}, "
        "{type: Gaussian, num_units: 2}], train: {epochs: 2}}"
    )
    short = ("pretrain.epochs=1", "cluster.epochs=1")
    for head, stages in {"kld": ("pretrain", "cluster"), "gmvae": ("train",)}.items():
        request = ExperimentRequest(
            str(out / "table.csv"), str(out / "table.yaml"), head, short, 7, out=out
        )
        experiment = Experiment(request)
        for stage in stages:
            getattr(experiment, stage)()
    return experiment


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_a_run_is_an_estimator_that_is_fitted(run):
    X = run.dataset.values
    model = DeepClustering.from_run(run.folder.path, "kld")
    labels = np.load(run.folder.stage("cluster-kld").file("labels.npy"))
    np.testing.assert_array_equal(model.labels_, labels)
    np.testing.assert_array_equal(model.predict(X), labels)
    assert list(model.feature_names_in_) == ["x", "y", "z"]
    assert (model.n_features_in_, model.n_iter_, model.random_state) == (3, 1, 7)


def test_the_head_that_was_trained_last_is_taken(run):
    assert DeepClustering.from_run(run.folder.path).sample(2)[0].shape == (6, 3)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("head", ["kld", "gmvae"])
def test_a_clone_trains_the_same_again(run, head):
    model = DeepClustering.from_run(str(run.folder.path), head)
    X = run.dataset.values.astype("float32")
    again = clone(model).fit(X)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_a_run_without_the_head_is_refused(run, tmp_path):
    with pytest.raises(RunError, match="no finished gmm head; it holds pretrain, cluster-kld"):
        DeepClustering.from_run(run.folder.path, "gmm")
    with pytest.raises(RunError, match="holds no run"):
        DeepClustering.from_run(tmp_path)


def test_a_run_that_is_kept_is_not_trained_again(of_images, images, tmp_path, capsys):
    model = clone(of_images).set_params(out=tmp_path, verbose=True).fit(images)
    np.testing.assert_array_equal(model.predict_proba(images), of_images.predict_proba(images))
    capsys.readouterr()
    model.fit(images)
    assert capsys.readouterr().out.count("already done") == 2
    (folder,) = tmp_path.glob("saved_params/array-*/small-images/0")
    restored = DeepClustering.from_run(folder)
    np.testing.assert_array_equal(restored.predict_proba(images), model.predict_proba(images))


def test_other_rows_are_kept_beside(of_images, images, tmp_path):
    model = clone(of_images).set_params(out=tmp_path)
    model.fit(images)
    model.fit(images[:50])
    assert len(list(tmp_path.glob("saved_params/array-*"))) == 2


@pytest.mark.usefixtures("few_rows")
def test_the_how_to_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for line in commands(HOWTO):
        monkeypatch.setattr(sys, "argv", ["archbuild", *arguments(line)])
        with pytest.raises(SystemExit, match="0"):
            main()
    blocks = re.findall(r"^```python\n(.*?)^```", Path(HOWTO).read_text(), re.DOTALL | re.MULTILINE)
    code = re.sub(r"(pretrain|cluster)_epochs=\d+", r"\1_epochs=1", "\n".join(blocks))
    large = r"DeepClustering(\1overrides=['batch_size=599'], "
    code = re.sub(r"DeepClustering\((arch, )?(?=\w+=)(?!.*overrides)", large, code)
    exec(compile(code, str(HOWTO), "exec"), {})
