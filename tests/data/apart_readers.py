"""Readers that work in a process of their own, for ``test_apart``; quick to import."""

from __future__ import annotations

import os
import signal

import numpy as np

from archbuild.data.apart import apart
from archbuild.data.request import Arrays


@apart("a trial")
def crash(request):
    os.kill(os.getpid(), signal.SIGSEGV)


@apart("a trial")
def hang(request):
    while True:
        pass


@apart("a trial")
def fill(request):
    return Arrays(np.ones(2**29))


@apart("a trial")
def send(request):
    labels = np.array([["a"], ["b"]])
    return Arrays(np.arange(6.0).reshape(3, 2).T, labels, ids=["1", "2"], columns=("x", "y"))


@apart("a trial")
def send_objects(request):
    return Arrays(np.array([{}, {}], object))
