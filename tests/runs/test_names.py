"""What stages and spaces are called."""

from __future__ import annotations

from archbuild.runs.names import section_of, space_of, stage_of


def test_a_space_has_the_name_of_its_head_or_stage():
    stages = ("pretrain", "cluster-gmm", "train-gmm", "cluster-kld")
    assert [space_of(stage) for stage in stages] == ["pretrain", "gmm", "train-gmm", "kld"]
    assert [stage_of(space_of(stage)) for stage in stages] == [*stages]


def test_a_stage_is_trained_as_the_section_of_its_first_word_says():
    stages = ("pretrain", "cluster-gmm", "train-gmm")
    assert [section_of(stage) for stage in stages] == ["pretrain", "cluster", "train"]
