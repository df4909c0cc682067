"""Predictions as files: every format says the same."""

from __future__ import annotations

import csv
import io
import json

import h5py
import numpy as np
import pytest

from archbuild.data import load_dataset
from archbuild.data.formats.hdf5.anndata_frame import Frame
from archbuild.errors import RunError, UsageError
from archbuild.models.model import Prediction
from archbuild.models.predictions import FILES, SUFFIXES, TEXTS, Layout, save, stream
from tests.data.formats.hdf5.anndata_files import CELLS, write_h5ad, write_old_h5ad

ROWS, CLUSTERS, LATENT = 7, 3, 2
PROBABILITIES = np.random.default_rng(0).dirichlet(np.ones(CLUSTERS), ROWS).astype("float32")
LATENTS = np.random.default_rng(1).normal(size=(ROWS, LATENT)).astype("float32")


def parts(texts, *cuts):
    """The rows in parts that end at ``cuts``."""
    for start, stop in zip((0, *cuts), (*cuts, ROWS), strict=True):
        ids = [f'a,"{row}' if texts else row for row in range(start, stop)]
        yield ids, Prediction(start, PROBABILITIES[start:stop], LATENTS[start:stop])


def layout(texts, latent=LATENT, rows=ROWS):
    return Layout(rows, CLUSTERS, latent, texts)


def expected_ids(texts):
    return [f'a,"{row}' if texts else row for row in range(ROWS)]


def read(path, kind, texts):
    """Ids, clusters, confidence, probabilities and latents from a file."""
    if kind == "npz":
        with np.load(path, allow_pickle=False) as found:
            names = ("id", "cluster", "confidence", "probabilities", "latents")
            ids, *rest = [found[name] for name in names]
            return [ids.tolist(), *rest]
    if kind in ("json", "jsonl"):
        text = path.read_text()
        documents = json.loads(text) if kind == "json" else map(json.loads, text.splitlines())
        names = ("cluster", "confidence", "probabilities", "latent")
        documents = list(documents)
        return [
            [document["id"] for document in documents],
            *(np.array([document[name] for document in documents]) for name in names),
        ]
    if kind == "parquet":
        table = pytest.importorskip("pyarrow.parquet").read_table(path)
        columns = [table[name].to_pylist() for name in table.column_names]
    else:
        rows = list(csv.reader(io.StringIO(path.read_text())))[1:]
        columns = [list(column) for column in zip(*rows, strict=True)]
        columns[0] = columns[0] if texts else [int(cell) for cell in columns[0]]
    numbers = np.array(columns[1:], dtype=float).T
    return [columns[0], numbers[:, 0], numbers[:, 1], numbers[:, 2:5], numbers[:, 5:]]


@pytest.mark.parametrize("texts", [False, True])
@pytest.mark.parametrize("kind", sorted({*TEXTS, *FILES} - {"text", "h5ad"}))
def test_what_is_read_back_is_what_was_predicted(tmp_path, kind, texts):
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / "out"
    save(parts(texts, 3, 5), layout(texts), kind, path)
    ids, clusters, confidence, probabilities, latents = read(path, kind, texts)
    assert ids == expected_ids(texts)
    np.testing.assert_array_equal(clusters, PROBABILITIES.argmax(axis=1))
    np.testing.assert_array_equal(np.float32(confidence), PROBABILITIES.max(axis=1))
    np.testing.assert_array_equal(np.float32(probabilities), PROBABILITIES)
    np.testing.assert_array_equal(np.float32(latents), LATENTS)


@pytest.mark.parametrize("kind", sorted({*TEXTS, *FILES} - {"parquet", "h5ad"}))
def test_the_parts_leave_no_mark(tmp_path, kind):
    for name, cuts in (("one", ()), ("many", (1, 2, 6))):
        save(parts(False, *cuts), layout(False), kind, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "many").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["many", "one"]


