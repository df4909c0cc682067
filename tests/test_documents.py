"""Every archbuild command in the README and in docs/ runs, with an epoch or two for many.

Of data that must be fetched only the spec is looked at: its names, overrides and shapes.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from archbuild import objectives
from archbuild.cli.main import cli, main
from archbuild.data import find_datasets
from archbuild.evaluation.scores import SCORES
from archbuild.experiments.sweeps import running
from archbuild.heads import HEADS
from archbuild.spec.reading import parse_text
from tests.data.writers import write_own_data

ROOT = Path(__file__).resolve().parents[1]
DATASETS_PAGE = ROOT / "datasets" / "README.md"
RESULTS = sorted((ROOT / "benchmarks" / "results").glob("*.md"))
DOCUMENTS = [ROOT / "README.md", DATASETS_PAGE, *sorted((ROOT / "docs").rglob("*.md"))]
FETCHED = (
    "MNIST",
    "BINARIZED_MNIST",
    "FASHION",
    "COIL20",
    "SERKET3000",
    "SVHN",
    "HAR",
    "NORB",
    "OMNIGLOT",
)
SHORTER = {
    r"^archbuild( sweep)? -d (\S+)": r"archbuild\1 -d \2 --set batch_size=599",
    r"--(pretrain|cluster)\b( \d+)?": r"--\1 1",
    r"--train\b( \d+)?": "--train 2",
    r"--seeds \d+": "--seeds 1",
    r"head.bound_samples=\d+": "head.bound_samples=5",
    r"(--grid [\w.]+=[^,\s]+),\S+": r"\1",  # one value
    r"length: 50\b": "length: 1",  # of gamma-training, as the specs of the next line have it
    r"--search \d+": "--search 2",
    r" --engine ray\b": "",  # there is no cluster: this machine answers alike
    r" --(address|workers) \S+| --shared\b": "",
    r"-a (s3vdc-\S+)": r"-a \1 --set head.gamma_training.length=1",
}


def name_of(document: Path) -> str:
    """The document's place in the repository, by which a test of it goes."""
    return str(document.relative_to(ROOT))


def commands(document: Path) -> list[str]:
    """The lines of its code blocks that start with ``archbuild``, as they are written."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", document.read_text(), re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("archbuild ")]


def arguments(line: str) -> list[str]:
    """What is run for a command: itself with fewer epochs, or ``show`` where data are missing."""
    for many, few in SHORTER.items():
        line = re.sub(many, few, line)
    words = shlex.split(line, comments=True)[1:]
    options = list(pairwise(words))
    if not any(pair[0] == "-d" and pair[1].startswith(FETCHED) for pair in options):
        return words
    looked_at = ("-d", "-a", "--head", "--set")
    return ["show", *(word for pair in options if pair[0] in looked_at for word in pair)]


def anchors(document: Path) -> set[str]:
    """What a link to one of its headings ends in."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def column(document: Path, heading: str) -> Iterator[str]:
    """The cells below a heading, of every table that has it."""
    place = None
    for line in document.read_text().splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not line.startswith("|"):
            place = None
        elif place is None:
            starts = [cell.startswith(heading) for cell in cells]
            place = starts.index(True) if True in starts else len(cells)
        elif place < len(cells) and not set(cells[place]) <= {"-"}:
            yield cells[place]


def names(cells: Iterable[str]) -> list[str]:
    """What stands in backticks."""
    return [name for cell in cells for name in re.findall(r"`(?:archbuild\.)?([\w.]+)`", cell)]


@pytest.fixture
def folder(tmp_path, rng):
    """An empty folder but for the user's own data that the documents speak of."""
    groups = rng.integers(0, 3, 90)
    values = rng.normal(size=(90, 6)) + 4 * groups[:, None]
    rows = [",".join(f"{value:.3f}" for value in row) for row in values]
    lines = [f"{row},group {group}" for row, group in zip(rows, groups, strict=True)]
    header = "a,b,c,d,e,f,label"
    (tmp_path / "mine.csv").write_text("\n".join([header, *lines]) + "\n")
    write_own_data(tmp_path)
    return tmp_path


class HereAndNow:
    """Stands for ``Child``: a sweep's command in this process, which need not start Keras anew."""

    def __init__(self, arguments, on_event):
        self.arguments, self.error = arguments, {}

    def run(self):
        cli(self.arguments, prog_name="archbuild", standalone_mode=False)
        return True


