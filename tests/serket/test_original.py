"""Serket's own script, with archbuild.serket in the place of Serket's three modules."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from archbuild.errors import DataError, UsageError
from archbuild.serket import GMM, VAE, Observation, exchange

pytestmark = pytest.mark.graphs(False)
TUTORIAL = """
import archbuild.serket as srk
from archbuild.serket import vae
from archbuild.serket import gmm
import numpy as np

obs = srk.Observation( np.loadtxt( "data.txt" ) )
data_category = np.loadtxt( "category.txt" )

vae1 = vae.VAE( 18, itr=200, batch_size=500 )
gmm1 = gmm.GMM( 10, category=data_category )

vae1.connect( obs )  # connect obs to vae1
gmm1.connect( vae1 )  # connect vae1 to gmm1

for i in range(5):
    vae1.update()  # train vae1
    gmm1.update()  # train gmm1
"""
FILES = {
    "module001_vae/z_learn.txt": (60, 18),
    "module001_vae/x_hat_learn.txt": (60, 30),
    "module001_vae/loss.txt": (10,),
    "module002_gmm/Pdz_learn.txt": (60, 10),
    "module002_gmm/class_learn.txt": (60,),
    "module002_gmm/mu_learn.txt": (10, 18),
    "module002_gmm/acc_learn.txt": (),
}


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory):
    """Where the script ran, with two passes of the VAE in place of 200."""
    place = tmp_path_factory.mktemp("tutorial")
    rng = np.random.default_rng(0)
    classes = np.arange(60) % 10
    patterns = (rng.random((10, 30)) > 0.5)[classes]
    np.savetxt(place / "data.txt", 0.8 * patterns + 0.2 * rng.random((60, 30)))
    np.savetxt(place / "category.txt", classes)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        exec(TUTORIAL.replace("itr=200", "itr=2"), {})  # it is ours
    return place


@pytest.fixture
def folder(tutorial, tmp_path_factory):
    """A copy of that folder, which a test may write into."""
    return Path(shutil.copytree(tutorial, tmp_path_factory.mktemp("copy") / "tutorial"))


def lines(script):
    return [line for line in script.splitlines() if line.strip()]


def test_the_tutorials_lines_leave_the_files_that_its_documentation_names(folder):
    assert len(lines(TUTORIAL)) == 13
    found = {
        str(path.relative_to(folder)): np.loadtxt(path).shape
        for path in folder.glob("module*/*.txt")
    }
    assert found == FILES
    models = sorted(path.relative_to(folder).parts for path in folder.glob("module*/*.npz"))
    assert models == [("module001_vae", "model.npz"), ("module002_gmm", "model.npz")]


def test_the_files_hold_one_answer(folder):
    probabilities = np.loadtxt(folder / "module002_gmm/Pdz_learn.txt")
    classes = np.loadtxt(folder / "module002_gmm/class_learn.txt")
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), classes)
    assert np.loadtxt(folder / "module001_vae/loss.txt")[-1] > 0


def test_recog_mode_answers_by_the_model_that_learn_mode_left(folder, monkeypatch):
    monkeypatch.chdir(folder)
    rows = np.loadtxt("data.txt")[:7]
    observation = Observation(rows)
    encoder = VAE(18, itr=2, batch_size=500, mode="recog")
    classifier = GMM(10, mode="recog", category=np.arange(7))
    encoder.connect(observation)
    classifier.connect(encoder)
    before = (folder / "module001_vae/model.npz").read_bytes()
    encoder.update()
    classifier.update()
    assert np.loadtxt("module001_vae/z_recog.txt").shape == (7, 18)
    assert np.loadtxt("module001_vae/x_hat_recog.txt").shape == (7, 30)
    assert np.loadtxt("module002_gmm/class_recog.txt").shape == (7,)
    assert 0 <= float(np.loadtxt("module002_gmm/acc_recog.txt")) <= 1
    assert (folder / "module001_vae/model.npz").read_bytes() == before


def test_recog_mode_without_a_model_or_with_another_is_refused(folder, monkeypatch, tmp_path):
    rows = np.loadtxt(folder / "data.txt")
    for place, error, message in ((tmp_path, DataError, "no file"), (folder, UsageError, "graph")):
        monkeypatch.chdir(place)
        observation, encoder = Observation(rows), VAE(17, mode="recog")
        encoder.connect(observation)
        with pytest.raises(error, match=message):
            encoder.update()


def test_without_serkets_arguments_nothing_is_written(folder, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    mixture = GMM(2, chains=1)
    mixture.connect(Observation(np.loadtxt(folder / "data.txt")))
    exchange(mixture)
    assert mixture.inference == "em"
    assert not list(tmp_path.iterdir())


def test_serkets_own_settings_are_its_defaults_and_can_be_changed():
    original, changed = GMM(3, itr=7), GMM(3, category=[0, 1], chains=4)
    assert (original.inference, original.start, original.chains) == ("gibbs", "random", 1)
    assert (original.sweeps, original.concentration, original.warm_start) == (7, 0.0, False)
    assert (changed.inference, changed.sweeps, changed.chains) == ("gibbs", 100, 4)


def test_the_network_is_serkets_and_a_folder_has_the_name_that_is_asked_for():
    observation = Observation(np.random.default_rng(0).random((12, 9)))
    module = VAE(4, 0.5, 3, "eye", 20, 30, KL_param=2.0)
    module.connect(observation)
    assert module.folder.name == "module001_eye"
    assert module.alpha == 2.0
    settings = module.spec.settings("train")
    assert (settings["batch_size"], settings["epochs"]) == (12, 3)
    units = [layer.output_shape for layer in (*module.plan.encoder, *module.plan.decoder)]
    assert units == [(9,), (20,), (4,), (30,), (9,)]
    network = module._build().network
    kernels = [np.asarray(each) for each in network.variables if each.ndim > 1]
    for kernel in kernels:
        assert 0.2 < kernel.std() < 0.6
        assert np.abs(kernel).max() <= 1.0 + 1e-6


# what is refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((18,), "epochs"),
        (("serket",), "itr"),
    ],
)
def test_the_two_ways_are_not_mixed(arguments, message):
    with pytest.raises(UsageError, match=f"invalid argument {message}: "):
        VAE(*arguments, **{message: 3})
    with pytest.raises(UsageError, match="invalid argument sweeps: "):
        GMM(3, itr=5, sweeps=5)


@pytest.mark.parametrize(
    "settings",
    [{"mode": "train"}, {"name": "../vae"}, {"itr": 0}, {"weight_stddev": -1.0}, {"batch_size": 0}],
)
def test_invalid_values_are_refused(settings):
    with pytest.raises(UsageError, match=next(iter(settings))):
        VAE(18, **settings)


def test_layers_in_python_are_refused_with_advice():
    class Own(VAE):
        def build_encoder(self, x, latent_dim):
            raise AssertionError

    with pytest.raises(UsageError, match=r"Own builds its own layers .* declare the encoder"):
        Own(18)
