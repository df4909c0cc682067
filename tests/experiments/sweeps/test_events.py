from __future__ import annotations

import pytest

from archbuild.experiments.sweeps.events import PartEnded, PartReported, PartStarted, RunWaits

EPOCH = {"event": "epoch", "time": "then", "stage": "pretrain", "epoch": 2, "epochs": 5}


def ended(state, message="", **scores):
    return PartEnded("x=1 seed 3", "kld", state, message, scores)


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (PartStarted("seed 3", "kld"), "seed 3 kld: begins"),
        (ended("done", nmi=0.5, acc=0.81234), "x=1 seed 3 kld: done, ACC 0.8123"),
        (ended("done", silhouette=0.5), "x=1 seed 3 kld: done, silhouette 0.5000"),
        (ended("already done"), "x=1 seed 3 kld: already done"),
        (ended("failed", "it broke"), "x=1 seed 3 kld: failed: it broke"),
        (ended("stopped", "by Ctrl-C"), "x=1 seed 3 kld: stopped"),
        (RunWaits("seed 3"), "seed 3: in use by another process; it is tried again later"),
        (PartReported("seed 3", "kld", EPOCH), ""),
    ],
)
def test_the_text_of_an_event(event, text):
    assert str(event) == text


def test_a_warning_of_a_process_is_passed_on():
    event = PartReported("seed 3", "kld", {"event": "warning", "message": "3 are broken"})
    assert str(event) == "seed 3 kld: warning: 3 are broken"


def test_programs_get_every_event_of_a_process_with_the_name_of_its_run():
    event = PartReported("seed 3", "kld", EPOCH)
    assert event.name == "epoch"
    assert event.facts == {
        **{"run": "seed 3", "head": "kld"},
        **{"stage": "pretrain", "epoch": 2, "epochs": 5},
    }
    assert ended("failed", "it broke").facts == {
        **{"run": "x=1 seed 3", "head": "kld"},
        **{"state": "failed", "message": "it broke", "scores": {}},
    }
