from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archbuild.cli import new as module
from archbuild.spec import parse_text
from tests.cli.calling import Archbuild


@pytest.fixture
def table(elsewhere: Path) -> Path:
    """Four columns and labels of three classes, in the working directory."""
    rng = np.random.default_rng(0)
    classes = np.arange(60) % 3
    values = (rng.normal(size=(60, 4)) + 4 * classes[:, None]) * [1, 10, 100, 1000]
    rows = [",".join(map(str, row)) for row in values.tolist()]
    lines = [f"{row},kind {kind}" for row, kind in zip(rows, classes, strict=True)]
    (elsewhere / "my table.csv").write_text("\n".join(["a,b,c,d,label", *lines]) + "\n")
    return Path("my table.csv")


@pytest.fixture
def points(elsewhere: Path) -> Path:
    """An array without labels."""
    np.savez(elsewhere / "points.npz", x=np.random.default_rng(0).normal(size=(50, 3)))
    return Path("points.npz")


def written(path: str) -> dict[str, Any]:
    tree: dict[str, Any] = parse_text(Path(path).read_text(), path, "yaml").tree
    return tree


@pytest.mark.parametrize("kind", ["dense", "conv", "conv1d"])
def test_what_is_written_validates(archbuild: Archbuild, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "mine.yaml"
    status, out, err = archbuild("new", "--kind", kind, "--output", path)
    assert (status, out) == (0, "")
    assert f"archbuild validate {path}" in err
    assert archbuild("new", "--kind", kind).out == path.read_text()
    assert archbuild("validate", path).status == 0


def test_an_existing_file_is_kept(archbuild: Archbuild, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("mine")
    status, _, err = archbuild("new", "--output", path)
    assert status == 2
    assert "exists already" in err
    assert path.read_text() == "mine"
    assert archbuild("new", "--force", "--output", path).status == 0
    assert archbuild("validate", path).status == 0


def test_a_name_that_would_not_be_read_as_yaml(archbuild: Archbuild, tmp_path: Path) -> None:
    status, _, err = archbuild("new", "--output", tmp_path / "mine.json")
    assert status == 2
    assert "archbuild new --kind dense --output mine.yaml" in err
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there(archbuild: Archbuild, tmp_path: Path) -> None:
    status, _, err = archbuild("new", "--output", tmp_path / "none" / "mine.yaml")
    assert status == 2
    assert "no such file or directory" in err


def test_for_a_labelled_table(archbuild: Archbuild, table: Path) -> None:
    status, out, err = archbuild("new", "--for", table)
    assert status == 0
    assert "my table.csv: 60 rows of 4 numbers, labels of 3 classes" in err
    assert out == (
        "archbuild -d 'my table.csv' -a my-table.yaml --pretrain 200 --cluster 20 --metrics "
        "--report\n"
    )
    spec = written("my-table.yaml")
    assert spec["layers"][0] == {"type": "Input", "output_shape": [4]}
    assert spec["scaling"] == "standardise"
    assert spec["head"]["n_clusters"] is None
    assert "from the labels: 3 classes" in Path("my-table.yaml").read_text()
    assert archbuild("validate", "my-table.yaml").status == 0
    assert archbuild("show", "-d", table, "-a", "my-table.yaml").status == 0


def test_the_printed_command_runs(archbuild: Archbuild, table: Path) -> None:
    words = shlex.split(archbuild("new", "--for", table).out)[1:]
    short = [{"200": "1", "20": "1"}.get(word, word) for word in words]
    status, out, err = archbuild(*short[: short.index("--report")])
    assert (status, err.count("Error")) == (0, 0)
    assert "self_training" in out


def test_an_existing_file_is_kept_before_the_data_are_read(
    archbuild: Archbuild, table: Path
) -> None:
    Path("my-table.yaml").write_text("mine")
    status, out, err = archbuild("new", "--for", table)
    assert (status, out) == (2, "")
    assert "archbuild new --for 'my table.csv' --output other.yaml" in err
    assert "rows of" not in err
    assert Path("my-table.yaml").read_text() == "mine"
    assert archbuild("new", "--for", table, "--force").status == 0
    assert archbuild("new", "--for", table, "--output", "other.yaml").status == 0
    assert written("other.yaml")["name"] == "other"


def test_without_labels_the_number_is_estimated_or_given(
    archbuild: Archbuild, points: Path
) -> None:
    assert archbuild("new", "--for", points).status == 0
    assert written("points.yaml")["head"]["n_clusters"] == "auto"
    archbuild("new", "--for", points, "--clusters", "5", "--force")
    assert written("points.yaml")["head"]["n_clusters"] == 5
    archbuild("new", "--for", points, "--clusters", "auto", "--force")
    assert written("points.yaml")["head"]["n_clusters"] == "auto"
    assert archbuild("validate", "points.yaml").status == 0


@pytest.mark.parametrize(("answer", "n_clusters"), [("", "auto"), ("4", 4)])
def test_on_a_terminal_the_number_is_asked_for(
    archbuild: Archbuild,
    points: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    n_clusters: int | str,
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt: answer)
    status, out, _ = archbuild("new", "--for", points)
    assert status == 0
    assert out.startswith("archbuild -d points.npz")
    assert written("points.yaml")["head"]["n_clusters"] == n_clusters


@pytest.mark.parametrize("wrong", ["0", "x", "20000"])
def test_an_impossible_number_is_refused(archbuild: Archbuild, points: Path, wrong: str) -> None:
    assert archbuild("new", "--for", points, "--clusters", wrong).status == 2
    assert not Path("points.yaml").exists()


def test_a_kind_beside_data_is_refused(archbuild: Archbuild, points: Path) -> None:
    status, _, err = archbuild("new", "--for", points, "--kind", "conv")
    assert status == 2
    assert "drop one" in err


def test_data_that_are_not_there(archbuild: Archbuild, elsewhere: Path) -> None:
    status, _, err = archbuild("new", "--for", "none.csv")
    assert status == 2
    assert "no file or folder none.csv" in err


def test_a_template_with_a_number_of_clusters(archbuild: Archbuild) -> None:
    assert "n_clusters: 12 " in archbuild("new", "--clusters", "12").out


def test_looking_at_data_does_not_start_keras(table: Path) -> None:
    code = (
        "import sys; from archbuild.cli.new import new; "
        "new(['--for', 'my table.csv'], standalone_mode=False); "
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    root = Path(module.__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(root)!r}); {code}"],
        check=True,
        capture_output=True,
    )


def test_each_guess_is_printed_and_stands_in_the_spec(archbuild, elsewhere):
    rows = "".join(f"{n};{n / 3:.2f};{'red' if n % 2 else 'blue'};x{n}\n" for n in range(20))
    Path("mine.csv").write_text("a;b;colour;note\n" + rows)
    status, _, err = archbuild("new", "--for", "mine.csv")
    assert status == 0
    text = Path("mine.yaml").read_text()
    for line in (
        "separator: a semicolon",
        "column 'colour': 2 categories",
        "column 'note': left out",
    ):
        assert line in err
        assert line in text
    assert '"colour": category' in text
    assert archbuild("validate", "mine.yaml").status == 0


@pytest.mark.parametrize(
    "options",
    [["--labels", "none"], ["--set", "data.labels=none"], ["--set", "data.labels='none'"]],
)
def test_a_guess_can_be_overruled(archbuild, elsewhere, options):
    rows = "".join(f"{n},{n * n},{n % 2}\n" for n in range(9))
    Path("mine.csv").write_text(f"a,b,label\n{rows}")
    status, _, err = archbuild("new", "--for", "mine.csv", *options)
    assert status == 0
    assert "9 rows of 3 numbers, no labels" in err
    assert 'labels: "none"' in Path("mine.yaml").read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--set", "data.heder=false"], "did you mean 'header'?"),
        (["--set", "data.header=7"], "data.header"),
        (["--set", "head.n_clusters=7"], "only keys of data can be set"),
    ],
)
def test_what_is_no_key_of_data_is_refused(archbuild, elsewhere, options, said):
    Path("mine.csv").write_text("1,2\n3,4\n")
    status, _, err = archbuild("new", "--for", "mine.csv", *options)
    assert status == 2
    assert said in err


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ("mine.yaml", "archbuild new --output mine.yaml"),
        ("mine.csv", "archbuild new --for mine.csv"),
    ],
)
def test_a_file_without_an_option_is_answered_with_the_option(archbuild, elsewhere, given, advice):
    status, _, err = archbuild("new", given)
    assert (status, advice in err) == (2, True)
    assert not Path("mine.yaml").exists()


