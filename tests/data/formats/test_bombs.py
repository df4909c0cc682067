"""Small files that declare, or unpack to, more than honest ones do: refused before that is made."""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from io import BytesIO

import h5py
import numpy as np
import pytest
from PIL import Image
from scipy import sparse
from scipy.io import savemat

from archbuild.data import limits, load_dataset
from archbuild.data.formats.own import survey_path
from archbuild.data.request import ReadOptions
from archbuild.errors import DataError
from tests.data.writers import write_image

ENOUGH = 2**27  # bytes


def npy_header(shape):
    file = BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue()


def packed_text(path):
    path.write_bytes(gzip.compress(b"12345678" * 2**22, 1))


def packed_lines(path):
    path.write_bytes(gzip.compress(b"1\n" * 600_000))


def packed_cells(path):
    path.write_bytes(gzip.compress(b"1," * 2_100_000 + b"1\n"))


def archive(path, name, content):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, content)


def npz(path):
    archive(path, "x.npy", npy_header((2**14, 2**10)) + bytes(ENOUGH))


def excel(path):
    archive(path, "xl/worksheets/sheet1.xml", bytes(ENOUGH))


def far_cells(path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in range(1, 130):
        book.active.cell(row, 16_384, row)
    book.save(path)


def parquet(path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({"a": pa.array(["x"]).take(np.zeros(2_100_000, int))}), path)


def hdf5(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (2**40, 8), chunks=(2**10, 8))


def sparse_npz(path):
    parts = {"data": np.ones(1), "indices": np.zeros(1, int), "indptr": np.zeros(3, int)}
    np.savez(path, format=b"csr", shape=np.array([2, 2**26]), **parts)


def sparse_mat(path):
    savemat(path, {"X": sparse.csc_matrix((2**26, 3))})


def chunk(kind, content):
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def blank(side):
    """An image of one colour, each of whose pixels is stored as 1/4,000 byte."""
    file = BytesIO()
    Image.new("1", (side, side)).save(file, "PNG")
    return file.getvalue()


def images(path):
    path.mkdir()
    for number in range(20):
        (path / f"{number}.png").write_bytes(blank(1500))


def images_in_parquet(path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({"image": [blank(1500)] * 20}), path)


@pytest.mark.parametrize(("name", "make"), [("x", images), ("x.parquet", images_in_parquet)])
def test_many_images_of_few_bytes_are_refused_before_all_are_decoded(tmp_path, name, make):
    make(tmp_path / name)
    text = r"decoding its 20 images would take 171\.\d MiB, .* ARCHBUILD_LARGEST_GIB=1"
    with pytest.raises(DataError, match=text):
        load_dataset(str(tmp_path / name))
    with pytest.raises(DataError, match=text):
        survey_path(str(tmp_path / name), ReadOptions())


def image(path, side=12_000):
    head = struct.pack(">2I5B", side, side, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(2**20))
    content = chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("x.csv.gz", packed_text),
        ("x.npz", npz),
        ("x.npz", sparse_npz),
        ("x.mat", sparse_mat),
        ("x.xlsx", excel),
        ("x.h5", hdf5),
    ],
)
def test_it_is_refused_by_its_size(tmp_path, name, make):
    make(tmp_path / name)
    with pytest.raises(DataError, match=r"would take .* ARCHBUILD_LARGEST_GIB=\d"):
        load_dataset(str(tmp_path / name))


@pytest.mark.parametrize("side", [12_000, 30_000])  # below Pillow's own limit, and beyond
def test_images_are_left_out_by_their_pixels(tmp_path, caplog, side):
    image(tmp_path / "a.png", side)
    image(tmp_path / "b.png", side)
    gib = 4 * side**2 // 2**30 + 1
    with pytest.raises(DataError, match=rf"{side} pixels in .*ARCHBUILD_LARGEST_GIB={gib}"):
        load_dataset(str(tmp_path))
    with pytest.raises(DataError, match=rf"{side} pixels in .*ARCHBUILD_LARGEST_GIB={gib}"):
        survey_path(str(tmp_path), ReadOptions())
    for number in (1, 2):
        write_image(tmp_path / f"{number}.png", np.eye(4, dtype=np.uint8))
    assert load_dataset(str(tmp_path)).shape == (1, 4, 4)
    assert f"a.png ({side} x {side} pixels in" in caplog.text


@pytest.mark.parametrize(
    ("name", "make", "kind"),
    [
        ("x.csv.gz", packed_lines, "500,000 lines"),
        ("x.csv.gz", packed_cells, "2,000,000 cells"),
        ("x.xlsx", far_cells, "2,000,000 cells"),
        ("x.parquet", parquet, "2,000,000 cells"),
    ],
)
def test_it_is_refused_by_its_lines_and_cells(tmp_path, name, make, kind):
    make(tmp_path / name)
    with pytest.raises(DataError, match=rf"more than {kind}, .* ARCHBUILD_LARGEST_GIB=1"):
        load_dataset(str(tmp_path / name))


@pytest.mark.parametrize("cell", ["1,", '"",', "a;", "1 "])
def test_a_text_table_of_too_many_columns_is_refused(tmp_path, cell):
    (tmp_path / "x.csv").write_text(cell * 150_000 + "1\n")
    with pytest.raises(DataError, match=r"150,000 columns, .* ARCHBUILD_LARGEST_GIB=1"):
        load_dataset(str(tmp_path / "x.csv"))


def test_more_lines_are_read_where_the_user_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "FREE_LINES", 100)
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"1,2\n3,4\n" * 1000))
    with pytest.raises(DataError, match="lines"):
        load_dataset(str(tmp_path / "x.csv.gz"))
    monkeypatch.setenv("ARCHBUILD_LARGEST_GIB", "1")
    assert len(load_dataset(str(tmp_path / "x.csv.gz"))) == 2000


def test_a_stray_cell_in_the_last_row_of_a_sheet_is_read(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in ((1, 2), (3, 4)):
        book.active.append(row)
    book.active.cell(5_000, 16_384, 5)
    book.save(tmp_path / "x.xlsx")
    assert len(load_dataset(str(tmp_path / "x.xlsx"))) == 3


@pytest.mark.parametrize("shape", [(2**40, 1), (2**20, 2**20), (2**62, 2**62), (-1, 2)])
def test_a_shape_of_more_bytes_than_the_file_has_is_refused(tmp_path, shape):
    (tmp_path / "x.npy").write_bytes(npy_header(shape) + bytes(80))
    with pytest.raises(DataError, match=r"x\.npy cannot be read as \.npy"):
        load_dataset(str(tmp_path / "x.npy"))


def test_rows_without_numbers_are_refused(tmp_path):
    (tmp_path / "x.npy").write_bytes(npy_header((2**50, 0)))
    with pytest.raises(DataError, match="without any number"):
        load_dataset(str(tmp_path / "x.npy"))
