from __future__ import annotations

import re

import pytest

from archbuild.spec import Plan, Spec, Vocabulary, make_plan, parse_text, spec_from_tree, template
from archbuild.spec.augment import AUGMENT_FIELDS, CHANGES_BY_AXES
from archbuild.spec.template import Subject, spec_name, spec_text

TABLES = [(1,), (2,), (16,), (784,), (100_000,)]
SERIES = [(1, 1), (9, 5), (9, 128), (1, 9999)]
IMAGES = [(1, 1, 1), (3, 2, 9), (1, 8, 8), (1, 28, 28), (3, 48, 64), (4, 65, 33), (1, 200, 300)]
VOLUMES = [(1, 5, 6, 7), (2, 2, 40, 3)]


def read(text: str, vocabulary: Vocabulary) -> tuple[Spec, Plan]:
    spec = spec_from_tree(parse_text(text, "written", "yaml").tree, vocabulary)
    return spec, make_plan(spec, vocabulary)


@pytest.mark.parametrize("kind", ["dense", "conv", "conv1d"])
def test_templates_validate_and_explain_themselves(kind: str, vocabulary: Vocabulary) -> None:
    text = template(kind)
    _, plan = read(text, vocabulary)
    assert plan.decoder[-1].output_shape == plan.input_shape
    for key in ("spec_version", "name", "layers", "head", "pretrain", "cluster"):
        line = next(line for line in text.splitlines() if line.startswith(f"{key}:"))
        assert "#" in line


def test_defaults_in_the_comments_are_the_defaults(vocabulary: Vocabulary) -> None:
    text = template("dense")
    spec, _ = read(text, vocabulary)
    shown = "\n".join(re.findall(r"^# (\w+:.*)$", text, re.MULTILINE))
    values = parse_text(shown, "t", "yaml").tree
    assert values.pop("train") == {"epochs": spec.train["epochs"]}
    assert values
    assert {key: spec.tree[key] for key in values} == values


def test_unknown_kind() -> None:
    with pytest.raises(ValueError, match="dense, conv, conv1d"):
        template("rnn")


@pytest.mark.parametrize("shape", [*TABLES, *SERIES, *IMAGES, *VOLUMES])
@pytest.mark.parametrize("n_rows", [2, 150, 11_000, 10**8])
def test_every_shape_has_a_spec_that_validates(
    shape: tuple[int, ...], n_rows: int, vocabulary: Vocabulary
) -> None:
    subject = Subject("x", shape, n_rows, scaling="standardise", n_clusters=7)
    spec, plan = read(spec_text(subject), vocabulary)
    assert plan.input_shape == plan.decoder[-1].output_shape == shape
    assert spec.scaling == "standardise"
    assert spec.head.config["n_clusters"] == 7
    assert (spec.augment is not None) == (len(shape) == 3)


@pytest.mark.parametrize("shape", [TABLES[0], SERIES[0], IMAGES[0], VOLUMES[0]])
def test_every_change_that_fits_the_rows_is_named(
    shape: tuple[int, ...], vocabulary: Vocabulary
) -> None:
    text = spec_text(Subject("x", shape, n_clusters=7))
    fields = {field.name for field in AUGMENT_FIELDS}
    named = {name for name in fields if re.search(rf"\b{name}: ", text)}
    assert named == set(CHANGES_BY_AXES[len(shape)])
    text = re.sub(r"^# augment: null +# or .*: (\{.*\})$", r"augment: \1", text, flags=re.M)
    text = re.sub(rf"^  # (({'|'.join(fields)}): )", r"  \1", text, flags=re.M)
    spec, _ = read(text, vocabulary)
    assert spec.augment is not None


def widths(plan: Plan) -> list[int]:
    return [layer.output_shape[0] for layer in plan.encoder[1:]]


def test_widths_follow_columns_and_rows(vocabulary: Vocabulary) -> None:
    def of(columns: int, n_rows: int) -> list[int]:
        return widths(read(spec_text(Subject("x", (columns,), n_rows)), vocabulary)[1])

    assert of(16, 11_000) == [128, 128, 8]
    assert of(784, 3_000) == [512, 512, 10]
    assert of(784, 300) == [64, 64, 10]
    assert of(4, 150) == [32, 32, 2]


def test_convolutions_end_where_little_is_left(vocabulary: Vocabulary) -> None:
    def ends(shape: tuple[int, ...]) -> tuple[int, ...]:
        plan = read(spec_text(Subject("x", shape)), vocabulary)[1]
        return plan.encoder[-3].output_shape

    assert ends((1, 8, 8)) == (64, 4, 4)
    assert ends((1, 28, 28)) == (128, 4, 4)
    assert ends((3, 48, 64)) == (128, 3, 4)
    assert ends((9, 128)) == (128, 8)


def test_small_images_are_looked_at_once_before_they_are_halved(vocabulary: Vocabulary) -> None:
    def first(shape: tuple[int, ...]) -> tuple[int, ...]:
        return read(spec_text(Subject("x", shape)), vocabulary)[1].encoder[1].output_shape

    assert first((1, 8, 8)) == (32, 8, 8)
    assert first((1, 15, 40)) == (32, 15, 40)
    assert first((1, 16, 16)) == (32, 8, 8)


def test_small_sets_take_more_epochs_in_smaller_batches() -> None:
    schedules = [Subject("x", (2,), n).schedule for n in (100, 2_000, 20_000, 70_000, 10**6, 10**9)]
    sizes = [schedule.batch_size for schedule in schedules]
    epochs = [schedule.pretrain_epochs for schedule in schedules]
    assert sizes == sorted(sizes)
    assert epochs == sorted(epochs, reverse=True)
    assert (schedules[3].batch_size, schedules[3].pretrain_epochs) == (256, 30)


@pytest.mark.parametrize(
    ("text", "name"),
    [("mine", "mine"), ("my table (2)", "my-table-2"), ("größe", "gr-e"), ("..", "mine")],
)
def test_any_name_becomes_a_specs_name(text: str, name: str) -> None:
    assert spec_name(text) == name


@pytest.mark.parametrize("name", ["null", "1e3", "true", "a: b # c", "x\ny: 1", "é" * 300])
def test_names_that_yaml_would_misread_are_text(name: str, vocabulary: Vocabulary) -> None:
    spec, _ = read(spec_text(Subject(name, (2,))), vocabulary)
    assert spec.name == spec_name(name)


def test_no_text_from_the_data_leaves_its_comment(vocabulary: Vocabulary) -> None:
    odd = "1.5\nseed: 7\r\n\x85seed: 8\u2028seed: 9 \x00\x1b[31m"
    subject = Subject(
        "x",
        (3,),
        title=odd,
        scaling_reason=odd,
        size_reason=odd,
        n_clusters=3,
        n_clusters_reason=odd,
        remarks=(odd,),
    )
    read(spec_text(subject), vocabulary)
    assert "seed" not in parse_text(spec_text(subject), "t", "yaml").tree


def test_how_the_data_are_read_stands_as_keys_or_as_comments() -> None:
    settled = spec_text(Subject("x", (3,), data={"missing": ["-"]}))
    assert parse_text(settled, "t", "yaml").tree["data"] == {"missing": ["-"]}
    guessed = spec_text(Subject("x", (3,), remarks=("the first row has names",)))
    assert "# the first row has names" in guessed.splitlines()
    assert "data" not in parse_text(guessed, "t", "yaml").tree
