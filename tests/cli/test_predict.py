from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from archbuild.cli.predict import _FORMATS
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.models.predictions import FILES, TEXTS
from tests.cli.calling import SHORT, SPEC, Archbuild

pytestmark = pytest.mark.graphs(False)
TABLE = {
    **SPEC,
    "name": "table",
    "scaling": "standardise",
    "output_non_linearity": "linear",
    "layers": [{"type": "Input", "output_shape": [2]}, {"type": "Dense", "num_units": 2}],
    "head": {"type": "kld"},
    "data": {"columns": {"shop": "identifier"}},
}


def write_table(path: Path, rows: int, seed: int, header: str = "a,b,kind") -> None:
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 2, rows)
    names = header.split(",")
    far = 100 * kinds
    cells = {"a": far + rng.normal(size=rows), "b": rng.normal(size=rows) - far, "kind": kinds}
    cells["c"] = 0 * kinds
    cells["shop"] = np.array([f"0{row}" for row in range(7, rows + 7)])
    lines = [",".join(f"{cells[name][row]}" for name in names) for row in range(rows)]
    path.write_text("\n".join([header, *lines]) + "\n")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of a table, ``old.csv``, by ``table.json``."""
    folder = tmp_path_factory.mktemp("original")
    (folder / "table.json").write_text(json.dumps(TABLE))
    write_table(folder / "old.csv", 200, seed=0, header="a,b,shop,kind")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        experiment = Experiment(ExperimentRequest("old.csv:kind", "table.json", overrides=SHORT))
        assert experiment.pretrain()
        assert experiment.cluster()
    return folder


@pytest.fixture
def trained(original: Path, elsewhere: Path) -> Path:
    """A copy of it, as the working directory."""
    return shutil.copytree(original, elsewhere, dirs_exist_ok=True)


def test_every_format_can_be_asked_for() -> None:
    assert {*TEXTS, *FILES} == {*_FORMATS}


@pytest.mark.parametrize("output", ["new.csv", "./link.csv"])
def test_the_file_that_is_read_is_not_replaced(
    output: str, archbuild: Archbuild, elsewhere: Path
) -> None:
    write_table(elsewhere / "new.csv", 5, seed=1)
    (elsewhere / "link.csv").symlink_to("new.csv")
    before = (elsewhere / "new.csv").read_bytes()
    status, _, err = archbuild("predict", "-d", "new.csv:kind", "-a", "x", "--output", output)
    assert status == 2
    assert "is the file that is read, and would be replaced" in err
    assert (elsewhere / "new.csv").read_bytes() == before


def test_new_rows_are_told_apart(archbuild: Archbuild, trained: Path) -> None:
    write_table(trained / "new.csv", 50, seed=1)
    asked = ["predict", "-d", "new.csv", "-a", "table.json", "--output", "out.npz"]
    status, out, err = archbuild(*asked)
    assert (status, out) == (0, "")
    assert "left out, as the model was trained without them: kind" in err
    assert "new: rows 0 to 49, 50 of 50, by " in err
    assert "rows in out.npz: 50" in err
    with np.load("out.npz") as found:
        clusters = found["cluster"]
    kinds = np.loadtxt("new.csv", delimiter=",", skiprows=1)[:, 2]
    assert len(set(zip(clusters, kinds, strict=True))) == 2  # one cluster for each kind


def test_a_dash_is_standard_output(archbuild: Archbuild, trained: Path) -> None:
    write_table(trained / "new.csv", 9, seed=1, header="a,b")
    asked = ["predict", "-d", "new.csv", "-a", "table", "--format", "csv", "--quiet"]
    assert archbuild(*asked, "--output", "-") == archbuild(*asked)
    assert not (trained / "-").exists()
    status, _, err = archbuild("new", "--for", "new.csv", "--output", "-")
    assert status == 2
    assert "'-' is no file here" in err


def test_columns_are_found_by_name(archbuild: Archbuild, trained: Path) -> None:
    write_table(trained / "new.csv", 9, seed=1, header="a,b")
    write_table(trained / "other.csv", 9, seed=1, header="c,b,a")
    answers = [
        archbuild("predict", "-d", name, "-a", "table", "--format", "csv", "--quiet")
        for name in ("new.csv", "other.csv")
    ]
    assert answers[0].out == answers[1].out != ""
    (warning,) = answers[1].err.splitlines()
    assert warning.startswith("warning: ")
    write_table(trained / "less.csv", 9, seed=1, header="a,c")
    status, out, err = archbuild("predict", "-d", "less.csv", "-a", "table")
    assert (status, out) == (2, "")
    assert "less.csv has no column 'b'" in err


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "parquet", "npz", "text"])
def test_rows_bear_the_names_that_the_spec_says(
    archbuild: Archbuild, trained: Path, kind: str
) -> None:
    if kind == "parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
    write_table(trained / "new.csv", 3, seed=1, header="b,shop,a")
    asked = ["predict", "-d", "new.csv", "-a", "table", "--format", kind]
    status, _, err = archbuild(*asked, "--output", "out")
    assert (status, "left out" in err) == (0, False)
    out = Path("out")
    if kind == "npz":
        with np.load(out) as found:
            ids = found["id"].tolist()
    elif kind == "parquet":
        ids = parquet.read_table(out)["id"].to_pylist()
    elif kind == "json":
        ids = [row["id"] for row in json.loads(out.read_text())]
    elif kind == "jsonl":
        ids = [json.loads(line)["id"] for line in out.read_text().splitlines()]
    else:
        lines = out.read_text().replace(",", " ").splitlines()[1:]
        ids = [line.split()[0] for line in lines]
    assert ids == ["07", "08", "09"]


def test_how_the_file_is_read_can_be_set(archbuild: Archbuild, trained: Path) -> None:
    Path("rows.csv").write_text("7,8\n1,2\n3,4\n")
    asked = ["predict", "-d", "rows.csv", "-a", "table", "--format", "csv"]
    status, out, err = archbuild(*asked)
    assert (status, len(out.splitlines())) == (0, 4)
    assert "[otherwise: --set data.header=true]" in err
    status, _, err = archbuild(*asked, "--set", "data.header=true")
    assert status == 2  # since 7 and 8 are no columns of the model
    assert "rows.csv has no columns 'a', 'b'" in err
    status, out, err = archbuild(*asked, "--set", "data.skip_lines=1")
    assert (status, len(out.splitlines())) == (0, 3)


def test_advice_that_cannot_be_followed_is_not_printed(archbuild: Archbuild, trained: Path) -> None:
    Path("rows.csv").write_text("a,b\nx,1,2\ny,3,4\n")
    status, _, err = archbuild("predict", "-d", "rows.csv", "-a", "table")
    assert status == 0
    assert "their first names the row" in err
    assert "otherwise" not in err


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("data.columns.a=category", "of new rows only the keys that say how a file is read"),
        ("data.gaps=mask", "--set data.gaps: the model keeps"),
        ("head.n_clusters=3", "of new rows only keys of data can be set"),
        ("data.heder=true", "did you mean 'header'"),
        ("data.rows=last", "rows would change nothing"),
    ],
)
def test_what_the_model_keeps_cannot_be_set(
    archbuild: Archbuild, trained: Path, assignment: str, message: str
) -> None:
    status, out, err = archbuild("predict", "-d", "old.csv", "-a", "table", "--set", assignment)
    assert (status, out) == (2, "")
    assert message in err


def test_one_row_is_enough(archbuild: Archbuild, trained: Path) -> None:
    Path("one.csv").write_text("a,b\n1,2\n")
    status, out, err = archbuild("predict", "-d", "one.csv", "-a", "table")
    assert status == 0
    assert "one: row 0, 1 of 1, by" in err
    asked = ["--format", "csv", "--shard", "1/2"]
    assert "one: no rows of 1" in archbuild("predict", "-d", "one.csv", "-a", "table", *asked).err
    assert out.split()[:3] == ["id", "cluster", "confidence"]
    assert len(out.splitlines()) == 2


def test_shards_together_are_the_whole(archbuild: Archbuild, trained: Path) -> None:
    asked = ["predict", "-d", "old.csv:kind", "-a", "table", "--format", "jsonl", "--quiet"]
    whole = archbuild(*asked).out
    shards = [archbuild(*asked, "--shard", f"{part}/3", "--chunk", 7).out for part in (1, 2, 3)]
    assert "".join(shards) == whole
    assert len(whole.splitlines()) == 200
    assert archbuild(*asked, "--shard", "1/1000").out == ""


def test_latents_come_on_request(archbuild: Archbuild, trained: Path) -> None:
    asked = ["predict", "-d", "old.csv:kind", "-a", "table", "--format", "csv", "--quiet"]
    assert archbuild(*asked).out.splitlines()[0] == "id,cluster,confidence,p0,p1"
    header = archbuild(*asked, "--latent").out.splitlines()[0]
    assert header == "id,cluster,confidence,p0,p1,z0,z1"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--shard", "0/3"], "'0/3' is not a shard"),
        (["--shard", "4/3"], "'4/3' is not a shard"),
        (["--shard", "half"], "'half' is not a shard"),
        (["--chunk", "0"], "'0' is not a whole number from 1"),
        (["--format", "npz"], "name a file with --output"),
        (["--output", "out.dat"], "say what to write with --format"),
        (["--head", "kmeans"], "holds no kmeans head; train one with: archbuild -d"),
        (["--seed", "4"], "no run of 'table' with seed 4 is under saved_params; train one with"),
        (["--run", "nowhere"], "there is no folder nowhere"),
    ],
)
def test_what_cannot_be_done_is_refused(
    archbuild: Archbuild, trained: Path, options: list[str], said: str
) -> None:
    status, out, err = archbuild("predict", "-d", "old.csv:kind", "-a", "table.json", *options)
    assert (status, out) == (2, "")
    assert said in err


def test_data_of_another_shape_are_refused(archbuild: Archbuild, trained: Path) -> None:
    np.save("wide.npy", np.zeros((5, 3), np.float32))
    status, out, err = archbuild("predict", "-d", "wide.npy", "-a", "table")
    assert (status, out) == (2, "")
    assert "wide.npy has rows of shape [3], and the model was trained on old" in err


def test_labels_beside_a_matrix_are_not_looked_at(archbuild: Archbuild, trained: Path) -> None:
    Path("new.txt").write_text("1 2\n101 -98\n")
    Path("category.txt").write_text("0\n")
    status, out, _ = archbuild("predict", "-d", "new.txt", "-a", "table", "--quiet")
    assert status == 0
    assert len(out.splitlines()) == 3


def test_without_a_name_for_the_model_it_asks(archbuild: Archbuild, trained: Path) -> None:
    status, _, err = archbuild("predict", "-d", "old.csv:kind")
    assert status == 2
    assert "no run is named" in err


def test_a_run_can_be_named_by_its_folder(archbuild: Archbuild, trained: Path) -> None:
    Path("saved_params/old/table/0").rename("model")
    asked = ["predict", "-d", "old.csv:kind", "--run", "model", "--quiet"]
    status, out, _ = archbuild(*asked)
    assert status == 0
    assert len(out.splitlines()) == 201


def test_a_published_model_answers(archbuild: Archbuild, elsewhere: Path) -> None:
    asked = ["predict", "--published", "digits", "-d", "DIGITS", "--output", "out.npz"]
    assert archbuild(*asked)[:2] == (0, "")
    with np.load("out.npz") as found:
        assert found["probabilities"].shape == (1797, 10)


def test_a_published_model_is_no_run_besides(archbuild: Archbuild, elsewhere: Path) -> None:
    status, _, err = archbuild("predict", "--published", "digits", "-a", "0", "-d", "DIGITS")
    assert status == 2
    assert "give one of them" in err
