from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from archbuild.data import Dataset, load_dataset
from archbuild.data import dataset as module
from archbuild.data.request import ReadOptions
from archbuild.errors import DataError


def images(n: int = 5, height: int = 3, width: int = 4, channels: int = 2) -> Dataset:
    values = np.arange(n * height * width * channels, dtype=np.uint8)
    return Dataset("D", values.reshape(n, height, width, channels), scale=0.5, arch_stem="d")


def test_shape_has_the_channels_first():
    assert images().shape == (2, 3, 4)
    assert Dataset("D", np.zeros((5, 7, 3))).shape == (3, 7)
    assert Dataset("D", np.zeros((5, 6))).shape == (6,)


def test_rows_are_float32_scaled_and_in_the_order_asked_for():
    dataset = images()
    rows = dataset.rows(np.array([3, 0, 3]))
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, dataset.values[[3, 0, 3]] * 0.5)
    assert len(dataset.rows(slice(1, 3))) == 2


def test_rows_of_an_unscaled_float32_array_are_a_copy():
    values = np.ones((3, 2), np.float32)
    Dataset("D", values).rows(slice(None))[:] = 7
    assert (values == 1).all()


def test_n_classes_counts_the_names_and_is_none_without_labels():
    assert images().n_classes is None
    labelled = Dataset("D", np.zeros((3, 1)), np.array([0, 1, 0]), ("a", "b"))
    assert labelled.n_classes == 2


def test_chunks_cover_all_rows_once(monkeypatch):
    monkeypatch.setattr(module, "_CHUNK_BYTES", 200)
    dataset = images()
    chunks = list(dataset.chunks())
    assert [len(chunk) for chunk in chunks] == [2, 2, 1]
    np.testing.assert_array_equal(np.concatenate(chunks), dataset.rows(slice(None)))


def test_digest_depends_on_contents_shape_dtype_and_scale():
    values = np.arange(12, dtype=np.int16).reshape(3, 4)
    changed = values.copy()
    changed[2, 3] += 1
    variants = [
        Dataset("D", values),
        Dataset("D", changed),
        Dataset("D", values.reshape(4, 3)),
        Dataset("D", values.astype(np.int32)),
        Dataset("D", values, scale=0.5),
    ]
    assert len({dataset.digest() for dataset in variants}) == 5
    other_name = Dataset("E", values.copy(), np.zeros(3, np.int64), ("a",))
    assert other_name.digest() == variants[0].digest()


def test_digest_of_a_memory_map_is_that_of_the_array_whatever_the_chunks(tmp_path, monkeypatch):
    values = np.random.default_rng(0).normal(size=(11, 3, 4, 2))
    np.save(tmp_path / "x.npy", values)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    whole = Dataset("D", values).digest()
    monkeypatch.setattr(module, "_CHUNK_BYTES", 100)
    assert Dataset("D", mapped).digest() == whole
    turned = np.moveaxis(np.ascontiguousarray(np.moveaxis(values, -1, 1)), 1, -1)
    assert Dataset("D", turned).digest() == whole


def test_fitted_to_flattens_and_restores_images():
    dataset = images()
    flat = dataset.fitted_to((24,))
    assert flat.shape == (24,)
    np.testing.assert_array_equal(flat.rows([1])[0], dataset.rows([1])[0].ravel())
    np.testing.assert_array_equal(flat.fitted_to((2, 3, 4)).values, dataset.values)
    assert dataset.fitted_to((2, 3, 4)) is dataset


def test_fitted_to_keeps_the_names_of_rows_and_columns():
    ids, columns = np.array(["a", "b"]), tuple("pqrstu")
    table = Dataset("D", np.zeros((2, 6)), ids=ids, columns=columns)
    image = table.fitted_to((1, 2, 3))
    assert image.ids is ids
    assert image.columns == columns


def test_fitted_to_reads_a_series_as_an_image_of_one_channel_and_back():
    series = Dataset("D", np.arange(24.0).reshape(2, 3, 4))
    image = series.fitted_to((1, 3, 4))
    assert image.values.shape == (2, 3, 4, 1)
    assert image.fitted_to((4, 3)).values.shape == (2, 3, 4)


@pytest.mark.parametrize("wanted", [(1, 5, 5), (23,), (4, 3, 2), (2, 12)])
def test_fitted_to_refuses_other_shapes_and_says_what_would_fit(wanted):
    with pytest.raises(DataError) as caught:
        images().fitted_to(wanted)
    message = str(caught.value)
    for part in (f"{list(wanted)}", "output_shape: [2, 3, 4] or [24]"):
        assert part in message


def test_rows_that_are_all_equal_are_refused():
    with pytest.raises(DataError, match="all 5 rows of memory are equal"):
        Dataset("x", np.ones((5, 3))).refuse_constant()
    Dataset("x", np.eye(3)).refuse_constant()


def test_values_that_float32_would_blur_are_given_exactly():
    times = 1_700_000_000_000 + 20 * np.arange(6).reshape(3, 2)
    dataset = Dataset("x", times)
    assert dataset.is_double
    np.testing.assert_array_equal(dataset.rows([1, 2], exact=True), times[1:])
    assert dataset.rows([1, 2]).dtype == np.float32
    assert not Dataset("x", np.random.default_rng(0).normal(size=(9, 2))).is_double


def test_classes_are_numbered_as_those_of_another_dataset():
    rows = Dataset("own", np.zeros((4, 2)), np.array([0, 1, -1, 2]), ("b", "d", "a"))
    found = rows.numbered_as(("a", "b", "c"))
    assert found.class_names == ("a", "b", "c", "d")
    assert found.labels.tolist() == [1, 3, -1, 0]
    assert rows.numbered_as(rows.class_names) is rows
    assert replace(rows, labels=None).numbered_as(("a",)).labels is None


def test_a_table_of_another_width_is_answered_with_what_decides_it(tmp_path):
    path = tmp_path / "my table.csv"
    path.write_text("a,b\n" + "".join(f"{row},{row % 3}\n" for row in range(9)))
    dataset = load_dataset(str(path), options=ReadOptions(columns={"a": "ignore"}))
    with pytest.raises(DataError) as caught:
        dataset.fitted_to((2,))
    message = str(caught.value)
    assert "has 1 feature as it is read now, and the spec's Input takes [2]" in message
    assert f"archbuild new --for '{path}' --force" in message
    assert "output_shape: [1]" in message
    assert "list archs" not in message
