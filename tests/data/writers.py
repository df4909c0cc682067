"""Small files in the formats that the tests read."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from scipy import sparse

from archbuild.data.sets.idx_halves import Family
from benchmarks.attack.records import example, framed

# 2 x 2 pixels that carry the row's number, so that a selection can be told by its rows
TRAIN = np.arange(60_000, dtype=">u4").view(np.uint8).reshape(-1, 2, 2)
TEST = np.arange(60_000, 70_000, dtype=">u4").view(np.uint8).reshape(-1, 2, 2)


def idx_bytes(array: np.ndarray) -> bytes:
    header = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype(np.uint8).tobytes()


def write_idx(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = idx_bytes(array)
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)


def half_labels(family: Family, half: str) -> np.ndarray:
    """As many labels of each class as the half has."""
    sizes = family.class_sizes[half]
    return np.repeat(np.arange(len(sizes), dtype=np.uint8), sizes)


def write_halves(folder: Path, family: Family, joint: str = "-", end: str = "") -> None:
    """The four files of MNIST and its kin, under one of the names that they go by."""
    for half, prefix, images in (("train", "train", TRAIN), ("test", "t10k", TEST)):
        write_idx(folder / f"{prefix}-images{joint}idx3-ubyte{end}", images)
        write_idx(folder / f"{prefix}-labels{joint}idx1-ubyte{end}", half_labels(family, half))


def row_numbers(values: np.ndarray) -> np.ndarray:
    """What ``TRAIN`` and ``TEST`` carry."""
    return np.ascontiguousarray(values).reshape(-1, 4).view(">u4").ravel()


def write_image(path: Path, array: np.ndarray) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def png_bytes(width: int, height: int, content: bytes, bits: int = 8, colour: int = 0) -> bytes:
    """A PNG that Pillow would not write: ``content`` are its lines, a filter byte before each."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checked = name + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    packed = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(content)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + packed


def write_cells(path: Path, counts: np.ndarray, types: list[str]) -> None:
    """An AnnData file of counts with the cells' types."""
    import h5py

    with h5py.File(path, "w") as file:
        file["X"] = counts.astype(np.float32)
        for name, size in (("obs", len(counts)), ("var", counts.shape[1])):
            file[f"{name}/_index"] = [f"{name} {number}" for number in range(size)]
            file[name].attrs["_index"] = "_index"
        file["obs/cell_type"] = types


def write_own_data(folder: Path) -> None:
    """What the documents speak of beside ``mine.csv``: images in three classes, series, records.

    ``shops.csv`` has categories and gaps.
    """
    rng = np.random.default_rng(0)
    for number in range(60):
        image = rng.integers(0, 60, (10 + number % 2, 12), np.uint8)
        image[3 * (number % 3) :][:3] += 150
        write_image(folder / "photos" / f"kind {number % 3}" / f"{number}.png", image)
    (folder / "photos" / "kind 0" / "broken.png").write_bytes(b"")
    phases = rng.uniform(0, 6, (60, 1, 1)) + np.arange(32)[:, np.newaxis] / 3
    np.save(
        folder / "signals.npy", np.sin(phases * (1 + np.arange(60) % 3)[:, None, None] * [1, 2])
    )
    kinds = np.arange(60) % 3
    np.savetxt(folder / "data.txt", rng.normal(size=(60, 4)) + 4 * kinds[:, np.newaxis])
    np.savetxt(folder / "category.txt", kinds)
    spread = rng.normal(size=(60, 5)) + 4 * kinds[:, np.newaxis]
    examples = [example({"x": row, "label": kind}) for row, kind in zip(spread, kinds, strict=True)]
    (folder / "records.tfrecord").write_bytes(b"".join(map(framed, examples)))
    types = [f"cell type {kind}" for kind in kinds]
    write_cells(folder / "cells.h5ad", rng.poisson(1 + 5 * np.eye(3)[kinds].repeat(4, 1)), types)
    sales = np.where(np.arange(60) % 9, 10 * kinds + np.arange(60) % 7, -1)
    cities = np.array([["Bern", "Oslo"], ["Kyiv", "Rome"], ["Lima", "Riga"]])[kinds, sales % 2]
    rows = [f"{'' if sale < 0 else sale},{city}" for sale, city in zip(sales, cities, strict=True)]
    (folder / "shops.csv").write_text("\n".join(["sales,city", *rows]) + "\n")


def write_73(path: Path, **variables: Any) -> str:
    """A file of version 7.3: HDF5 with axes in reverse behind 512 bytes of MATLAB's own."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in variables.items():
            if sparse.issparse(values):
                group = file.create_group(name)
                group.attrs["MATLAB_sparse"] = values.shape[0]
                for key, part in (("data", "data"), ("ir", "indices"), ("jc", "indptr")):
                    group[key] = getattr(values, part)
            elif isinstance(values, list):
                refs = file.create_dataset(name, (1, len(values)), h5py.ref_dtype)
                refs.attrs["MATLAB_class"] = np.bytes_("cell")
                for place, text in enumerate(values):
                    letters = np.array([[ord(letter)] for letter in text], np.uint16)
                    refs[0, place] = file.create_dataset(f"#refs#/{name}{place}", data=letters).ref
            else:
                file.create_dataset(name, data=np.asarray(values).T)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64")
    return str(path)
