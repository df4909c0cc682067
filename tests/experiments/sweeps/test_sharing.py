from __future__ import annotations

import pytest

from archbuild.errors import RunInUseError
from archbuild.experiments.sweeps.sharing import share_pretrained
from tests.experiments.sweeps.conftest import finish


@pytest.fixture
def two(planned):
    """The same seed in two settings of what only the head depends on."""
    plan = planned(seeds=[0], grid={"cluster.learning_rate": ["0.1", "0.2"]})
    return [part for _, part in plan.parts]


def test_a_network_that_would_be_trained_twice_is_copied(two):
    first, second = two
    finish(first)
    share_pretrained(second, two)
    stage, copied = first.folder.stage("pretrain"), second.folder.stage("pretrain")
    copied.verify()
    assert copied.digest == stage.digest
    assert second.accepts(copied)
    assert second.folder.stages() == ("pretrain",)


def test_no_other_network_is_taken(planned):
    plan = planned(seeds=[0, 1], grid={"pretrain.learning_rate": ["0.1", "0.2"]})
    first, *others = (part for _, part in plan.parts)
    finish(first)
    for part in others:
        share_pretrained(part, [first])
        assert part.folder.stages() == ()


def test_a_network_that_is_not_whole_is_not_taken(two):
    first, second = two
    finish(first)
    first.folder.stage("pretrain").file("latents.npy").write_bytes(b"altered")
    share_pretrained(second, two)
    assert second.folder.stages() == ()


def test_what_has_begun_stays_as_it_is(two):
    first, second = two
    finish(first)
    stage = second.folder.stage("pretrain")
    stage.begin({"of": "another"})
    stage.save_checkpoint(1, {}, [{}])
    share_pretrained(second, two)
    assert stage.status() == "running"


def test_a_run_that_is_in_use_is_left_alone(two):
    first, second = two
    finish(first)
    with second.folder.lock(), pytest.raises(RunInUseError):
        share_pretrained(second, two)
    assert second.folder.stages() == ()


def test_training_from_scratch_needs_none(planned):
    plan = planned(seeds=[0], grid={"train.learning_rate": ["0.1", "0.2"]}, stages={"train": 1})
    for _, part in plan.parts:
        share_pretrained(part, [part])
        assert not part.folder.path.exists()


def test_a_link_in_a_shared_network_is_not_copied(two, tmp_path):
    first, second = two
    finish(first)
    secret = tmp_path / "secret"
    secret.write_text("mine")
    (first.folder.stage("pretrain").path / "extra").symlink_to(secret)
    share_pretrained(second, two)
    assert not (second.folder.stage("pretrain").path / "extra").exists()
    second.folder.stage("pretrain").verify()
