"""The command: which networks are timed, in how many rounds, and the table that is printed."""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import pairwise
from math import prod
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Final

import numpy as np

from benchmarks.speed.networks import NETWORKS, Timed

HERE: Final = Path(__file__).parent
NOT_RUN: Final = "not run"
OWN: Final = ("pretrain", "kld", "gmm", "encode")
HEADINGS: Final = (
    "network",
    "rows of a step",
    "pretraining, ms of CPU a step",
    "`keras.Model.fit`, CPU / wall",
    "PyTorch, CPU / wall",
    "`kld`, CPU",
    "`gmm`, CPU",
    "encoding, CPU",
    "share of the bound",
)

Rounds = Mapping[str, list[Mapping[str, float]]]


class Contender:
    """A process that plays a round when it is told to."""

    def __init__(self, command: Sequence[str]) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(map(str, self._process.args))} ended without an answer")
        return line

    def play(self) -> dict[str, float]:
        """Return the seconds of a round."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        used: dict[str, float] = json.loads(self._answer())
        return used

    def __enter__(self) -> Contender:
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def main(arguments: Sequence[str], description: str) -> int:
    """Time what is asked for, and print the table."""
    parser = ArgumentParser(
        prog="speed", description=description, formatter_class=RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--torch", metavar="PATH", help="interpreter that has torch (default: none)")
    add("--rounds", type=int, default=5, metavar="N", help="that are counted (5)")
    names = [network.name for network in NETWORKS]
    add("--only", action="append", choices=names, help="network; repeatable")
    options = parser.parse_args(arguments)
    print(f"| {' | '.join(HEADINGS)} |\n{'|---' * len(HEADINGS)}|")
    bound = matmul_rate()
    for network in NETWORKS:
        if not options.only or network.name in options.only:
            rounds = timed(network, options.torch, options.rounds)
            print(f"| {' | '.join(line(network, rounds, bound))} |", flush=True)
    print(f"\nThe bound: {bound / 1e9:.0f} GFLOP a CPU-second, products of 2,048 x 2,048.")
    return 0


def timed(network: Timed, torch: str | None, count: int) -> Rounds:
    """Return what every contender's rounds took, by contender."""
    ours = [sys.executable, str(HERE / "contenders.py"), network.name]
    commands = {kind: [*ours, kind] for kind in (*OWN, "keras") if kind not in network.without}
    if torch is not None:
        sizes = [str(network.rows), str(network.batch_size)]
        commands["torch"] = [torch, str(HERE / "torch_loops.py"), network.name, *sizes]
    with ExitStack() as stack:
        playing = {kind: stack.enter_context(Contender(each)) for kind, each in commands.items()}
        rounds: dict[str, list[Mapping[str, float]]] = {kind: [] for kind in playing}
        for _ in range(count):
            for kind, contender in playing.items():
                rounds[kind].append(contender.play())
    return rounds


def line(network: Timed, rounds: Rounds, bound: float) -> list[str]:
    """Return the cells of a network; ratios are the others' seconds over pretraining's."""
    steps = network.rows / network.batch_size
    seconds = median(each["cpu"] for each in rounds["pretrain"])
    work = operations(network)
    return [
        network.label,
        str(network.batch_size),
        f"{1000 * seconds / steps:.2f}",
        f"{ratio(rounds, 'keras', 'cpu')} / {ratio(rounds, 'keras', 'wall')}",
        f"{ratio(rounds, 'torch', 'cpu')} / {ratio(rounds, 'torch', 'wall')}",
        *(ratio(rounds, kind, "cpu") for kind in OWN[1:]),
        f"{work * network.rows / seconds / bound:.0%}" if work else "-",
    ]


def ratio(rounds: Rounds, kind: str, unit: str) -> str:
    """Return the median over rounds of the seconds of one contender over pretraining's."""
    if kind not in rounds:
        return NOT_RUN
    pairs = zip(rounds[kind], rounds["pretrain"], strict=True)
    return f"{median(other[unit] / ours[unit] for other, ours in pairs):.2f}"


def operations(network: Timed) -> int:
    """Return the floating-point operations that a row of a dense network takes; 0 of others.

    Forward, and backward for the inputs and for the weights, two for each product of a weight;
    no gradient of the first layer's input is needed.
    """
    if any(layer["type"] != "Dense" for layer in network.layers):
        return 0
    widths = [prod(network.shape), *(layer["num_units"] for layer in network.layers)]
    products = [before * after for before, after in pairwise(widths)]
    return 2 * (3 * 2 * sum(products) - products[0])


def matmul_rate(side: int = 2048, repeats: int = 8) -> float:
    """Return the operations a CPU-second of the backend's product of matrices, the best of some."""
    from archbuild.environment import start_keras

    start_keras()
    from keras import ops

    matrix: Any = ops.convert_to_tensor(np.random.default_rng(0).random((side, side), "float32"))
    best = 0.0
    for _ in range(repeats):
        begun = process_time()
        ops.convert_to_numpy(ops.matmul(matrix, matrix))
        best = max(best, 2 * side**3 / (process_time() - begun))
    return best
