from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from archbuild import figures
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from tests.cli.calling import PRIOR, SPEC, Archbuild
from tests.training.conftest import CopyEachEpoch

pytestmark = pytest.mark.graphs(False)
EPOCHS = 3
GAMMA = 1
"""Epochs before the mixture begins."""


def generate(folder: Path) -> list[str]:
    """What to call for rows from the run in a folder."""
    return ["generate", "-d", "DIGITS", "-a", str(folder / "prior.json"), "--out", str(folder)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mixture prior trained on DIGITS: in ``whole`` to its end, in ``epoch-1`` up to there."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    folder.mkdir()
    spec = folder / "prior.json"
    head = {**PRIOR["head"], "gamma_training": {"weight": 5e-4, "length": GAMMA}}
    spec.write_text(json.dumps({**PRIOR, "head": head, "train": {"epochs": EPOCHS}}))
    request = ExperimentRequest("DIGITS", str(spec), out=folder)
    Experiment(request, CopyEachEpoch(folder)).train()
    return folder.parent


@pytest.fixture(scope="module")
def run(folders: Path) -> list[str]:
    """What to call ``generate`` with; the run is finished."""
    return generate(folders / "whole")


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of ``tiny.json`` whose stages have no epoch."""
    folder = tmp_path_factory.mktemp("start")
    (folder / "tiny.json").write_text(json.dumps(SPEC))
    none = ("pretrain.epochs=0", "cluster.epochs=0")
    request = ExperimentRequest("DIGITS", str(folder / "tiny.json"), None, none, out=folder)
    experiment = Experiment(request)
    assert experiment.pretrain()
    assert experiment.cluster()
    return folder


def test_an_array_holds_rows_of_each_cluster(
    archbuild: Archbuild, run: list[str], elsewhere: Path
) -> None:
    status, out, err = archbuild(*run, "--per-cluster", 3, "--output", "new/rows.npy")
    assert (status, out) == (0, "")
    last = err.splitlines()[-1]
    assert last == "new/rows.npy: DIGITS · prior · drawn from each cluster of train-gmm (3 each)"
    rows = np.load("new/rows.npy", allow_pickle=False)
    assert (rows.shape, rows.dtype) == ((10, 3, 8, 8, 1), np.float32)
    assert np.isfinite(rows).all()
    assert np.ptp(rows, axis=1).max() > 0  # they differ


def test_the_same_draw_seed_gives_the_same_bytes(
    archbuild: Archbuild, run: list[str], elsewhere: Path
) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        for suffix in ("npy", "png"):
            output = ["--per-cluster", 1, "--output", f"{name}.{suffix}"]
            assert archbuild(*run, *output, "--draw-seed", seed).status == 0
    assert np.load("a.npy").shape == (10, 1, 8, 8, 1)
    for suffix in ("npy", "png"):
        a, b, c = (Path(f"{name}.{suffix}").read_bytes() for name in "abc")
        assert a == b
        assert a != c


def test_a_picture_says_what_it_shows(
    archbuild: Archbuild, run: list[str], elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[tuple[int, ...], str]] = []
    draw = figures.draw_generated

    def drawing(
        rows: np.ndarray, title: str, path: Path, *, shares: list[float], row_names: None
    ) -> Path:
        assert row_names is None  # they are clusters
        drawn.append((rows.shape, title))
        assert sum(shares) == pytest.approx(1, abs=1e-4)
        return draw(rows, title, path, shares=shares)

    monkeypatch.setattr(figures, "draw_generated", drawing)
    assert archbuild(*run, "--output", "rows.PNG").status == 0
    title = "DIGITS · prior · drawn from each cluster of train-gmm"
    assert drawn == [((10, 10, 8, 8, 1), title)]
    assert Path("rows.PNG").read_bytes().startswith(b"\x89PNG")


def test_rows_come_in_the_units_of_the_data(archbuild: Archbuild, elsewhere: Path) -> None:
    table = np.random.default_rng(0).normal((1000.0, -3.0), (20.0, 0.1), (300, 2))
    np.save("mine.npy", table.astype(np.float32))
    layers = [{"type": "Input", "output_shape": [2]}, {"type": "Gaussian", "num_units": 2}]
    head = {"type": "gmvae", "n_clusters": 2, "style_size": 2, "prior_units": 5}
    rest = {"scaling": "standardise", "output_non_linearity": "linear", "train": {"epochs": 1}}
    Path("mine.json").write_text(json.dumps({**SPEC, **rest, "layers": layers, "head": head}))
    experiment = ["-d", "mine.npy", "-a", "mine.json"]
    assert archbuild(*experiment, "--train").status == 0
    assert (
        archbuild("generate", *experiment, "--output", "new.npy", "--per-cluster", 200).status == 0
    )
    rows = np.load("new.npy")
    assert rows.shape == (2, 200, 2)
    assert (np.abs(rows.mean(axis=(0, 1)) - (1000, -3)) < (100, 0.5)).all()


@pytest.mark.parametrize("name", ["rows.jpg", "rows", "npy"])
def test_another_suffix_is_refused_before_anything_is_looked_for(
    archbuild: Archbuild, elsewhere: Path, name: str
) -> None:
    status, out, err = archbuild("generate", "-d", "none", "-a", "none", "--output", name)
    assert (status, out) == (2, "")
    assert err == f"archbuild: --output {name}: write to a file that ends in .png or in .npy\n"


@pytest.mark.parametrize(
    ("arch", "head", "stages"),
    [
        ("vade-digits", "gmm", "--pretrain --cluster"),
        ("s3vdc-digits", "gmm", "--train"),
        ("vade-digits", "gmvae", "--train"),
    ],
)
def test_without_a_run_the_command_that_makes_one_is_named(
    archbuild: Archbuild, elsewhere: Path, arch: str, head: str, stages: str
) -> None:
    experiment = ["-d", "DIGITS", "-a", arch, "--head", head]
    status, _, err = archbuild("generate", *experiment, "--output", "x.npy")
    assert status == 2
    assert f"no run of '{arch}' with seed 0 is under saved_params; train one with: " in err
    command = err.strip().partition("with: ")[2]
    assert command == f"archbuild -d DIGITS -a {arch} --seed 0 --head {head} {stages}"
    assert not Path("x.npy").exists()


def test_a_head_without_a_process_says_which_have_one(
    archbuild: Archbuild, start: Path, elsewhere: Path
) -> None:
    experiment = ["-d", "DIGITS", "-a", start / "tiny.json", "--out", start]
    status, _, err = archbuild("generate", *experiment, "--output", "x.png")
    assert status == 2
    assert "the kld head has no generative process; " in err
    assert "gmm, gmvae, ladder, auxiliary, cluster_aware, messages have one" in err


def test_latents_are_decoded_by_any_head(
    archbuild: Archbuild, start: Path, elsewhere: Path
) -> None:
    experiment = ["-d", "DIGITS", "-a", start / "tiny.json", "--out", start]
    np.save("z.npy", np.zeros((700, 4), np.float32))
    given = ["--latents", "z.npy", "--output", "x.npy"]
    assert archbuild("generate", "-a", "tiny", "--out", start, *given).status == 0
    rows = np.load("x.npy")
    assert rows.shape == (700, 8, 8, 1)
    assert (rows == rows[0]).all()
    np.save("z.npy", np.zeros((7, 3), np.float32))
    status, _, err = archbuild("generate", *experiment, *given)
    assert status == 2
    assert "takes latents of shape (n, 4), and these have shape (7, 3)" in err


def test_of_an_unfinished_run_the_latest_epoch_is_taken(
    archbuild: Archbuild, folders: Path, elsewhere: Path
) -> None:
    run = generate(folders / f"epoch-{GAMMA + 1}")
    status, _, err = archbuild(*run, "--output", "x.png")
    assert status == 0
    assert err.strip().endswith("of train-gmm, epoch 2, not finished (10 each)")


def test_before_the_mixture_begins_there_is_nothing_to_draw_from(
    archbuild: Archbuild, folders: Path, elsewhere: Path
) -> None:
    run = generate(folders / f"epoch-{GAMMA}")
    status, _, err = archbuild(*run, "--output", "x.png")
    assert status == 2
    assert "the gmm head has not begun after epoch 1, and has no clusters" in err


def test_of_two_stages_the_last_one_counts(
    archbuild: Archbuild, folders: Path, elsewhere: Path
) -> None:
    shutil.copytree(folders / "whole", elsewhere, dirs_exist_ok=True)
    run = generate(elsewhere)
    experiment = run[1:]
    assert archbuild(*experiment, "--pretrain", 0, "--cluster", 0).status == 0
    manifest = elsewhere / "saved_params/DIGITS/prior/0/train-gmm/manifest.json"
    document = json.loads(manifest.read_text())
    document["timing"]["finished"] = "2001-02-03T04:05:06+00:00"
    manifest.write_text(json.dumps(document))
    assert "of gmm (10 each)" in archbuild(*run, "--output", "x.npy").err


def test_one_level_of_a_hierarchy_is_varied(archbuild: Archbuild, elsewhere: Path) -> None:
    inner = {"type": "Gaussian", "num_units": 4}
    layers = [SPEC["layers"][0], inner, {"type": "Gaussian", "num_units": 2}]
    rest = {"layers": layers, "head": {"type": "ladder"}, "train": {"epochs": 0}}
    Path("deep.json").write_text(json.dumps({**SPEC, "reconstruction": "bernoulli", **rest}))
    experiment = ["-d", "DIGITS", "-a", "deep.json"]
    assert archbuild(*experiment, "--train").status == 0
    for level in (1, 2):
        given = ["--level", level, "--output", f"{level}.npy", "--per-cluster", 3]
        err = archbuild("generate", *experiment, *given).err
        assert err.strip().endswith(f"drawn from train-ladder, z_{level} alone (3 each)")
    assert np.load("1.npy").shape == np.load("2.npy").shape == (1, 3, 8, 8, 1)
    assert not np.array_equal(np.load("1.npy"), np.load("2.npy"))
    assert archbuild("generate", *experiment, "--level", 2, "--output", "2.png").status == 0
    status, _, err = archbuild("generate", *experiment, "--level", 3, "--output", "3.npy")
    assert status == 2
    assert "has, from the bottom, the levels 1 (z_1), 2 (z_2); choose one of them" in err
    assert not Path("3.npy").exists()


def test_a_level_is_of_draws(archbuild: Archbuild, run: list[str], elsewhere: Path) -> None:
    status, _, err = archbuild(*run, "--level", 1, "--output", "x.npy")
    assert status == 2
    assert "level is 1, and this gmm head has one level of latents; leave the level out" in err
    np.save("z.npy", np.zeros((7, 4), np.float32))
    given = ["--level", 1, "--latents", "z.npy", "--output", "x.npy"]
    status, _, err = archbuild(*run, *given)
    assert status == 2
    assert "--level says what is drawn, and --latents that nothing is" in err


def test_the_latents_are_not_replaced(archbuild: Archbuild, elsewhere: Path) -> None:
    np.save(elsewhere / "z.npy", np.zeros((2, 2)))
    status, _, err = archbuild("generate", "-a", "x", "--latents", "z.npy", "--output", "z.npy")
    assert status == 2
    assert "--output z.npy is the file that is read" in err


def test_latents_that_are_a_pipe_are_not_waited_for(
    archbuild: Archbuild, run: list[str], elsewhere: Path
) -> None:
    os.mkfifo(elsewhere / "z.npy")
    status, _, err = archbuild(*run, "--latents", "z.npy", "--output", "x.npy")
    assert (status, err) == (2, "archbuild: --latents z.npy is no file; save the array as .npy\n")