def test_help_says_what_can_be_set(archbuild):
    text = " ".join(archbuild("new", "--help").out.split())
    assert "data.KEY=VALUE" in text
    assert "head.n_clusters" not in text


def test_without_data_there_is_nothing_to_overrule(archbuild):
    status, _, err = archbuild("new", "--kind", "dense", "--labels", "none")
    assert (status, "add --for" in err) == (2, True)


def test_embedded_columns_get_their_layer(archbuild, elsewhere):
    rows = "".join(f"{n},{'red' if n % 2 else 'blue'},{n % 3}\n" for n in range(20))
    Path("mine.csv").write_text("a,colour,zip\n" + rows)
    told = ["--set", "data.columns.colour=embedding", "--set", "data.columns.zip=number"]
    assert archbuild("new", "--for", "mine.csv", *told).status == 0
    spec = written("mine.yaml")
    assert spec["data"]["columns"] == {"colour": "embedding", "zip": "number"}
    assert spec["layers"][1] == {"type": "Embedding", "blocks": {"colour": [1, 2]}}
    assert archbuild("validate", "mine.yaml").status == 0


def test_cells_with_line_breaks_leave_the_spec_valid(archbuild: Archbuild, elsewhere: Path) -> None:
    rows = [f'{i},"red\nseed: {i % 2}",{i % 3}' for i in range(20)]
    header = '"wide\nseed: 3","shop\nseed: 5","a\x1b[31m"\n'
    (elsewhere / "odd.csv").write_text(header + "\n".join(rows) + "\n")
    status, _, err = archbuild("new", "--for", "odd.csv", "--clusters", "3")
    assert status == 0
    assert r"'red\nseed: 0'" in err
    assert written("odd.yaml")["data"] == {"columns": {"shop seed: 5": "category"}}
    assert archbuild("validate", "odd.yaml").status == 0


