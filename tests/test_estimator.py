"""The scikit-learn face: its checks, every head, runs on disk, pickles, searches and the how-to."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import NotFittedError
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
from archbuild.models.model import Model
from tests.test_documents import ROOT, arguments, commands

FEW = {"pretrain_epochs": 2, "cluster_epochs": 1, "overrides": ("batch_size=64",)}
SHORT = {**FEW, "random_state": 0}
pytestmark = pytest.mark.graphs(False)
HOWTO = ROOT / "docs" / "howto" / "scikit-learn.md"

IMAGES = {
    "spec_version": 1,
    "name": "small-images",
    "layers": [
        {"type": "Input", "output_shape": [1, 8, 8]},
        {"type": "Conv2D", "num_filters": 4, "filter_size": 3, "stride": 2},
        {"type": "Flatten"},
        {"type": "Dense", "num_units": 3, "non_linearity": "linear"},
    ],
    "head": {"type": "kmeans", "n_clusters": 4},
}


@parametrize_with_checks([DeepClustering(n_clusters=2, **FEW)])
def test_it_is_an_estimator_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def blobs():
    """Rows of four groups that lie apart, and the groups."""
    return make_blobs(64, n_features=6, centers=4, cluster_std=0.5, random_state=1)


@pytest.fixture(scope="module")
def images():
    """``(90, 8, 8, 1)`` uint8."""
    return (load_digits().images[:90, ..., np.newaxis] * 15).astype(np.uint8)


@pytest.fixture(scope="module", params=["kld", "kmeans", "gmm", "gmvae", "messages"])
def fitted(request, blobs):
    """One of every head."""
    model = DeepClustering(head=request.param, n_clusters=4, **SHORT)
    if request.param == "messages":
        one_epoch = [*model.overrides, "cluster.epochs=1"]  # of its one round
        model.set_params(overrides=one_epoch)
    return model.fit(blobs[0])


@pytest.fixture(scope="module")
def of_images(images):
    """A convolutional network of bytes."""
    return DeepClustering(IMAGES, **SHORT).fit(images)


def test_the_clusters_of_every_head(fitted, blobs):
    X, _ = blobs
    probabilities = fitted.predict_proba(X)
    assert probabilities.shape == (64, 4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(fitted.labels_, probabilities.argmax(axis=1))
    np.testing.assert_array_equal(fitted.labels_, fitted.predict(X))
    assert (fitted.n_iter_, fitted.n_features_in_) == (1, 6)
    assert isinstance(fitted.converged_, bool)


def test_groups_that_lie_apart_are_found(blobs):
    X, groups = blobs
    clusters = DeepClustering(n_clusters=4, pretrain_epochs=4, random_state=0).fit_predict(X)
    assert adjusted_rand_score(groups, clusters) > 0.9


def test_latents_decode_to_rows_in_the_units_of_the_data(blobs):
    X = 1000 * blobs[0] + 50_000
    model = DeepClustering(n_clusters=4, **SHORT).fit(X)
    rows = model.inverse_transform(model.transform(X))
    assert np.all(np.abs(rows.mean(axis=0) - X.mean(axis=0)) < X.std(axis=0))


def test_centres_are_called_as_scikit_learn_calls_them(fitted):
    generative = fitted.head in ("gmm", "gmvae", "messages")
    assert hasattr(fitted, "means_") == generative
    assert hasattr(fitted, "cluster_centers_") != generative
    centres = fitted.means_ if generative else fitted.cluster_centers_
    assert centres.shape == (4, fitted.transform(np.zeros((1, 6))).shape[1])


def test_another_head_takes_the_centres_of_the_first_away(blobs):
    model = DeepClustering(head="gmm", n_clusters=4, **SHORT).fit(blobs[0])
    model.set_params(head="kmeans").fit(blobs[0])
    assert not hasattr(model, "means_")


def test_a_generative_head_draws_rows_of_every_cluster(fitted):
    if fitted.head in ("kld", "kmeans"):
        with pytest.raises(RunError, match="no generative process"):
            fitted.sample()
        return
    rows, clusters = fitted.sample(3)
    assert rows.shape == (12, 6)
    np.testing.assert_array_equal(clusters, np.repeat(range(4), 3))
    np.testing.assert_array_equal(rows, fitted.sample(3)[0])


def test_a_pickle_holds_no_keras_and_gives_the_same_bits(fitted, blobs):
    X, _ = blobs
    again = pickle.loads(pickle.dumps(fitted))
    for method in ("predict_proba", "transform", "predict"):
        np.testing.assert_array_equal(getattr(again, method)(X), getattr(fitted, method)(X))
    for pickled in (pickle.dumps(fitted), pickle.dumps(again)):
        assert b"keras" not in pickled
        assert b"tensorflow" not in pickled


def test_a_pickle_of_the_first_layout_opens(of_images, images):
    """As written when the package was one file, ``archbuild/estimator.py``."""
    early = pickle.dumps(of_images, protocol=2)  # whose names of classes are lines of text
    for now, then in {
        b"archbuild.estimator.deep_clustering\nDeepClustering\n": b"DeepClustering\n",
        b"archbuild.estimator.memory\nMemory\n": b"_Memory\n",
    }.items():
        assert early.count(now) == 1
        early = early.replace(now, b"archbuild.estimator\n" + then)
    again = pickle.loads(early)
    np.testing.assert_array_equal(again.predict_proba(images), of_images.predict_proba(images))


ELSEWHERE = """
import pickle
import numpy as np

