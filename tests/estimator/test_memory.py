"""Pickles of an estimator: without Keras, with the same numbers, from earlier versions."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from archbuild import DeepClustering
from tests.estimator.conftest import SHORT
from tests.test_documents import ROOT

pytestmark = pytest.mark.graphs(False)


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
for _ in range(2):  # TensorFlow would speak of retracing at the second
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
