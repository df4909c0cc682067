"""The rows of the page: which clusterer, on which data, with which settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from archbuild.data import arch_stem
from archbuild.registry import default_vocabulary
from archbuild.spec import Spec, load_spec

OURS: Final = "archbuild"
_AS_OURS: Final = "as ours"
_DEFAULTS: Final = "defaults"

DATASETS: Final[Mapping[str, Sequence[str]]] = {
    "DIGITS": ("0", "vade-digits"),
    "COIL20": ("9", "8"),
    "MNIST-TEST": ("2", "vade-mnist"),
}
"""Dataset -> specs of ours; the first is dense, and the second, where it is VaDE, is dense too."""

NETWORKS: Final = ("DEC", "IDEC", "DCN", "VaDE", "N2D")
"""ClustPy's clusterers that train a network."""

_NEEDED: Final[Mapping[str, Mapping[str, Any]]] = {"N2D": {"manifold": "UMAP"}}
"""Clusterer -> options without which it fails.

N2D's own manifold is t-SNE in as many dimensions as there are clusters, which scikit-learn refuses
beyond three.
"""

_OTHERS: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    "k-means": {"20 starts": {"n_init": 20}},
    "UMAP and Gaussian mixture": {
        _DEFAULTS: {},
        "for clustering": {"n_neighbors": 30, "min_dist": 0.0},  # as UMAP's documentation advises
    },
}


@dataclass(frozen=True)
class Row:
    """One clusterer with its settings on one dataset.

    Attributes:
        dataset: its name.
        method: the name of the clusterer.
        settings: in a word or two; of ours the spec.
        options: of the clusterer.
    """

    dataset: str
    method: str
    settings: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """How ``--only`` names it."""
        return f"{self.dataset},{self.method},{self.settings}"


def rows() -> Iterator[Row]:
    """Yield every row, dataset by dataset, ours first."""
    for dataset, archs in DATASETS.items():
        for arch in archs:
            yield Row(dataset, OURS, f"-a {arch}")
        for method, choices in _OTHERS.items():
            for settings, options in choices.items():
                yield Row(dataset, method, settings, options)
        for method in NETWORKS:
            options = _of_spec(method, dataset, _like(method, archs))
            yield Row(dataset, method, _AS_OURS, {**options, **_NEEDED.get(method, {})})
            yield Row(dataset, method, _DEFAULTS, _NEEDED.get(method, {}))


def _like(method: str, archs: Sequence[str]) -> str:
    """Return our spec of a method: VaDE where there is one, else the first."""
    return next((arch for arch in archs if arch.startswith(f"{method.lower()}-")), archs[0])


def _of_spec(method: str, dataset: str, arch: str) -> dict[str, Any]:
    """Return the widths, the size of batches and the epochs of a spec, as ClustPy takes them."""
    spec = spec_of(dataset, arch)
    widths = [layer["num_units"] for layer in spec.tree["layers"] if "num_units" in layer]
    stages = {"pretrain_epochs": spec.tree["pretrain"]["epochs"]}
    if method != "N2D":  # which clusters once, after pretraining
        stages["clustering_epochs"] = spec.tree["cluster"]["epochs"]
    return {"widths": widths, "batch_size": spec.tree["batch_size"], **stages}


@cache
def spec_of(dataset: str, arch: str) -> Spec:
    """Return a spec of ours."""
    return load_spec(arch, default_vocabulary(), stem=arch_stem(dataset))
