"""Broken and hostile data files: small sound ones, changed, for every reader."""

from __future__ import annotations

import logging
import shutil
import warnings
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from random import Random
from typing import ClassVar, Final

from benchmarks.attack import seeds
from benchmarks.attack.attacks import Attack, Case
from benchmarks.attack.mutations import mutated
from benchmarks.attack.seeds import Seed

_INSIDE: Final = 0.6  # of the inputs of packed files, changed before they are packed


class ReaderAttack(Attack):
    """``load_dataset`` on a file, and all of its rows."""

    seeds: Callable[[], list[Seed]]
    is_apart: ClassVar[bool] = False
    """Whether archbuild reads it in a process of its own, whose start is most of the time."""

    @cached_property
    def _sound(self) -> list[Seed]:
        return type(self).seeds()

    def prepare(self, folder: Path) -> None:
        """Read every sound file, so that everything is imported; apart, one of each suffix."""
        folder.mkdir(parents=True)
        kinds = {seed.suffix: seed for seed in self._sound}
        for number, seed in enumerate(kinds.values() if self.is_apart else self._sound):
            place = folder / str(number)
            place.mkdir()
            path = place / f"x{seed.suffix}"
            path.write_bytes(seed.content)
            self.attempt(path)

    def make(self, rng: Random) -> Case:
        """Change a sound file: its bytes, or those of something that is packed in it."""
        seed = rng.choice(self._sound)
        others = [other.content for other in self._sound]
        if seed.unpack is not None and rng.random() < _INSIDE:
            inside, packed = seed.unpack(seed.content, rng)
            return Case(packed(mutated(inside, [inside, *others], rng)), seed.suffix)
        return Case(mutated(seed.content, others, rng), seed.suffix)

    def attempt(self, path: Path) -> None:
        """Read the file; what is logged is no matter here."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logging.disable(logging.CRITICAL)
            try:
                self._read(path)
            finally:
                logging.disable(logging.NOTSET)

    def _read(self, path: Path) -> None:
        from archbuild.data import load_dataset

        for _ in load_dataset(str(path)).chunks(exact=True):
            pass


class MatlabAttack(ReaderAttack):
    """Files of MATLAB's versions 4 and 5."""

    name: ClassVar[str] = "mat"
    seeds = staticmethod(seeds.matlab)


class Hdf5Attack(ReaderAttack):
    """HDF5, also MATLAB's version 7.3: two a second."""

    name: ClassVar[str] = "hdf5"
    seeds = staticmethod(seeds.hdf5)
    is_apart = True


class NumpyAttack(ReaderAttack):
    """``.npy`` and ``.npz``."""

    name: ClassVar[str] = "numpy"
    seeds = staticmethod(seeds.numpy_arrays)


class TextAttack(ReaderAttack):
    """Tables of text, matrices and series."""

    name: ClassVar[str] = "text"
    seeds = staticmethod(seeds.texts)


class ArrowAttack(ReaderAttack):
    """Parquet and Feather."""

    name: ClassVar[str] = "arrow"
    seeds = staticmethod(seeds.arrow)
    is_apart = True


class TfrecordAttack(ReaderAttack):
    """TFRecord; most changed records get the checksums that they should have."""

    name: ClassVar[str] = "tfrecord"
    seeds = staticmethod(seeds.tfrecord)


class ZarrAttack(ReaderAttack):
    """Zarr, zipped."""

    name: ClassVar[str] = "zarr"
    seeds = staticmethod(seeds.zarr_stores)
    is_apart = True


class ExcelAttack(ReaderAttack):
    """Workbooks."""

    name: ClassVar[str] = "excel"
    seeds = staticmethod(seeds.excel)


class ImageAttack(ReaderAttack):
    """Folders of images with a hostile one, or with hostile metadata."""

    name: ClassVar[str] = "images"
    seeds = staticmethod(seeds.images)

    def _read(self, path: Path) -> None:
        sound = self._sound[0].content
        for name in ("b.png", "c.png"):
            path.with_name(name).write_bytes(sound)
        for end in ("metadata.csv", "metadata.jsonl"):
            if path.name.endswith(f".{end}"):
                path.rename(path.with_name(end))
        super()._read(path.parent)


class SetAttack(ReaderAttack):
    """Files of datasets that are known by name."""

    name: ClassVar[str] = "sets"
    seeds = staticmethod(seeds.sets)

    _homes: ClassVar = {
        ".coil.zip": ("COIL20", "coil-20-proc.zip"),
        ".har.zip": ("HAR-TEST", "UCI HAR Dataset.zip"),
    }

    def prepare(self, folder: Path) -> None:
        """Import the readers; the sound files are parts of the real ones, which are refused."""
        from archbuild.errors import DataError

        for seed in self._sound:
            place = folder / seed.suffix
            place.mkdir(parents=True, exist_ok=True)
            (place / f"x{seed.suffix}").write_bytes(seed.content)
            try:
                self.attempt(place / f"x{seed.suffix}")
            except DataError:
                continue

    def _read(self, path: Path) -> None:
        from archbuild.data import find_datasets, load_dataset
        from archbuild.data.formats.arrays.binary_matrix import INTEGERS, read_matrix
        from archbuild.data.formats.arrays.idx import read_idx

        if path.suffix == ".idx":
            read_idx(path, 3)
        elif path.suffix == ".norb":
            read_matrix(path, INTEGERS, (5, 4))
        else:
            name, file = self._homes["".join(path.suffixes)]
            home = path.parent / name.partition("-")[0]
            home.mkdir(exist_ok=True)
            shutil.copy(path, home / file)
            find_datasets(path.parent)
            load_dataset(name, path.parent)
