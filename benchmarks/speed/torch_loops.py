"""The same networks as loops written by hand: ``python torch_loops.py NETWORK ROWS BATCH``.

Needs torch and NumPy, and knows no archbuild. Convolutions are channels-last.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from benchmarks.speed.serving import Round


def dense(widths: list[int]) -> nn.Module:
    layers: list[nn.Module] = [nn.Flatten()]
    both = [*widths, *widths[-2::-1]]
    for index, (before, after) in enumerate(pairwise(both)):
        layers.append(nn.Linear(before, after))
        if index not in (len(widths) - 2, len(both) - 2):  # linear at the bottleneck and the output
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


class Tum(nn.Module):
    """Two pools with switches, batch normalisation everywhere but on the output."""

    def __init__(self) -> None:
        super().__init__()
        self.pool, self.unpool = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)
        self.down = nn.ModuleList([self.unit(nn.Conv2d(1, 50, 5, bias=False), 50)])
        self.down.append(self.unit(nn.Conv2d(50, 50, 5, bias=False), 50))
        self.code = self.unit(nn.Conv2d(50, 120, 4, bias=False), 120, relu=False)
        self.back = self.unit(nn.ConvTranspose2d(120, 50, 4, bias=False), 50, relu=False)
        self.up = self.unit(nn.ConvTranspose2d(50, 50, 5, bias=False), 50)
        self.out = nn.ConvTranspose2d(50, 1, 5)

    @staticmethod
    def unit(layer: nn.Module, channels: int, relu: bool = True) -> nn.Module:
        return nn.Sequential(layer, nn.BatchNorm2d(channels), *([nn.ReLU()] if relu else []))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        first, places = self.pool(self.down[0](rows))
        second, more = self.pool(self.down[1](first))
        back = self.back(self.code(second))
        return torch.relu(self.out(self.unpool(self.up(self.unpool(back, more)), places)))


def strided() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 5, 2, 2), nn.ReLU(), nn.Conv2d(32, 64, 5, 2, 2), nn.ReLU()),
        *(nn.Conv2d(64, 128, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(1152, 10)),
        *(nn.Linear(10, 1152), nn.ReLU(), nn.Unflatten(1, (128, 3, 3))),
        *(nn.ConvTranspose2d(128, 64, 3, 2), nn.ReLU()),
        *(nn.ConvTranspose2d(64, 32, 5, 2, 2, 1), nn.ReLU(), nn.ConvTranspose2d(32, 1, 5, 2, 2, 1)),
    )


def series() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv1d(1, 32, 7, 2, 3), nn.ReLU(), nn.Conv1d(32, 64, 5, 2, 2), nn.ReLU()),
        *(nn.Conv1d(64, 128, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(2048, 10)),
        *(nn.Linear(10, 2048), nn.ReLU(), nn.Unflatten(1, (128, 16))),
        *(nn.ConvTranspose1d(128, 64, 3, 2, 1, 1), nn.ReLU()),
        *(nn.ConvTranspose1d(64, 32, 5, 2, 2, 1), nn.ReLU(), nn.ConvTranspose1d(32, 1, 7, 2, 3, 1)),
    )


NETWORKS = {
    "digits": ((1, 8, 8), lambda: dense([64, 500, 1000, 32])),
    "dense": ((784,), lambda: dense([784, 500, 500, 2000, 10])),
    "tum": ((1, 28, 28), Tum),
    "strided": ((1, 28, 28), strided),
    "series": ((1, 128), series),
}


def contender(name: str, count: int, batch_size: int) -> Round:
    torch.manual_seed(0)
    shape, build = NETWORKS[name]
    rows = torch.from_numpy(np.random.default_rng(0).random((count, *shape), dtype="float32"))
    network = build()
    if len(shape) == 3 and name != "digits":
        network = network.to(memory_format=torch.channels_last)
        rows = rows.to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)

    def play() -> None:
        for chosen in torch.randperm(len(rows)).split(batch_size):
            batch = rows[chosen]
            optimiser.zero_grad()
            loss = torch.mean((network(batch).reshape(batch.shape) - batch) ** 2)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()

    return play


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    from benchmarks.speed.serving import serve

    serve(contender(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