model, rows = pickle.load(open("model.pickle", "rb")), np.load("rows.npy")
np.save("answers.npy", model.predict_proba(rows))
for _ in range(3):  # TensorFlow would speak of retracing at the second
    model.fit(rows)
"""


@pytest.mark.graphs(True)
def test_another_process_unpickles_predicts_and_fits_silently(blobs, tmp_path):
    model = DeepClustering(head="gmm", n_clusters=4, **SHORT).fit(blobs[0])
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(model))
    np.save(tmp_path / "rows.npy", blobs[0])
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", ELSEWHERE]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    answers = np.load(tmp_path / "answers.npy")
    np.testing.assert_array_equal(answers, model.predict_proba(blobs[0]))


def test_importing_archbuild_imports_next_to_nothing():
    heavy = ["keras", "numpy", "sklearn"]
    code = f"import archbuild, sys; sys.exit(any(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_what_archbuild_does_not_have_is_missing_as_ever():
    import archbuild

    assert "DeepClustering" in dir(archbuild)
    with pytest.raises(AttributeError, match="DeepClusterin'"):
        _ = archbuild.DeepClusterin


# -- data and specs --------------------------------------------------------------------------


def test_images_come_back_as_images(of_images, images):
    latents = of_images.transform(images)
    assert latents.shape == (90, 3)
    assert of_images.n_features_in_ == 64
    assert of_images.inverse_transform(latents).shape == (90, 8, 8, 1)


def test_bytes_are_read_as_0_to_1(of_images, images):
    as_floats = of_images.transform(images.astype("float64") / 255)
    np.testing.assert_allclose(of_images.transform(images), as_floats, rtol=1e-5, atol=1e-5)


def test_flat_rows_are_images_too(of_images, images):
    flat = images.reshape(90, 64)
    np.testing.assert_array_equal(of_images.transform(flat), of_images.transform(images))


def test_rows_of_another_shape_are_refused(of_images, images):
    for other in (images.reshape(90, 4, 16, 1), images[:, :4]):
        with pytest.raises(ValueError, match=r"was fitted on rows of shape \(8, 8, 1\)"):
            of_images.predict(other)
    with pytest.raises(ValueError, match="has 32 features"):
        of_images.predict(images[:, :4].reshape(90, 32))


def test_rows_in_other_units_are_answered_with_a_warning(of_images, images):
    with pytest.warns(UserWarning, match="in the same units"):
        assert of_images.predict(images.astype(float)).shape == (90,)


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
    model = DeepClustering(n_clusters="auto", verbose=True, **SHORT).fit(blobs[0])
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


def test_what_is_not_fitted_says_so(blobs):
    for method in ("predict", "transform", "inverse_transform", "score"):
        with pytest.raises(NotFittedError):
            getattr(DeepClustering(), method)(blobs[0])
    with pytest.raises(NotFittedError):
        DeepClustering().sample()


# -- chance and words ------------------------------------------------------------------------


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


# -- with the rest of scikit-learn -----------------------------------------------------------


def test_the_score_is_the_simplified_silhouette_of_the_latents(fitted, blobs):
    X, _ = blobs
    latents, clusters = fitted.transform(X).astype("float64"), fitted.predict(X)
    names = np.unique(clusters)
    means = np.stack([latents[clusters == name].mean(axis=0) for name in names])
    distances = np.linalg.norm(latents[:, None] - means, axis=2)
    mine = clusters[:, None] == names
    own, other = distances[mine], np.where(mine, np.inf, distances).min(axis=1)
    widths = (other - own) / np.maximum(own, other)
    widths[(clusters[:, None] == clusters).sum(axis=1) == 1] = 0
    assert fitted.score(X) == pytest.approx(widths.mean())


def test_the_score_runs_the_network_once(fitted, blobs, monkeypatch):
    calls, predict = [], Model.predict
    monkeypatch.setattr(Model, "predict", lambda *given: calls.append(1) or predict(*given))
    fitted.score(blobs[0])
    assert len(calls) == 1


def test_one_cluster_has_the_lowest_score(fitted, blobs):
    assert fitted.score(blobs[0][:1]) == -1.0


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
    model = DeepClustering(pretrain_epochs=4, cluster_epochs=1, random_state=0)
    search = GridSearchCV(model, {"n_clusters": [2, 4]}, cv=2).fit(X)
    assert search.best_params_ == {"n_clusters": 4}
    assert search.best_score_ == pytest.approx(search.cv_results_["mean_test_score"].max())
    assert search.predict(X).shape == (64,)


# -- runs on disk ----------------------------------------------------------------------------


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


# -- the how-to ------------------------------------------------------------------------------


@pytest.mark.graphs(True)
def test_the_how_to_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for line in commands(HOWTO):
        monkeypatch.setattr(sys, "argv", ["archbuild", *arguments(line)])
        with pytest.raises(SystemExit, match="0"):
            main()
    blocks = re.findall(r"^```python\n(.*?)^```", Path(HOWTO).read_text(), re.DOTALL | re.MULTILINE)
    code = re.sub(r"(pretrain|cluster)_epochs=\d+", r"\1_epochs=1", "\n".join(blocks))
    exec(compile(code, str(HOWTO), "exec"), {})
