"""Sound files of every format that archbuild reads, small, from which hostile ones are made."""

from __future__ import annotations

import gzip
import io
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.attack import records
from benchmarks.attack.mutations import (
    Unpack,
    in_gzip,
    in_packed_mat,
    in_png,
    in_record,
    in_zip,
    zipped,
)

_RNG: Final = np.random.default_rng(16)
_ROWS: Final = _RNG.normal(size=(12, 5))
_WORDS: Final = ["uvw"[row % 3] for row in range(12)]
_CODES: Final = np.repeat([0, 1, 2], 4)
_THIN: Final = np.where(_ROWS > 0, 3.0, 0.0)


@dataclass(frozen=True)
class Seed:
    """A sound file.

    Attributes:
        suffix: the end of its name.
        content: its bytes.
        unpack: the way into it, where it is packed.
    """

    suffix: str
    content: bytes
    unpack: Unpack | None = None


def written(suffix: str, write: Callable[[str], Any]) -> bytes:
    """Return what a function writes to the path that it is given."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x{suffix}"
        write(str(path))
        return path.read_bytes()


def matlab() -> list[Seed]:
    """Files of versions 4 and 5, packed and not, of numbers, sparse matrices, texts and cells."""
    from scipy.sparse import csc_matrix

    thin = csc_matrix(_THIN)
    words = np.array(_WORDS, object)[:, np.newaxis]
    plain = {"X": _ROWS, "y": _CODES[:, np.newaxis]}
    mixed = {"X": _ROWS.astype(np.float32), "y": words, "s": {"a": 1, "b": "text"}}
    images = {"X": _CODES.astype(np.uint8).repeat(12).reshape(3, 4, 12), "c": _ROWS > 0}
    variables: list[dict[str, Any]] = [plain, {"X": thin, "y": _CODES}, mixed, images]
    seeds = [_mat(plain, format="4"), _mat({"X": thin, "t": "text"}, format="4")]
    seeds += [_mat(each) for each in variables]
    return seeds + [_mat(each, do_compression=True) for each in variables]


def _mat(variables: dict[str, Any], **how: Any) -> Seed:
    from scipy.io import savemat

    file = io.BytesIO()
    savemat(file, variables, **how)
    content = file.getvalue()
    if how.get("format") != "4":  # the text in front has the time
        content = b"MATLAB 5.0 MAT-file".ljust(116) + content[116:]
    return Seed(".mat", content, in_packed_mat if how.get("do_compression") else None)


def hdf5() -> list[Seed]:
    """Arrays, packed and not, cells of AnnData and of Cell Ranger, and MATLAB's version 7.3."""
    return [
        Seed(".h5", written(".h5", _write_arrays)),
        Seed(".h5", written(".h5", _write_ten_x)),
        Seed(".h5ad", written(".h5ad", _write_cells)),
        Seed(".mat", b"MATLAB 7.3 MAT-file".ljust(512) + written(".mat", _write_73)[512:]),
    ]


def _write_arrays(path: str) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["x"], file["labels"] = _ROWS, np.array(_WORDS, "S1")
        how = {"chunks": (4, 5), "compression": "gzip", "shuffle": True, "fletcher32": True}
        file.create_dataset("g/other", data=_ROWS, **how)


def _write_ten_x(path: str) -> None:
    import h5py
    from scipy.sparse import csr_matrix

    thin = csr_matrix(_THIN)
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        for name, part in (("data", "data"), ("indices", "indices"), ("indptr", "indptr")):
            group[name] = getattr(thin, part)
        group["shape"], group["barcodes"] = [5, 12], np.array(_WORDS, "S1")
        group["features/name"] = np.array(list("abcde"), "S1")
        group["features/feature_type"] = np.array(["Gene Expression"] * 5, "S15")


def _write_cells(path: str) -> None:
    import h5py
    from scipy.sparse import csr_matrix

    thin = csr_matrix(_THIN)
    with h5py.File(path, "w") as file:
        for name, count in (("obs", 12), ("var", 5)):
            frame = file.create_group(name)
            frame.attrs["_index"] = "names"
            frame.attrs["column-order"] = np.array([], "S1")
            frame["names"] = np.array([f"n{place}" for place in range(count)], "S3")
        file["obs"].attrs["column-order"] = np.array(["celltype"], "S8")
        file["obs/celltype"] = np.array(_WORDS, "S1")
        matrix = file.create_group("X")
        matrix.attrs["encoding-type"], matrix.attrs["shape"] = "csr_matrix", [12, 5]
        for name in ("data", "indices", "indptr"):
            matrix[name] = getattr(thin, name)


def _write_73(path: str) -> None:
    import h5py
    from scipy.sparse import csc_matrix

    thin = csc_matrix(_THIN)
    with h5py.File(path, "w", userblock_size=512) as file:
        file["y"] = _CODES[np.newaxis]
        group = file.create_group("X")
        group.attrs["MATLAB_sparse"] = np.uint64(12)
        group["data"], group["ir"], group["jc"] = thin.data, thin.indices, thin.indptr


