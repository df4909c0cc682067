"""What a graph has learned, kept in a file for another day."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.errors import DataError, UsageError
from archbuild.messages import (
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
)

SPEC = {
    "spec_version": 1,
    "name": "small",
    "batch_size": 32,
    "scaling": "minmax",
    "layers": [
        {"type": "Input", "output_shape": [6]},
        {"type": "Dense", "num_units": 5},
        {"type": "Gaussian", "num_units": 2},
    ],
}
TOP = {"markov": Markov, "multinomial": Multinomial}


@pytest.fixture
def rows(rng):
    return 3.0 * np.eye(6)[np.arange(60) % 3] + rng.normal(0, 0.2, (60, 6))


def graph(rows, top="markov", n_clusters=3, **changes):
    observation, vae = Observation(rows), VAE({**SPEC, **changes}, epochs=2)
    mixture, above = GMM(n_clusters, chains=2), TOP[top](n_clusters)
    vae.connect(observation)
    mixture.connect(vae)
    above.connect(mixture)
    return observation, above


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


# what is refused


def test_what_has_not_learned_is_not_saved(rows, tmp_path):
    _, above = graph(rows)
    with pytest.raises(UsageError, match="vae module has learned nothing yet"):
        save_learned(tmp_path / "learned.npz", above)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"top": "multinomial"},
            "learned by vae, gmm of 3 classes, markov of 3 classes, and this graph is vae, "
            "gmm of 3 classes, multinomial of 3 classes",
        ),
        ({"n_clusters": 4}, "gmm of 4 classes"),
        ({"layers": [SPEC["layers"][0], SPEC["layers"][2]]}, "other layers than small"),
        ({"reconstruction": "gaussian"}, "other layers than small"),
    ],
)
def test_another_graph_is_refused(rows, tmp_path, changes, message):
    _, above = graph(rows)
    exchange(above)
    save_learned(tmp_path / "learned.npz", above)
    with pytest.raises(UsageError, match=message):
        load_learned(tmp_path / "learned.npz", graph(rows, **changes)[1])


def test_files_that_are_none_of_ours_are_refused(rows, tmp_path):
    _, above = graph(rows)
    with pytest.raises(DataError, match=r"no file .*learned.npz; save_learned writes one"):
        load_learned(tmp_path / "learned.npz", above)
    (tmp_path / "text.npz").write_text("hello")
    np.save(tmp_path / "array.npy", rows)
    np.savez(tmp_path / "arrays.npz", rows=rows)
    for name in ("text.npz", "array.npy", "arrays.npz"):
        with pytest.raises(DataError, match="is not what save_learned writes"):
            load_learned(tmp_path / name, above)


def test_a_module_of_ones_own_says_what_it_lacks(rows, tmp_path):
    class Double(Module):
        name = "double"

        def learn(self, data):
            return Learned(2 * data)

        recognise = learn

    double = Double()
    double.connect(Observation(rows))
    double.update()
    with pytest.raises(UsageError, match=r"Double, has no arrays\(\) and restore\(\)"):
        save_learned(tmp_path / "learned.npz", double)
    with pytest.raises(UsageError, match=r"Double, has no restore\(\)"):
        double.restore({})
