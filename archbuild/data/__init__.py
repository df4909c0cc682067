"""Datasets: the known ones by name, the user's own by path, and rows on their way to training."""

from __future__ import annotations

from archbuild.data.arrays import dataset_from_arrays
from archbuild.data.dataset import Dataset
from archbuild.data.registry import (
    DATASETS,
    arch_stem,
    dataset_name,
    find_datasets,
    held_out,
    load_dataset,
)
from archbuild.data.source import DatasetSource, Found, data_folder

__all__ = [
    "DATASETS",
    "Dataset",
    "DatasetSource",
    "Found",
    "arch_stem",
    "data_folder",
    "dataset_from_arrays",
    "dataset_name",
    "find_datasets",
    "held_out",
    "load_dataset",
]