@pytest.mark.parametrize(
    ("kinds", "words"),
    [("a" * 20, "labels of 1 class\n"), ("ab" * 5, "labels for 10 of them of 2 classes")],
)
def test_labels_of_one_class_and_of_some_rows_are_said(archbuild, elsewhere, kinds, words):
    cells = [*kinds, *[""] * (20 - len(kinds))]
    rows = "".join(f"{n / 3},{n},{kind}\n" for n, kind in enumerate(cells))
    Path("mine.csv").write_text("a,b,label\n" + rows)
    status, _, err = archbuild("new", "--for", "mine.csv", "--clusters", "3")
    assert (status, words in err) == (0, True)
    assert ("scores against a single one say nothing" in err) == (kinds[1] == "a")


@pytest.mark.parametrize(
    ("version", "rows", "start"),
    [("0.5", 60, "manifold"), (None, 60, "t-sne"), ("0.5", 19, "t-sne")],
)
def test_the_start_is_one_that_works_here(archbuild, elsewhere, monkeypatch, version, rows, start):
    monkeypatch.setattr("archbuild.environment.installed", lambda package: version)
    values = np.random.default_rng(0).normal(size=(rows, 5))
    np.savez(elsewhere / "some.npz", x=values, y=np.arange(rows) % 2)
    archbuild("new", "--for", "some.npz")
    head = written("some.yaml")["head"]
    assert (head["type"], head["start"]) == ("self_training", start)


