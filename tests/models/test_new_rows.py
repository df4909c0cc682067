from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from archbuild.data import dataset_from_arrays
from archbuild.models.new_rows import NewRows, fingerprint


def test_another_working_directory_finds_the_same_rows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARCHBUILD_DATA", "data")
    assert NewRows("rows.csv:y", None, {"header": True}).absolute() == NewRows(
        f"{tmp_path / 'rows.csv'}:y", tmp_path / "data", {"header": True}
    )
    assert NewRows("DIGITS", Path("there")).absolute() == NewRows("DIGITS", tmp_path / "there")


def test_the_fingerprint_tells_other_rows_at_either_end_and_other_numbers_of_them(rng):
    rows = rng.random((40, 3)).astype(np.float32)

    def of(values: np.ndarray) -> str:
        return fingerprint(dataset_from_arrays("some", values))

    changed = [rows.copy(), rows.copy()]
    changed[0][0, 0] += 1
    changed[1][-1, -1] += 1
    assert len({of(rows), *map(of, changed), of(rows[:-1])}) == 4
    assert of(rows) == of(rows.copy())


def test_they_are_read_as_the_model_says(tmp_path, rng):
    np.save(tmp_path / "rows.npy", rng.random((5, 4)))
    spec: Any = SimpleNamespace(input_shape=(4,), data={})
    model: Any = SimpleNamespace(
        plan=SimpleNamespace(spec=spec), origin=SimpleNamespace(known=None)
    )
    assert len(NewRows(str(tmp_path / "rows.npy")).load(model)) == 5
