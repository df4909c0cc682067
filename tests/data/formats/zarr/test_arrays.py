from __future__ import annotations

import gzip
import json
import shutil
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archbuild.data import dataset as dataset_module
from archbuild.data import dataset_name, load_dataset, spill
from archbuild.data.formats.zarr import arrays as reader
from archbuild.data.request import ReadOptions
from archbuild.errors import DataError

zarr = pytest.importorskip("zarr", minversion="3")

ROWS = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
WORDS = np.array(["b", "a", "b", "b", "a", "cc"])


@pytest.fixture(autouse=True)
def no_warnings():
    """Texts in version 3 are no part of the specification yet, of which zarr warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def write(path: Path, version: int = 3, how: dict[str, Any] | None = None, **arrays: Any) -> str:
    group = zarr.open_group(path, mode="w", zarr_format=version)
    for name, values in arrays.items():
        where = group.require_group("part") if name.startswith("part__") else group
        where.create_array(name.removeprefix("part__"), data=values, **(how or {}))
    return str(path)


def write_one(path: Path, values: np.ndarray, version: int = 3, **how: Any) -> str:
    made = zarr.create_array(
        path, shape=values.shape, dtype=values.dtype, zarr_format=version, **how
    )
    made[...] = values
    return str(path)


def said(dataset) -> str:
    return " / ".join(map(str, dataset.guesses))


@pytest.mark.parametrize("version", [2, 3])
def test_chunks_that_are_not_stored_are_told(tmp_path, version):
    path = write_one(tmp_path / "own.zarr", ROWS, version, chunks=(2, 4), fill_value=7.0)
    assert "not stored" not in said(load_dataset(path))
    (tmp_path / "own.zarr" / ("1.0" if version == 2 else "c/1/0")).unlink()
    dataset = load_dataset(path)
    assert (dataset.values[2:4] == 7).all()
    assert f"1 of 3 of the array in {path} are not stored, and read as its fill value 7.0" in said(
        dataset
    )


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(("key", "label"), [("X", "y"), ("part__data", "part__label")])
def test_rows_and_labels_of_a_group_are_found(tmp_path, version, key, label):
    dataset = load_dataset(write(tmp_path / "own.zarr", version, **{key: ROWS, label: WORDS}))
    np.testing.assert_array_equal(dataset.values, ROWS)
    assert dataset.class_names == ("a", "b", "cc")
    assert dataset.labels.tolist() == [1, 0, 1, 1, 0, 2]
    assert dataset.name == "own"


@pytest.mark.parametrize("version", [2, 3])
def test_a_single_array_and_one_that_is_zipped(tmp_path, version):
    path = write_one(tmp_path / "own.zarr", ROWS, version, chunks=(2, 3))
    np.testing.assert_array_equal(load_dataset(path).values, ROWS)
    packed = shutil.make_archive(path, "zip", path)
    assert packed.endswith("own.zarr.zip")
    dataset = load_dataset(packed)
    np.testing.assert_array_equal(dataset.values, ROWS)
    assert dataset.name == dataset_name(packed) == dataset_name(path) == "own"
    assert load_dataset(path, options=ReadOptions(rows="last")).shape == (6,)


def test_a_store_is_known_by_its_metadata(tmp_path):
    path = write_one(tmp_path / "called_otherwise", ROWS)
    dataset = load_dataset(path)
    assert (dataset.name, dataset.shape) == ("called_otherwise", (4,))


@pytest.mark.parametrize("version", [2, 3])
def test_texts_of_any_length_and_of_bytes_are_labels(tmp_path, version):
    path = write(tmp_path / "own.zarr", version, x=ROWS, bytes=WORDS.astype("S2"))
    group = zarr.open_group(path, mode="a")
    group.create_array("texts", shape=(6,), dtype="string")[:] = WORDS.astype(object)
    for name in ("texts", "bytes"):
        assert load_dataset(f"{path}:{name}").class_names == ("a", "b", "cc")


def test_several_arrays_are_asked_about_as_of_hdf5(tmp_path):
    path = write(tmp_path / "own.zarr", part__a=ROWS, b=ROWS[:, :2])
    with pytest.raises(DataError, match=r"several arrays that may be rows: b \(6, 2\) float32, pa"):
        load_dataset(path)
    dataset = load_dataset(path, options=ReadOptions(array="/part/a"))
    assert dataset.shape == (4,)
    assert "left out: 1 arrays: b (6, 2) float32 [otherwise: --set data.array=b]" in said(dataset)
    with pytest.raises(DataError, match="no array 'c'; it has b"):
        load_dataset(path, options=ReadOptions(array="c"))


@pytest.mark.parametrize(
    "how",
    [
        {"chunks": (50, 1)},
        {"chunks": (1, 7)},
        {"chunks": (7, 3)},
        {"chunks": (64, 64)},
        {"chunks": (2, 7), "shards": (10, 7)},
        {"chunks": (3, 7), "fill_value": 5.0},
    ],
)
def test_many_rows_are_read_onto_disk_whatever_the_chunks_are(tmp_path, monkeypatch, how):
    monkeypatch.setattr(spill, "IN_MEMORY", 100)
    monkeypatch.setattr(dataset_module, "_CHUNK_BYTES", 200)
    rows = np.random.default_rng(0).normal(size=(50, 7))
    rows[20:40] = 5
    dataset = load_dataset(write_one(tmp_path / "own.zarr", rows, **how))
    assert isinstance(dataset.values, np.memmap)
    np.testing.assert_array_equal(dataset.values, rows)


@pytest.mark.parametrize("chunks", [(50, 1), (1, 7), (7, 3), (50, 7)])
def test_each_chunk_is_unpacked_once(tmp_path, monkeypatch, chunks):
    monkeypatch.setattr(dataset_module, "_CHUNK_BYTES", 200)
    seen = []
    blocks = reader._blocks

    def noted(found):
        for block in blocks(found):
            assert all(part.start % size == 0 for part, size in zip(block, chunks, strict=True))
            seen.append(np.zeros((50, 7), int))
            seen[-1][block] = 1
            yield block

    monkeypatch.setattr(reader, "_blocks", noted)
    load_dataset(write_one(tmp_path / "own.zarr", np.random.random((50, 7)), chunks=chunks))
    assert (sum(seen) == 1).all()


def test_a_large_chunk_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "_LARGE", 50)
    text = said(load_dataset(write_one(tmp_path / "own.zarr", ROWS)))
    assert "chunks: each of 0.0 GiB, which is unpacked whole in memory" in text


def test_without_zarr_the_extra_is_named(tmp_path, monkeypatch):
    path = write_one(tmp_path / "own.zarr", ROWS)
    monkeypatch.setitem(sys.modules, "zarr.storage", None)
    with pytest.raises(DataError, match=r"needs zarr 3, .* pip install 'archbuild\[zarr\]'"):
        load_dataset(path)


def test_the_layout_of_anndata_is_refused_with_the_way_out(tmp_path):
    path = write(tmp_path / "own.zarr", X=ROWS)
    for name in ("obs", "var"):
        zarr.open_group(path, mode="a").create_group(name)
    with pytest.raises(DataError, match=r"layout of AnnData, .*write_h5ad"):
        load_dataset(path)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(
    ("shape", "chunks", "text"),
    [
        ((2**30, 2**10), (1000, 1024), r"the array in .* would take 8,192\.0 GiB, and \d+ bytes"),
        ((10, 8), (2**30, 8), r"a chunk of the array in .* would take 64\.0 GiB, and \d+ bytes"),
        ((200_000, 4), (1, 4), r"more than 100,000 chunks, and \d+ bytes are stored"),
    ],
)
def test_what_is_declared_is_not_made(tmp_path, version, shape, chunks, text):
    zarr.create_array(
        tmp_path / "x.zarr", shape=shape, chunks=chunks, dtype="f8", zarr_format=version
    )
    with pytest.raises(DataError, match=rf"{text}.* ARCHBUILD_LARGEST_GIB=\d"):
        load_dataset(str(tmp_path / "x.zarr"))


def test_the_list_of_a_shard_is_counted(tmp_path):
    path = write_one(tmp_path / "x.zarr", ROWS, chunks=(2, 4), shards=(6, 4))
    change(Path(path), "chunk_grid", {"chunk_shape": [2**40, 4]}, "configuration")
    with pytest.raises(DataError, match=r"a chunk of the array in .* would take"):
        load_dataset(path)


def change(path: Path, key: str, value: Any, inner: str = "") -> None:
    file = next(path / name for name in (".zarray", "zarr.json") if (path / name).exists())
    document = json.loads(file.read_text())
    if inner:
        document[key][inner] |= value
    else:
        document[key] = value
    file.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("version", "key", "value", "text"),
    [
        (2, "filters", [{"id": "pickle"}], "is packed by 'pickle', which is not read"),
        (2, "compressor", {"id": "json2"}, "is packed by 'json2', which is not read"),
        (2, "dtype", "|O", "of the type |O; expected numbers or texts"),
        (2, "dtype", [["a", "<f4"]], "expected numbers or texts"),
        (2, "dtype", "<c8", "expected numbers or texts"),
        (2, "dtype", "<f3", "cannot be read .data type '<f3' not understood"),
        (2, "shape", [6], "a shape in its metadata is none, or does not fit another"),
        (2, "shape", [6, -4], "a shape in its metadata is none"),
        (2, "shape", [6, True], "a shape in its metadata is none"),
        (2, "chunks", [6, 0], "a shape in its metadata is none"),
        (2, "chunks", "all", "a list is missing in its metadata"),
        (2, "compressor", 5, "a name is missing in its metadata"),
        (3, "codecs", [{"name": "numcodecs.pickle"}], "is packed by 'numcodecs.pickle'"),
        (3, "codecs", ["bytes", "unheard-of"], "is packed by 'unheard-of'"),
        (3, "data_type", "complex64", "of the type complex64; expected numbers or texts"),
        (3, "data_type", {"name": "struct"}, "expected numbers or texts"),
        (3, "chunk_grid", {"name": "rectilinear"}, "its chunks are not all of one shape"),
        (3, "chunk_grid", {"name": "regular"}, "settings are missing in its metadata"),
        (3, "storage_transformers", ["a"], "is packed by 'a'"),
    ],
)
def test_metadata_that_are_broken_or_unknown_are_refused(tmp_path, version, key, value, text):
    path = write_one(tmp_path / "x.zarr", ROWS, version)
    change(Path(path), key, value)
    options = ReadOptions(array=reader.ROOT)
    with pytest.raises(DataError, match=text.replace("|", r"\|")):
        load_dataset(path, options=options)


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000, '{"shape": 1e999}'])
@pytest.mark.parametrize("version", [2, 3])
def test_broken_json_is_refused(tmp_path, version, content):
    path = write_one(tmp_path / "x.zarr", ROWS, version)
    (tmp_path / "x.zarr" / (".zarray" if version == 2 else "zarr.json")).write_text(content)
    with pytest.raises(DataError, match=r"x\.zarr"):
        load_dataset(path)


def test_shards_that_are_no_whole_chunks_or_lie_in_shards_are_refused(tmp_path):
    path = Path(write_one(tmp_path / "x.zarr", ROWS, chunks=(2, 4), shards=(6, 4)))
    (codec,) = json.loads((path / "zarr.json").read_text())["codecs"]
    inside = {**codec["configuration"], "codecs": [codec]}
    change(path, "codecs", [{**codec, "configuration": inside}])
    with pytest.raises(DataError, match="packed by 'sharding_indexed in itself'"):
        load_dataset(str(path), options=ReadOptions(array=reader.ROOT))
    change(path, "codecs", [{**codec, "configuration": {**inside, "chunk_shape": [4, 4]}}])
    with pytest.raises(DataError, match="no whole number of chunks"):
        load_dataset(str(path))


@pytest.mark.parametrize("is_folder", [True, False])
def test_links_out_of_the_store_are_refused(tmp_path, is_folder):
    path = Path(write_one(tmp_path / "x.zarr", ROWS))
    outside = tmp_path / "secret"
    if is_folder:
        shutil.move(path / "c", outside)
        (path / "c").symlink_to(outside, target_is_directory=True)
    else:
        shutil.move(path / "c" / "0" / "0", outside)
        (path / "c" / "0" / "0").symlink_to(outside)
    with pytest.raises(DataError, match=r"'c.*' is a link, or no file; links in a zarr store"):
        load_dataset(str(path))


def test_a_folder_around_stores_names_them(tmp_path):
    path = write_one(tmp_path / "x.zarr", ROWS)
    with pytest.raises(
        DataError, match=rf"read one by one: 'x\.zarr'; give the path of one, as {path}"
    ):
        load_dataset(str(tmp_path))


def test_other_folders_and_files_are_no_stores(tmp_path):
    (tmp_path / "x.zarr").mkdir()
    with pytest.raises(DataError, match="so it is no zarr store"):
        load_dataset(str(tmp_path / "x.zarr"))
    for name in ("y.zarr", "y.zarr.zip"):
        (tmp_path / name).write_bytes(b"text")
        with pytest.raises(DataError, match=r"y\.zarr.* cannot be read as a zarr store"):
            load_dataset(str(tmp_path / name))


def test_metadata_and_groups_are_as_small_as_they_should_be(tmp_path, monkeypatch):
    path = write(tmp_path / "x.zarr", a=ROWS, b=ROWS)
    packed = shutil.make_archive(path, "zip", path)
    monkeypatch.setattr("archbuild.data.formats.zarr.store._MOST_NODES", 2)
    for each in (path, packed):
        with pytest.raises(DataError, match="more than 2 groups and arrays"):
            load_dataset(each)
    monkeypatch.setattr("archbuild.data.formats.zarr.store._MOST_METADATA", 10)
    monkeypatch.setattr("archbuild.data.formats.zarr.store._MOST_NODES", 3)
    for each in (path, packed):
        with pytest.raises(DataError, match=r"zarr\.json has \d+ bytes, and metadata"):
            load_dataset(each)


def test_an_archive_that_unpacks_to_more_than_honest_ones_is_refused(tmp_path):
    path = Path(write_one(tmp_path / "x.zarr", ROWS))
    with zipfile.ZipFile(tmp_path / "x.zarr.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path / "zarr.json", "zarr.json")
        archive.writestr("c/0/0", bytes(2**27))
    with pytest.raises(DataError, match=r"unpacked, would take 128\.0 MiB"):
        load_dataset(str(tmp_path / "x.zarr.zip"))


@pytest.mark.parametrize("version", [2, 3])
def test_a_broken_chunk_is_refused(tmp_path, version):
    path = Path(write_one(tmp_path / "x.zarr", ROWS, version))
    file = path / ("0.0" if version == 2 else "c/0/0")
    for content in (b"", b"broken", gzip.compress(bytes(100)), file.read_bytes()[:-3]):
        file.write_bytes(content)
        with pytest.raises(DataError, match=r"x\.zarr"):
            load_dataset(str(path))


def test_no_rows_are_found_among_labels(tmp_path):
    with pytest.raises(DataError, match=r"no array of rows: y \(6,\) texts; expected numbers"):
        load_dataset(write(tmp_path / "x.zarr", y=WORDS))
    path = write(tmp_path / "x.zarr", x=ROWS, words=WORDS, one=np.array(1.5))
    for name, text in (
        ("words", "holds texts of the shape"),
        ("one", "holds float64 of the shape"),
    ):
        with pytest.raises(DataError, match=text):
            load_dataset(path, options=ReadOptions(array=name))
