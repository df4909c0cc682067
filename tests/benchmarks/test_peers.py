"""Other clusterers beside ours: what is run, what is recorded, and their page."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from archbuild.data import Dataset
from benchmarks.peers import command, running
from benchmarks.peers.child import main as child
from benchmarks.peers.declared import NETWORKS, Row, rows
from benchmarks.peers.page import add_seed, page, peers_line, read_seeds
from benchmarks.peers.running import PeerError, execute, measured
from tests.benchmarks.test_page import lines

USED = {"seconds": 60.0, "cpu_seconds": 90.0, "peak_mib": 512.0}


def result(seed: int, acc: float):
    scores = {"acc": acc, "nmi": 0.6, "ari": 0.5}
    where = {"versions": {"clustpy": "0.0.3"}, "machine": "2 cores", "date": "2026-01-01"}
    return {"seed": seed, **scores, **USED, **where}


@pytest.fixture
def peers(tmp_path):
    """Call the command; what it runs is listed, and its accuracies are .80, .81, ..."""
    ran = []

    def run(row, seed, python, out):
        ran.append((row.label, seed))
        return result(seed, round(0.8 + seed / 100, 2))

    def call(*arguments, run=run):
        return command.main([*arguments, "--results", str(tmp_path)], "what the help says", run)

    call.ran = ran
    return call


def test_every_network_is_run_with_our_widths_and_by_itself():
    of_digits = {row.label: row for row in rows() if row.dataset == "DIGITS"}
    for method in NETWORKS:
        alone = of_digits[f"DIGITS,{method},defaults"].options
        assert alone == ({"manifold": "UMAP"} if method == "N2D" else {})
        assert len(of_digits[f"DIGITS,{method},as ours"].options["widths"]) == 3
    dec, vade, n2d = (
        of_digits[f"DIGITS,{name},as ours"].options for name in ("DEC", "VaDE", "N2D")
    )
    epochs = ("pretrain_epochs", "clustering_epochs")
    assert [dec[key] for key in epochs] == [50, 20]
    assert [vade[key] for key in epochs] == [50, 50]
    assert "clustering_epochs" not in n2d


def test_rows_are_run_once_recorded_and_written(peers, tmp_path):
    assert peers("--only", "DIGITS,DEC", "--seeds", "2") == 0
    assert peers("--only", "DIGITS,DEC,defaults") == 0
    assert peers.ran == [
        *(("DIGITS,DEC,as ours", seed) for seed in (0, 1)),
        *(("DIGITS,DEC,defaults", seed) for seed in (0, 1, 2)),
    ]
    text = (tmp_path / "peers.md").read_text()
    ours, alone = lines(text, "DEC")[:2]
    assert ours[1:5] == ["as ours", "0.805 ± 0.007", "0.600 ± 0.000", "0.500 ± 0.000"]
    assert ours[5:] == ["0.805", "0.810", "0.800", "2 of 3", "60", "90", "0.50"]
    assert alone[8] == "3"
    assert "2 of 45 rows" in (tmp_path / "README.md").read_text()
    (line, _) = lines(text, "DIGITS,DEC,as ours")
    assert "widths: [500, 1000, 32], batch_size: 64" in line[8]
    assert line[9:] == ["clustpy 0.0.3", "2 cores", "2026-01-01"]


def test_a_failed_row_is_named_and_run_again(peers, tmp_path, capsys):
    def run(row, seed, python, out):
        raise PeerError("status 1: no such thing")

    assert peers("--only", "DIGITS,N2D,defaults", "--seeds", "1", run=run) == 1
    assert "failed: DIGITS,N2D,defaults, seed 0: status 1: no such thing" in capsys.readouterr().err
    text = (tmp_path / "peers.md").read_text()
    assert lines(text, "N2D")[1][8] == "0 of 3, 1 failed"
    assert lines(text, "DIGITS,N2D,defaults") == [
        ["DIGITS,N2D,defaults", "0", "status 1: no such thing"]
    ]
    peers("--only", "DIGITS,N2D,defaults", "--seeds", "1")
    assert peers.ran == [("DIGITS,N2D,defaults", 0)]
    assert "no such thing" not in (tmp_path / "peers.md").read_text()


def test_an_interrupted_run_goes_on(peers, tmp_path):
    def run(row, seed, python, out):
        if seed:
            raise KeyboardInterrupt
        return result(seed, 0.8)

    assert peers("--only", "DIGITS,DEC,defaults", run=run) == 130
    peers("--only", "DIGITS,DEC,defaults")
    assert peers.ran == [("DIGITS,DEC,defaults", seed) for seed in (1, 2)]


def test_an_unknown_row_is_refused_with_the_known(peers, capsys):
    assert peers("--only", "DIGITS,DE") == 2
    assert "no row begins with 'DIGITS,DE'; expected" in capsys.readouterr().err


def test_other_options_are_another_row(tmp_path):
    before, now = (Row("DIGITS", "DEC", "as ours", {"batch_size": size}) for size in (16, 32))
    add_seed(tmp_path, before, result(0, 0.8))
    assert read_seeds(tmp_path, before)
    assert not read_seeds(tmp_path, now)


def test_the_page_can_be_written_without_a_run(peers, tmp_path):
    assert peers("--table-only") == 0
    assert not peers.ran
    assert (tmp_path / "peers.md").read_text() == page(tmp_path)
    assert peers_line(tmp_path)[2] == "0 of 45 rows"


def test_a_process_is_measured(tmp_path):
    busy = "x = bytearray(64 * 2**20)\nfor _ in range(10**6): pass\nprint('done')"
    printed, used = measured([sys.executable, "-c", busy], tmp_path)
    assert printed == "done\n"
    assert used["seconds"] > 0
    assert used["cpu_seconds"] > 0
    assert used["peak_mib"] > 64  # no upper bound: Linux counts what the parent had at the fork


def test_a_process_that_fails_says_why(tmp_path):
    with pytest.raises(PeerError, match=r"status 1: ValueError: no such thing"):
        measured([sys.executable, "-c", "raise ValueError('no such thing')"], tmp_path)


@pytest.fixture
def two_groups(monkeypatch):
    """Sixty rows in two groups, in place of any dataset."""
    groups = np.arange(60) % 2
    values = np.random.default_rng(0).normal(size=(60, 4)) + 9 * groups[:, None]
    dataset = Dataset("two", values, groups, ("a", "b"))
    monkeypatch.setattr(running, "_rows", lambda name: dataset)
    return dataset


def test_a_peer_sees_rows_and_the_number_of_clusters(two_groups, tmp_path):
    row = Row("DIGITS", "k-means", "20 starts", {"n_init": 2})
    found = execute(row, 3, sys.executable, tmp_path)
    assert (found["seed"], found["acc"], found["nmi"], found["ari"]) == (3, 1.0, 1.0, 1.0)
    assert list(found["versions"]) == ["scikit-learn"]
    assert found["peak_mib"] > 10
    (files,) = (sorted(path.name for path in each.iterdir()) for each in tmp_path.iterdir())
    assert files == ["clusters.npy", "rows.npy", "stderr", "stdout", "versions.json"]
    assert json.dumps(found)


def test_ours_is_the_command(two_groups, tmp_path, monkeypatch):
    commands = []

    def run(words, folder):
        commands.append(words)
        return json.dumps({"run": str(folder)}), USED

    class Stage:
        clusters = two_groups.labels

    class Opened:
        finished_clusterings = (None, Stage)

    monkeypatch.setattr(running, "measured", run)
    monkeypatch.setattr(running, "open_run", lambda folder: Opened)
    found = execute(Row("DIGITS", "archbuild", "-a 0"), 1, "nothing", tmp_path)
    ((_, _, _, *words),) = commands
    assert words[:6] == ["-d", "DIGITS", "-a", "0", "--pretrain", "--cluster"]
    assert found["acc"] == 1.0
    assert found["seconds"] == 60.0


def test_widths_and_maps_are_given_as_clustpy_takes_them(monkeypatch):
    """With modules that stand for ClustPy's and PyTorch's."""

    class Clusterer:
        def __init__(self, n_clusters, **options):
            asked.append((n_clusters, options))

        def fit(self, values):
            self.labels_ = np.zeros(len(values), int)
            return self

    asked = []
    deep = SimpleNamespace(DEC=Clusterer, VaDE=Clusterer, N2D=Clusterer)
    kinds = SimpleNamespace(FeedforwardAutoencoder="plain", VariationalAutoencoder="variational")
    deep.neural_networks = kinds
    modules = {"clustpy": SimpleNamespace(deep=deep), "clustpy.deep": deep}
    modules |= {"clustpy.deep.neural_networks": kinds}
    modules |= {"torch": SimpleNamespace(manual_seed=lambda seed: None)}
    modules |= {"umap": SimpleNamespace(UMAP="the map")}
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    _, packages = child("N2D", {"manifold": "UMAP"}, np.zeros((5, 4)), 3, 7)
    assert packages == ["clustpy", "torch", "umap-learn"]
    assert asked.pop() == (3, {"manifold_class": "the map", "random_state": 7})
    options = {"widths": [8, 2], "batch_size": 16}
    for method in ("DEC", "VaDE"):
        clusters, packages = child(method, options, np.zeros((5, 4)), 3, 7)
        assert (len(clusters), packages) == (5, ["clustpy", "torch"])
    common = {"batch_size": 16, "embedding_size": 2, "random_state": 7}
    assert asked == [
        (3, {"neural_network": (kind, {"layers": [4, 8, 2]}), **common})
        for kind in ("plain", "variational")
    ]