def numpy_arrays() -> list[Seed]:
    """Arrays in ``.npy`` files and archives."""
    from scipy.sparse import csc_matrix, save_npz

    def archive(*, is_packed: bool = False, **arrays: Any) -> Seed:
        save = np.savez_compressed if is_packed else np.savez
        return _still(".npz", written(".npz", lambda path: save(path, **arrays)))

    thin = written(".npz", lambda path: save_npz(path, csc_matrix(_THIN)))
    return [
        *(Seed(".npy", _npy(each)) for each in (_ROWS, np.asfortranarray(_ROWS.astype("f2")))),
        Seed(".npy", _npy(_CODES.astype(np.uint8).repeat(20).reshape(12, 5, 4))),
        archive(x=_ROWS, y=_CODES),
        archive(is_packed=True, data=_ROWS, labels=np.array(_WORDS)),
        archive(x_train=_ROWS, y_train=_CODES, x_test=_ROWS, y_test=_CODES),
        _still(".npz", thin),
    ]


def _npy(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def _still(suffix: str, content: bytes) -> Seed:
    """Return an archive without its times."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members.pop("docProps/core.xml", None)  # the time that a workbook was made
    return Seed(suffix, zipped(members), in_zip)


def texts() -> list[Seed]:
    """Tables of text, packed and not, in several encodings, matrices, and series."""
    rows = [f"{a:.4f},{b:.3f},{word},2024-01-{day:02}" for (a, b), word, day in _cells()]
    table = "a,b,kind,when\n" + "\n".join(rows) + "\n"
    quoted = '# c\n"a ""q""",b\n' + "".join(f'"{row}",{row * row}\n' for row in range(12))
    matrix = io.BytesIO()
    np.savetxt(matrix, _ROWS)
    contents = [
        *(table.encode(), table.replace(",", ";").replace(".", ",").encode(), quoted.encode()),
        *(("\ufeff" + table).encode("utf-16-le"), ("\ufeff" + table).encode("utf-16-be")),
    ]
    ends = [f"1,2,3,{row},5:{'ab'[row % 2]}" for row in range(8)]
    timed = [f"(0,1.5),(1,2.{row}),(3,5):{'ab'[row % 2]}" for row in range(8)]
    return [
        *(Seed(".csv", content) for content in contents),
        Seed(".tsv", table.replace(",", "\t").encode()),
        *(Seed(".csv.gz", gzip.compress(each, 6, mtime=0), in_gzip) for each in contents[:2]),
        Seed(".txt", matrix.getvalue()),
        Seed(".ts", _series("false", ends)),
        Seed(".ts", _series("true", timed)),
    ]


def _cells() -> list[tuple[Any, str, int]]:
    return list(zip(_ROWS[:, :2].tolist(), _WORDS, range(1, 13), strict=True))


def _series(is_timed: str, lines: list[str]) -> bytes:
    head = (
        f"@problemName x\n@timeStamps {is_timed}\n@univariate true\n@classLabel true a b\n@data\n"
    )
    return (head + "\n".join(lines) + "\n").encode()


def arrow() -> list[Seed]:
    """Parquet and Feather: numbers, words, lists, and images."""
    import pyarrow as pa
    from pyarrow import feather, parquet

    columns = {"a": _ROWS[:, 0], "b": _ROWS[:, 1].astype(np.float32), "i": _CODES, "k": _WORDS}
    table = pa.table(columns)
    lists = table.append_column("l", pa.array([list(row) for row in _ROWS]))
    pictures = [{"bytes": _picture("PNG", "L"), "path": f"{place}.png"} for place in range(3)]
    images = pa.table({"image": pictures, "label": [0, 1, 0]})
    return [
        *(Seed(".parquet", written(".p", lambda path, t=each: parquet.write_table(t, path)))
          for each in (table, lists, images)),
        Seed(".parquet", written(".p", lambda path: parquet.write_table(
            table, path, compression="none", use_dictionary=False))),
        *(Seed(".feather", written(".f", lambda path, c=how: feather.write_feather(
            table, path, compression=c))) for how in ("uncompressed", "lz4", "zstd")),
        Seed(".feather", written(".f", lambda path: feather.write_feather(
            images, path, compression="uncompressed"))),
    ]  # fmt: skip


def tfrecord() -> list[Seed]:
    """Records with lists of numbers, tensors, words and images, packed and not."""
    labels, words = _CODES.tolist(), [word.encode() for word in _WORDS]
    tensors = [records.tensor(row) for row in _ROWS]
    pictures = [_picture("PNG", "L"), _picture("JPEG", "RGB"), _picture("PNG", "RGB")]
    numbers = (_ROWS * 1000).astype(int)
    files = [
        _records(x=_ROWS, label=words),
        _records(x=numbers, y=labels, other=words),
        _records(image=tensors, label=labels),
        _records(image=pictures, label=labels[:3]),
    ]
    packed = [gzip.compress(file, 6, mtime=0) for file in files[:2]]
    return [
        *(Seed(".tfrecord", file, in_record) for file in files),
        *(Seed(".tfrecord.gz", file, in_gzip) for file in packed),
    ]


def _records(**features: Any) -> bytes:
    rows = zip(*features.values(), strict=True)
    examples = (records.example(dict(zip(features, row, strict=True))) for row in rows)
    return b"".join(map(records.framed, examples))


def zarr_stores() -> list[Seed]:
    """Zipped stores of both versions, of one array and of several, packed in several ways."""
    import zarr

    seeds = []
    for version in (2, 3):
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # texts are no part of version 3 yet
            group = zarr.open_group(folder, mode="w", zarr_format=version)
            for name, codec in (("x", "auto"), ("g/other", _zarr_codec(version, "zlib"))):
                group.create_array(name, data=_ROWS, chunks=(4, 3), compressors=codec)
            group.create_array("labels", data=np.array(_WORDS))
            group.create_array("texts", shape=(12,), dtype="string")[:] = np.array(_WORDS, object)
            seeds.append(_zipped_folder(Path(folder)))
        with tempfile.TemporaryDirectory() as folder:
            how = {"shards": (8, 5)} if version == 3 else {"order": "F"}
            codec = _zarr_codec(version, "lz4")
            made = zarr.create_array(
                folder, shape=(12, 5), chunks=(2, 5), dtype="f4", compressors=codec,
                zarr_format=version, **how,
            )  # fmt: skip
            made[...] = _ROWS
            seeds.append(_zipped_folder(Path(folder)))
    return seeds


def _zarr_codec(version: int, name: str) -> Any:
    """Return a codec of zarr, but none that writes the time."""
    import numcodecs
    from zarr import codecs

    if version == 3:
        return codecs.BloscCodec(cname=name)
    return numcodecs.Zlib() if name == "zlib" else numcodecs.Blosc()


def _zipped_folder(folder: Path) -> Seed:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    members = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    return Seed(".zarr.zip", zipped(members), in_zip)


def excel() -> list[Seed]:
    """A workbook of two sheets."""
    from datetime import datetime

    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["a", "b", "kind", "when"])
    for (a, b), word, day in _cells():
        book.active.append([a, b, word, datetime(2024, 1, day)])  # cells have none
    book.create_sheet("other").append(["x", "=1+1"])
    return [_still(".xlsx", written(".xlsx", book.save))]


