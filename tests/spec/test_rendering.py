from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from archbuild.spec import Plan, Vocabulary, load_spec, make_plan, spec_from_tree
from archbuild.spec.rendering import WIDTH, layer_text, plan_document, shape_text, side_by_side


def plan_of(vocabulary: Vocabulary, layers: Sequence[Any], **rest: Any) -> Plan:
    tree = {"spec_version": 1, "name": "drawn", "layers": layers, **rest}
    return make_plan(spec_from_tree(tree, vocabulary), vocabulary)


def dense(units: int) -> dict[str, Any]:
    return {"type": "Dense", "num_units": units, "non_linearity": "linear"}


def convolution(**fields: Any) -> dict[str, Any]:
    return {"type": "Conv2D", "num_filters": 4, "filter_size": [3, 3], **fields}


INPUT = {"type": "Input", "output_shape": [1, 8, 9]}


def test_each_layer_faces_what_undoes_it(vocabulary: Vocabulary) -> None:
    text = side_by_side(plan_of(vocabulary, [INPUT, dense(7), dense(3)]))
    assert text.splitlines() == [
        "drawn",
        "input 1x8x9, latent 3, 1,139 parameters, head kld",
        "fc[7] fc[3] fc[7] fc[72] rsh",
        "",
        "encoder, downwards  shape  parameters  |  decoder, upwards     shape  parameters",
        " 0 Input            1x8x9              |   2 Reshape           1x8x9",
        "                                       |   1 Dense 72, linear     72         576",
        " 1 Dense 7, linear      7         511  |   0 Dense 7, linear       7          28",
        " 2 Dense 3, linear      3          24  |",
    ]


def test_details_get_a_line_of_their_own_where_the_page_is_too_narrow(
    vocabulary: Vocabulary,
) -> None:
    layers = [INPUT, convolution(stride=2, conv_mode="same"), dense(3)]
    lines = side_by_side(plan_of(vocabulary, layers)).splitlines()
    assert max(map(len, lines)) <= WIDTH
    place = next(i for i, line in enumerate(lines) if line.startswith(" 1 Conv2D 4 of 3x3 "))
    assert lines[place + 1].startswith("   stride 2, same, rectify")


def test_a_stated_decoder_begins_at_the_top_with_its_output(vocabulary: Vocabulary) -> None:
    decoder = [dense(20), dense(72), {"type": "Reshape", "output_shape": [1, 8, 9]}]
    text = side_by_side(plan_of(vocabulary, [INPUT, dense(3)], decoder=decoder))
    right = [line.partition("|")[2].split() for line in text.splitlines()[5:]]
    assert [cells[:2] for cells in right] == [["2", "Reshape"], ["1", "Dense"], ["0", "Dense"]]


def test_the_network_in_one_line_as_the_classic_project_wrote_it(vocabulary: Vocabulary) -> None:
    spec = load_spec("1", vocabulary, stem="mnist")
    plan = make_plan(spec, vocabulary)
    assert plan.notation == (
        "50[5x5] 50[5x5]_bn max[2x2] 50[5x5] 50[5x5]_bn max[2x2] 120[4x4] 120[4x4]_bn "
        "50[4x4] 50[4x4]_bn ups*[2x2] 50[5x5] 50[5x5]_bn ups*[2x2] 1[5x5]"
    )
    assert side_by_side(plan).splitlines()[2] == plan.notation
    assert plan_document(plan)["notation"] == plan.notation


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, ("Conv2D 4 of 3x3", "rectify")),
        ({"stride": 2}, ("Conv2D 4 of 3x3", "stride 2, rectify")),
        ({"stride": [1, 1], "padding": [0, 0]}, ("Conv2D 4 of 3x3", "rectify")),
        ({"padding": [1, 2]}, ("Conv2D 4 of 3x3", "padding 1x2, rectify")),
        ({"conv_mode": "same"}, ("Conv2D 4 of 3x3", "same, rectify")),
    ],
)
def test_words_for_a_layer(
    vocabulary: Vocabulary, fields: dict[str, Any], words: tuple[str, str]
) -> None:
    plan = plan_of(vocabulary, [INPUT, convolution(**fields), dense(3)])
    assert layer_text(plan.encoder[1]) == words


def test_words_for_other_layers(vocabulary: Vocabulary) -> None:
    layers = [
        INPUT,
        convolution(),
        {"type": "Dropout", "rate": 0.2},
        {"type": "Concat", "of": [1, 2]},
        dense(3),
    ]
    plan = plan_of(vocabulary, layers, use_batch_norm=True)
    words = [layer_text(layer) for layer in plan.encoder[1:4]]
    assert words == [
        ("Conv2D 4 of 3x3", "rectify, batch norm"),
        ("Dropout 0.2", ""),
        ("Concat of 1, 2", ""),
    ]


def test_a_shape_with_an_open_extent() -> None:
    assert shape_text((1, None, 28)) == "1xautox28"


def test_the_document_holds_every_layer(vocabulary: Vocabulary) -> None:
    plan = plan_of(vocabulary, [INPUT, convolution(), dense(3)])
    document = plan_document(plan)
    assert document["parameters"] == plan.parameters
    assert [layer["name"] for layer in document["encoder"]] == [
        layer.name for layer in plan.encoder
    ]
    assert document["decoder"][-1]["mirrors"] == 1
    assert document["encoder"][1]["config"]["filter_size"] == [3, 3]


def test_the_document_says_whose_kernel_a_tied_layer_has(vocabulary: Vocabulary) -> None:
    tied = plan_document(plan_of(vocabulary, [INPUT, dense(7), dense(3)], decoder="tied"))
    assert [layer.get("tied_to") for layer in tied["decoder"]] == [2, 1, None]
    free = plan_document(plan_of(vocabulary, [INPUT, dense(7), dense(3)]))
    assert not any("tied_to" in layer for layer in free["decoder"])


def test_an_embedding_names_its_columns(vocabulary: Vocabulary) -> None:
    layers = [{"type": "Input", "output_shape": [9]}]
    layers.append({"type": "Embedding", "blocks": {"city": [0, 4], "shop": [6, 2]}})
    plan = plan_of(vocabulary, [*layers, dense(2)])
    assert layer_text(plan.encoder[1]) == ("Embedding of city, shop", "")
    assert plan.notation.startswith("emb[4>2,2>1] fc[2]")
