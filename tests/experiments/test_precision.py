"""A run in another precision: what it leaves is in float32, and stages do not mix precisions."""

from __future__ import annotations

import json

import numpy as np
import pytest

from archbuild.errors import RunError
from archbuild.experiments import requirements
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.experiments.requirements import precision_note
from archbuild.models.run import open_run
from tests import small_runs

pytestmark = pytest.mark.graphs(False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a pretrained and refined run in bfloat16."""
    folder = tmp_path_factory.mktemp("mixed")
    small_runs.make_experiment(folder)  # writes rows and spec
    experiment = in_precision(folder, "mixed_bfloat16")
    experiment.pretrain()
    experiment.cluster()
    return folder


def in_precision(folder, precision):
    return Experiment(
        ExperimentRequest(
            str(folder / "some.npz"), str(folder / "small.json"), out=folder, precision=precision
        )
    )


def test_latents_and_assignments_are_what_the_model_says_in_float32(trained):
    run = open_run(in_precision(trained, "mixed_bfloat16").folder.path)
    stage = run.latest()
    model = stage.open()
    assert model.network.precision == "float32"
    np.testing.assert_array_equal(model.network.predict_latents(run.feed.clean(range(128))),
                                  stage.latents[:128])  # fmt: skip
    (part,) = model.predict(run.dataset)
    np.testing.assert_array_equal(part.clusters, stage.assignments.argmax(axis=1))


def test_a_stage_in_another_precision_is_refused(trained):
    with pytest.raises(RunError, match="precision: mixed_bfloat16 -> absent"):
        in_precision(trained, "float32").pretrain()
    with pytest.raises(RunError, match="precision: mixed_bfloat16 -> mixed_float16"):
        in_precision(trained, "mixed_float16").pretrain()
    assert not in_precision(trained, "mixed_bfloat16").pretrain()  # already done


def test_manifests_without_a_precision_are_of_float32(tmp_path):
    experiment = small_runs.make_experiment(tmp_path)
    experiment.pretrain()
    manifest = json.loads((experiment.folder.path / "pretrain" / "manifest.json").read_text())
    assert "precision" not in manifest["request"]
    with pytest.raises(RunError, match="precision: absent -> mixed_bfloat16"):
        in_precision(tmp_path, "mixed_bfloat16").pretrain()


def test_a_head_in_one_precision_may_refine_a_network_of_another(trained):
    head = in_precision(trained, "float32")
    head.cluster(fresh=True)
    assert head.results().latest().finished


@pytest.mark.parametrize(
    ("precision", "accelerator", "said"),
    [("float32", False, False), ("mixed_float16", True, False), ("mixed_float16", False, True)],
)
def test_16_bits_on_processor_cores_are_advised_against(monkeypatch, precision, accelerator, said):
    monkeypatch.setattr(requirements, "has_accelerator", lambda: accelerator)
    note = precision_note(precision)
    assert (note is not None) is said
    assert not said or precision in note