def test_many_rows_are_mapped_once(archbuild, elsewhere, monkeypatch):
    monkeypatch.setattr("archbuild.environment.installed", lambda package: "0.5")
    monkeypatch.setattr(module, "_SEVERAL_MAPS_ROWS", 50)
    np.savez(elsewhere / "some.npz", x=np.random.default_rng(0).normal(size=(60, 5)))
    archbuild("new", "--for", "some.npz", "--clusters", "3")
    assert written("some.yaml")["head"]["start"] == "manifold-fast"


def test_counts_start_from_wards_clusters_of_logarithms(archbuild, elsewhere):
    counts = np.random.default_rng(0).poisson(0.4, size=(130, 120))
    counts[0, 0] = 12
    np.savez(elsewhere / "cells.npz", x=counts, y=np.arange(130) % 2)
    archbuild("new", "--for", "cells.npz")
    spec = written("cells.yaml")
    assert (spec["head"]["type"], spec["head"]["start"]) == ("self_training", "ward")
    assert (spec["data"]["counts"], spec["scaling"]) == ("log_normalise", "none")


def test_categories_start_from_k_means(archbuild, elsewhere):
    lines = [f"{row * 0.37 % 5:.2f},{('Oslo', 'Rome', 'Lima')[row % 3]}" for row in range(60)]
    (elsewhere / "people.csv").write_text("\n".join(["height,city", *lines]) + "\n")
    archbuild("new", "--for", "people.csv", "--clusters", "3")
    assert written("people.yaml")["head"]["start"] == "k-means"


@pytest.mark.parametrize(("columns", "start"), [(60, "ward"), (59, "manifold")])
def test_no_map_is_drawn_of_fewer_rows_than_columns(
    archbuild, elsewhere, monkeypatch, columns, start
):
    monkeypatch.setattr("archbuild.environment.installed", lambda package: "0.5")
    np.savez(elsewhere / "wide.npz", x=np.random.default_rng(0).normal(size=(60, columns)))
    archbuild("new", "--for", "wide.npz", "--clusters", "3")
    assert written("wide.yaml")["head"]["start"] == start


@pytest.mark.parametrize("options", [[], ["--force"]])
def test_a_pipe_in_place_of_the_spec_is_not_waited_for(archbuild, elsewhere, options):
    os.mkfifo("own.yaml")
    result = archbuild("new", "--kind", "dense", "--output", "own.yaml", *options)
    assert result.status == 2
    assert "own.yaml is no file that could be replaced" in result.err


def test_where_a_decision_belongs_is_said(archbuild, elsewhere):
    rows = "".join(f"{n},{n / 3:.2f},{n * n}\n" for n in range(20))
    Path("mine.csv").write_text("size,b,a b\n" + rows)
    told = ["--clusters", "3", "--set", 'data.columns={"a b": "ignore"}']
    _, _, err = archbuild("new", "--for", "mine.csv", *told)
    assert "[otherwise: --set data.columns.size=identifier]" in err
    anew = (
        "otherwise: write the spec anew, with archbuild new --for mine.csv --clusters 3 --set "
        '\'data.columns={"a b": "ignore"}\' --force --set data.KEY=VALUE'
    )
    assert anew in err
    assert anew in Path("mine.yaml").read_text()
    given = [*told, "--force", "--set", "data.columns.size=identifier"]
    assert archbuild("new", "--for", "mine.csv", *given).status == 0
    assert written("mine.yaml")["layers"][0]["output_shape"] == [1]


def test_nothing_to_decide_says_no_more(archbuild, points):
    assert "otherwise" not in archbuild("new", "--for", str(points), "--clusters", "3").err