def test_the_readme_has_commands_to_run():
    assert len(commands(ROOT / "README.md")) >= 8


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
@pytest.mark.graphs(False)
@pytest.mark.usefixtures("few_rows", "plain_maps")
def test_the_commands_run_one_after_the_other(document, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(running, "Child", HereAndNow)
    for line in commands(document):
        monkeypatch.setattr(sys, "argv", ["archbuild", *arguments(line)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0, f"{line}\n{capsys.readouterr().err}"


@pytest.mark.parametrize("document", [*DOCUMENTS, *RESULTS, ROOT / "CONTRIBUTING.md"], ids=name_of)
def test_the_links_lead_somewhere(document):
    links = re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", document.read_text())
    for path, anchor in links:
        there = document.parent / path if path else document
        assert there.exists(), path
        assert not anchor or anchor in anchors(there), (path, anchor)


@pytest.mark.parametrize("head", HEADS.own.values(), ids=lambda head: head.name)
def test_the_page_of_a_head_names_its_fields_their_defaults_and_its_terms(head):
    page = ROOT / "docs" / "heads" / f"{head.name}.md"
    said = [re.match(r"`([^`]+)`|([\w.-]+)", cell) for cell in column(page, "default")]
    said = [cell[1] or cell[2] for cell in said]
    defaults = [parse_text(text, "the page", "yaml").tree for text in said]
    fields = dict(zip(names(column(page, "field")), defaults, strict=False))
    assert fields == {field.name: field.default for field in head.fields}
    assert set(names(column(page, "term"))) == set(head.term_names)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_the_functions_of_equations_are_there(document):
    named = [name.removeprefix("objectives.") for name in names(column(document, "function"))]
    assert set(named) <= set(objectives.__all__)


def test_the_page_of_metrics_has_every_score():
    page = ROOT / "docs" / "metrics.md"
    keys = [name for name in names(column(page, "key")) if name in SCORES]
    assert sorted(keys) == sorted(SCORES)


def test_the_page_of_datasets_names_every_set_its_folder_and_its_files(tmp_path):
    page = DATASETS_PAGE.read_text()
    for name, _, where in find_datasets(tmp_path):
        assert f"`{name}`" in page
        folders = re.findall(rf"{re.escape(str(tmp_path))}/(\w+)", where)
        files = re.findall(r"[\w+-]+\.(?:a?mat|np[yz]|zip)\b", where)
        assert all(f"`{folder}/`" in page for folder in folders), where
        assert all(f"`{file}`" in page for file in files), where


def test_the_printed_spec_is_valid(tmp_path):
    from archbuild.registry import default_vocabulary
    from archbuild.spec import validate_document

    block = re.search(r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text(), re.S | re.M)
    (tmp_path / "readme.yaml").write_text(block[1])
    (spec,) = validate_document(tmp_path / "readme.yaml", default_vocabulary())
    assert np.prod(spec.input_shape) == 784


def python_blocks(page):
    """The code blocks in Python of a page of how-tos."""
    text = (ROOT / "docs" / "howto" / page).read_text()
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_what_is_printed_for_keras_runs(tmp_path, monkeypatch):
    """The blocks of the page on Keras, an epoch for many."""
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in python_blocks("keras.md"):
        short = re.sub(r"(batch_size=\d+, )?epochs=\d+", "batch_size=599, epochs=1", block)
        exec(short, names)  # it is ours
    assert names["latents"].shape == (1797, 32)
    assert names["probabilities"].shape == (1797, 10)
    assert names["unpooling"].output_shape == [(None, 28, 28, 1)] * 2


@pytest.mark.graphs(False)
@pytest.mark.usefixtures("few_rows", "plain_maps")
def test_what_is_printed_for_runs_runs(tmp_path, monkeypatch):
    """The blocks of the page on runs, after an epoch of each stage."""
    monkeypatch.chdir(tmp_path)
    train = "-d DIGITS -a 0 --pretrain 1 --cluster 1 --set batch_size=599 --quiet"
    monkeypatch.setattr(sys, "argv", ["archbuild", *train.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    names = {}
    for block in python_blocks("runs.md"):
        exec(block, names)  # it is ours
    assert names["stage"].name == "cluster-self_training"
    plots = next(tmp_path.glob("plots/*/*/*"))
    drawn = {path.name for path in plots.iterdir()}
    assert {"report.html", "scatter.png", "clusters-self_training.png"} <= drawn


@pytest.mark.graphs(False)
def test_what_is_printed_for_python_runs(tmp_path, monkeypatch, rng):
    """The blocks of the page on Serket, with an update of one epoch, on a few rows."""
    monkeypatch.chdir(tmp_path)
    for name in ("data.txt", "new.txt"):
        np.savetxt(name, rng.random((40, 784)))
    np.savetxt("category.txt", np.arange(40) % 10, fmt="%d")
    blocks = python_blocks("serket.md")
    assert len(blocks) == 5
    for block in blocks[:2]:
        assert len([line for line in block.splitlines() if line]) <= 13  # as Serket's tutorial
    names = {}
    for block in blocks:
        short = block.replace("epochs=200", "epochs=1").replace("itr=200", "itr=1")
        short = short.replace("GMM(10)", "GMM(10, chains=1)")
        exec(short, names)  # it is ours
    files = {path.name for path in (tmp_path / "output").rglob("*.txt")}
    assert {"z_learn.txt", "x_hat_recog.txt", "acc_learn.txt", "mu_learn.txt"} <= files
    assert (tmp_path / "module002_gmm" / "acc_learn.txt").is_file()
    assert (tmp_path / "learned.npz").is_file()
