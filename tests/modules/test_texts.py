"""Messages as text files under Serket's names."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.errors import RunError, UsageError
from archbuild.evaluation.accuracy import swap_accuracy
from archbuild.serket import GMM, Markov, Observation, exchange, recognise, save_texts


@pytest.fixture
def graph():
    rng = np.random.default_rng(0)
    points = np.array([[-5.0, 0], [5, 0]])[np.arange(40) % 2] + rng.normal(size=(40, 2))
    observation, mixture, chain = Observation(points), GMM(2, chains=1), Markov(2)
    mixture.connect(observation)
    chain.connect(mixture)
    exchange(chain)
    return observation, mixture, chain


def test_every_module_has_its_folder_and_numpy_reads_what_is_in_it(graph, tmp_path):
    _, mixture, chain = graph
    labels = np.arange(40) % 2
    files = save_texts(tmp_path / "out", chain, labels)
    names = {str(path.relative_to(tmp_path / "out")) for path in files}
    assert names == {
        f"{folder}/{name}_learn.txt"
        for folder, own in (("module001_gmm", "mu"), ("module002_markov", "trans_prob"))
        for name in ("class", "Pdz", "acc", own)
    }
    folder = tmp_path / "out" / "module001_gmm"
    found = np.loadtxt(folder / "Pdz_learn.txt", dtype="float32")
    np.testing.assert_array_equal(found, mixture.forward_message)
    found = np.loadtxt(folder / "class_learn.txt", dtype=int)
    np.testing.assert_array_equal(found, mixture.forward_message.argmax(axis=1))
    np.testing.assert_allclose(np.loadtxt(folder / "mu_learn.txt"), mixture.mixture.means)
    assert float((folder / "acc_learn.txt").read_text()) == swap_accuracy(labels, found)


def test_rows_without_a_label_do_not_count_for_the_accuracy(graph, tmp_path):
    labels = np.arange(40) % 2
    accuracies = []
    for name, known in (("some", np.where(np.arange(40) < 30, labels, -1)), ("all", labels)):
        save_texts(tmp_path / name, graph[2], known)
        accuracies.append(float((tmp_path / name / "module001_gmm" / "acc_learn.txt").read_text()))
    assert accuracies == [1.0, 1.0]


def test_without_labels_there_is_no_accuracy(graph, tmp_path):
    assert not [path for path in save_texts(tmp_path, graph[2]) if path.name.startswith("acc")]


def test_new_rows_are_written_as_recognised(graph, tmp_path):
    observation, _, chain = graph
    found = recognise(chain, {observation: np.array([[-5.0, 0], [5, 0], [5, 1]])})
    files = save_texts(tmp_path, chain, recognised=found)
    names = sorted(path.name for path in files)
    assert names == ["Pdz_recog.txt", "Pdz_recog.txt", "class_recog.txt", "class_recog.txt"]
    classes = np.loadtxt(tmp_path / "module001_gmm" / "class_recog.txt", dtype=int)
    assert classes[0] != classes[1] == classes[2]


def test_what_was_not_recognised_is_not_written(graph, tmp_path):
    with pytest.raises(UsageError, match="nothing was recognised by the gmm module"):
        save_texts(tmp_path, graph[2], recognised={})


def test_a_file_in_the_place_of_the_folder_is_explained(graph, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(RunError, match=r"cannot write .*out"):
        save_texts(tmp_path / "out", graph[2])


def test_what_was_not_updated_is_not_written(tmp_path):
    mixture = GMM(2)
    mixture.connect(Observation(np.zeros((4, 2))))
    with pytest.raises(UsageError, match="gmm module has no message yet"):
        save_texts(tmp_path, mixture)
    assert list(tmp_path.iterdir()) == []


def test_a_module_folder_that_is_a_link_is_refused(graph, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "module001_gmm").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="out/module001_gmm is a symbolic link"):
        save_texts(tmp_path / "out", graph[-1])
    assert list((tmp_path / "elsewhere").iterdir()) == []