@pytest.mark.parametrize("kind", sorted({*TEXTS, *FILES} - {"h5ad"}))
def test_no_rows_are_a_file_without_rows(tmp_path, kind):
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    save(iter(()), layout(False, rows=0), kind, tmp_path / "none")
    text = {"csv": "id,cluster,confidence,p0,p1,p2,z0,z1\n", "json": "[]\n", "jsonl": ""}
    if kind in text:
        assert (tmp_path / "none").read_text() == text[kind]
    assert (tmp_path / "none").exists()


def test_latents_come_only_where_they_are_asked_for():
    file = io.StringIO()
    stream(parts(False), layout(False, latent=0), "csv", file)
    header, first, *_ = file.getvalue().splitlines()
    assert header == "id,cluster,confidence,p0,p1,p2"
    assert first.count(",") == 5
    file = io.StringIO()
    stream(parts(False), layout(False, latent=0), "jsonl", file)
    assert "latent" not in json.loads(file.getvalue().splitlines()[0])


def test_a_file_that_fails_half_way_is_not_there(tmp_path):
    def broken():
        yield next(parts(False, 3))
        raise RuntimeError("no more")

    for kind in ("csv", "npz"):
        with pytest.raises(RuntimeError, match="no more"):
            save(broken(), layout(False), kind, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_every_suffix_has_its_format():
    assert set(SUFFIXES.values()) == {*TEXTS, *FILES}


@pytest.mark.parametrize("kind", ["json", "jsonl"])
def test_json_never_holds_nan(kind):
    broken = Prediction(0, np.full((1, 2), np.nan, "float32"), np.zeros((1, 0), "float32"))
    with pytest.raises(RunError, match="cannot write the predictions as JSON"):
        list(TEXTS[kind]([([0], broken)], Layout(1, 2, 0, text_ids=False)))


@pytest.mark.parametrize("write", [write_h5ad, write_old_h5ad])
def test_clusters_go_back_into_a_copy_of_an_anndata_file(tmp_path, write):
    source = write(tmp_path / "own.h5ad")
    before = source.read_bytes()
    predictions = [Prediction(0, PROBABILITIES[:3], LATENTS[:3])]
    predictions += [Prediction(3, PROBABILITIES[3:4], LATENTS[3:4])]
    named = [(CELLS[:3], predictions[0]), (CELLS[3:], predictions[1])]
    path = tmp_path / "clustered.h5ad"
    save(named, Layout(4, CLUSTERS, 0, True, source), "h5ad", path)
    assert source.read_bytes() == before
    # columns of an earlier answer are replaced
    save(named, Layout(4, CLUSTERS, LATENT, True, path), "h5ad", path)
    with h5py.File(path) as file:
        obs = Frame(file, "obs")
        assert obs.index == CELLS
        clusters = PROBABILITIES[:4].argmax(axis=1)
        assert obs.texts("archbuild_cluster") == list(map(str, clusters))
        sure = [float(text) for text in obs.texts("archbuild_confidence")]
        np.testing.assert_allclose(sure, PROBABILITIES[:4].max(axis=1), rtol=1e-6)
        obsm = file["obsm"]
        np.testing.assert_array_equal(obsm["X_archbuild_probabilities"], PROBABILITIES[:4])
        np.testing.assert_array_equal(obsm["X_archbuild_latent"], LATENTS[:4])
        assert obsm["X_pca"].shape == (4, 2)
    assert load_dataset(f"{path}:archbuild_cluster").labels is not None


def test_an_anndata_file_needs_a_source_with_as_many_cells(tmp_path):
    source = write_h5ad(tmp_path / "own.h5ad")
    for place, message in ((tmp_path / "own.csv", "own.csv"), (source, "leave out --shard")):
        with pytest.raises(UsageError, match=message):
            save(parts(True), Layout(ROWS, CLUSTERS, 0, True, place), "h5ad", tmp_path / "x.h5ad")
    assert not (tmp_path / "x.h5ad").exists()