def images() -> list[Seed]:
    """Pictures of many formats and modes, and metadata beside them."""
    png = [
        Seed(".png", _picture("PNG", mode), in_png) for mode in ("L", "RGB", "RGBA", "P", "I;16")
    ]
    kinds = {".jpg": "JPEG", ".bmp": "BMP", ".gif": "GIF", ".tif": "TIFF", ".webp": "WEBP"}
    others = [Seed(suffix, _picture(kind, "RGB")) for suffix, kind in kinds.items()]
    packed = [Seed(".tif", _picture("TIFF", "L", compression=how)) for how in ("tiff_lzw", "jpeg")]
    table = b"file_name,label\nb.png,x\nc.png,y\n"
    lines = b'{"file_name": "b.png", "label": "x"}\n{"file_name": "c.png", "label": 1}\n'
    return [*png, *others, *packed, Seed(".metadata.csv", table), Seed(".metadata.jsonl", lines)]


def _picture(kind: str, mode: str, **how: Any) -> bytes:
    from PIL import Image

    colours = np.random.default_rng(1).integers(0, 255, (8, 9, 3), dtype=np.uint8)
    deep = mode == "I;16"
    image = Image.fromarray(colours[..., 0].astype(np.uint16) * 200 if deep else colours)
    file = io.BytesIO()
    image.convert(mode).save(file, kind, **how)
    return file.getvalue()


def sets() -> list[Seed]:
    """Files of named datasets; the middle of the suffix says of which."""
    views = {f"coil-20-proc/obj{n}__{a}.png": _picture("PNG", "L") for n in (1, 2) for a in (0, 1)}
    folder = "UCI HAR Dataset/test"
    window = " ".join(["0.5"] * 128) + "\n"
    names = [f"{kind}_{axis}" for kind in ("body_acc", "body_gyro", "total_acc") for axis in "xyz"]
    windows = {f"{folder}/Inertial Signals/{name}_test.txt": window.encode() * 3 for name in names}
    bytes_3 = bytes((0, 0, 8, 3)) + np.array([5, 4, 3], ">u4").tobytes() + bytes(60)
    norb = np.array([0x1E3D4C54, 2, 5, 4, 1], "<u4").tobytes() + bytes(80)
    return [
        Seed(".coil.zip", zipped(views), in_zip),
        Seed(".har.zip", zipped({**windows, f"{folder}/y_test.txt": b"1\n2\n3\n"}), in_zip),
        Seed(".idx", bytes_3),
        Seed(".idx", gzip.compress(bytes_3, 6, mtime=0), in_gzip),
        Seed(".norb", norb),
        Seed(".norb", gzip.compress(norb, 6, mtime=0), in_gzip),
    ]
