"""What a graph has learned, kept in a file for another day."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.errors import DataError, UsageError
from archbuild.serket import (
    GMM,
    VAE,
    Learned,
    Markov,
    Module,
    Multinomial,
    Observation,
    exchange,
    load_learned,
    recognise,
    save_learned,
    save_texts,
)

pytestmark = pytest.mark.graphs(False)
SPEC = {
    "spec_version": 1,
    "name": "small",
    "batch_size": 30,
    "scaling": "minmax",
    "layers": [
        {"type": "Input", "output_shape": [6]},
        {"type": "Dense", "num_units": 5},
        {"type": "Gaussian", "num_units": 2},
    ],
}
TOP = {"markov": Markov, "multinomial": Multinomial}


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(20)
    return 3.0 * np.eye(6)[np.arange(60) % 3] + rng.normal(0, 0.2, (60, 6))


def graph(rows, top="markov", n_clusters=3, seed=0, **changes):
    observation, vae = Observation(rows), VAE({**SPEC, **changes}, epochs=2, seed=seed)
    mixture, above = GMM(n_clusters, chains=2), TOP[top](n_clusters)
    vae.connect(observation)
    mixture.connect(vae)
    above.connect(mixture)
    return observation, above


@pytest.fixture(scope="module")
def saved(rows, tmp_path_factory):
    """A file with what the graph learned in one round."""
    _, above = graph(rows)
    exchange(above)
    path = tmp_path_factory.mktemp("saved") / "learned.npz"
    save_learned(path, above)
    return path


@pytest.mark.parametrize("top", TOP)
def test_another_graph_built_alike_answers_as_the_first(rows, tmp_path, top):
    observation, above = graph(rows, top)
    exchange(above, rounds=2)
    save_learned(tmp_path / "new" / "learned.npz", above)
    other_observation, other = graph(rows[:1], top)  # it sees no row that was learned from
    load_learned(tmp_path / "new" / "learned.npz", other)
    expected = recognise(above, {observation: rows[:7]}).values()
    found = recognise(other, {other_observation: rows[:7]}).values()
    for first, second in zip(expected, found, strict=True):
        np.testing.assert_array_equal(first.forward, second.forward)
    assert other.rounds == 2
    for name, array in above.parameters().items():
        np.testing.assert_array_equal(other.parameters()[name], array)


def test_learning_goes_on_from_what_was_loaded(rows, tmp_path):
    _, above = graph(rows)
    exchange(above, rounds=3)
    save_learned(tmp_path / "learned.npz", above)
    _, other = graph(rows)
    load_learned(tmp_path / "learned.npz", other)
    exchange(other)
    vae, other_vae = (top.parents[0].parents[0] for top in (above, other))
    assert len(other_vae.losses) == 8
    assert other_vae.losses[:6] == vae.losses
    assert other_vae.losses[6] < vae.losses[0]


def test_messages_of_before_are_forgotten(rows, saved, tmp_path):
    observation, other = graph(rows, seed=5)
    exchange(other)
    load_learned(saved, other)
    with pytest.raises(UsageError, match="vae module has no message yet"):
        save_texts(tmp_path, other)
    mixture = other.parents[0]
    for module in (observation, mixture, mixture.parents[0]):
        assert module.backward_message is None
    exchange(other)  # the data are still there


def test_a_module_of_ones_own_is_kept_by_its_arrays(rows, tmp_path):
    first, second = (Centred(Observation(rows)) for _ in range(2))
    first.update()
    save_learned(tmp_path / "learned.npz", first)
    load_learned(tmp_path / "learned.npz", second)
    np.testing.assert_array_equal(second.mean, rows.mean(axis=0))
    assert second.rounds == 1


class Centred(Module):
    """Its arrays have names that the file uses for itself."""

    def __init__(self, below):
        super().__init__()
        self.mean = None
        self.connect(below)

    def learn(self, data):
        self.mean = data.mean(axis=0)
        return self.recognise(data)

    def recognise(self, data):
        return Learned(data - self.mean)

    def arrays(self):
        return {"rounds": self.mean, "graph": self.mean}

    def restore(self, arrays):
        self.mean = arrays["rounds"]


# what is refused


def test_what_has_not_learned_is_not_saved(rows, tmp_path):
    for above in (graph(rows)[1], Centred(Observation(rows))):
        with pytest.raises(UsageError, match=r"(vae|centred) module has learned nothing yet"):
            save_learned(tmp_path / "learned.npz", above)
    assert not list(tmp_path.iterdir())


def test_an_observation_alone_is_refused(rows, tmp_path):
    for function in (save_learned, load_learned):
        with pytest.raises(UsageError, match="an observation learns nothing"):
            function(tmp_path / "learned.npz", Observation(rows))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"top": "multinomial"}, "3.module: markov -> multinomial"),
        ({"n_clusters": 4}, "2.n_clusters: 3 -> 4"),
        ({"layers": [SPEC["layers"][0], SPEC["layers"][2]]}, r"1.layers\[1\].type: Dense -> Gaus"),
        ({"output_non_linearity": "linear"}, "1.output_non_linearity: rectify -> linear"),
    ],
)
def test_another_graph_is_refused_and_stays_as_it_was(rows, saved, changes, message):
    observation, other = graph(rows, **changes)
    exchange(other)
    before = recognise(other, {observation: rows[:5]})[other].forward
    with pytest.raises(UsageError, match=message):
        load_learned(saved, other)
    np.testing.assert_array_equal(recognise(other, {observation: rows[:5]})[other].forward, before)
    assert other.learned is not None


def test_other_connections_and_other_rows_are_refused(rows, tmp_path):
    def two_views(joined):
        first, second, top = GMM(2, chains=1), GMM(2, chains=1), Multinomial(2)
        first.connect(Observation(rows[:, :2]))
        second.connect(Observation(rows[:, 2:]))
        top.connect(first, second) if joined else top.connect(second, first)
        return top

    joined = two_views(True)
    exchange(joined)
    save_learned(tmp_path / "learned.npz", joined)
    load_learned(tmp_path / "learned.npz", two_views(True))
    with pytest.raises(UsageError, match="numbers: 2 -> 4"):
        load_learned(tmp_path / "learned.npz", two_views(False))


def test_files_that_are_none_of_ours_are_refused(rows, tmp_path):
    _, above = graph(rows)
    for path in (tmp_path / "learned.npz", tmp_path):
        with pytest.raises(DataError, match=r"no file .*; save_learned writes one"):
            load_learned(path, above)
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "empty.npz").touch()
    np.save(tmp_path / "array.npy", rows)
    np.savez(tmp_path / "arrays.npz", rows=rows)
    for name in ("text.npz", "empty.npz", "array.npy", "arrays.npz"):
        with pytest.raises(DataError, match=r"is damaged, or was not written by save_learned$"):
            load_learned(tmp_path / name, above)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_a_file_that_is_cut_short_is_refused(rows, tmp_path, share):
    mixture = GMM(2, chains=1)
    mixture.connect(Observation(rows))
    mixture.update()
    path = tmp_path / "learned.npz"
    save_learned(path, mixture)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match="is damaged"):
        load_learned(path, mixture)
    assert mixture.mixture is not None


def test_a_module_of_ones_own_says_what_it_lacks(rows, tmp_path):
    class Double(Module):
        def learn(self, data):
            return Learned(2 * data)

        recognise = learn

    double = Double()
    assert double.name == "double"
    double.connect(Observation(rows))
    double.update()
    with pytest.raises(UsageError, match=r"Double, has no arrays\(\) and restore\(\)"):
        save_learned(tmp_path / "learned.npz", double)
    with pytest.raises(UsageError, match=r"Double, has no restore\(\)"):
        double.restore({})
    double.arrays = lambda: {"m": None}
    with pytest.raises(UsageError, match="'m' of the double module is no array of numbers"):
        save_learned(tmp_path / "learned.npz", double)
