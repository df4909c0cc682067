from __future__ import annotations

from typing import Any

import pytest

from archbuild.registry import default_vocabulary
from archbuild.spec import Vocabulary, load_spec, make_plan, shipped_archs, validate_document
from archbuild.spec.locate import PACKAGED

# files whose names say the system, not the layers, and its head
SYSTEMS = {"vade": "gmm", "s3vdc": "gmm", "gmvae": "gmvae", "spiral": "gmvae"}
SYSTEMS |= {"serket3000": "messages", "lvae": "ladder", "omniglot": "ladder"}
SYSTEMS |= {"auxiliary": "auxiliary", "halfmoon": "auxiliary", "cagem": "cluster_aware"}
# files whose names say the data or the system, of classifiers without a decoder
CLASSIFIERS = {"classifier", "cluttered"}
# a file whose names say by whom and for what its networks were published
LITERATURE = "literature"


@pytest.fixture(scope="module")
def own() -> Vocabulary:
    return default_vocabulary()


@pytest.mark.parametrize(
    ("stem", "count", "inputs"),
    [
        ("mnist", 4, [(1, 28, 28)] * 4),
        ("coil20", 10, [(1, 128, 128)] * 8 + [(1, 32, 32)] * 2),
        ("digits", 2, [(1, 8, 8)] * 2),
        ("spiral", 1, [(2,)]),
        ("vade", 2, [(1, 8, 8), (1, 28, 28)]),
        ("s3vdc", 5, [(1, 8, 8), (1, 28, 28), (1, 28, 28), (9, 28, 28), (9, 128)]),
        ("serket3000", 2, [(1, 28, 28)] * 2),
        ("gmvae", 3, [(1, 28, 28), (1, 28, 28), (3, 32, 32)]),
        ("lvae", 3, [(1, 8, 8), (1, 28, 28), (1, 28, 28)]),
        ("omniglot", 1, [(1, 28, 28)]),
        ("auxiliary", 3, [(1, 28, 28), (1, 28, 28), (1, 8, 8)]),
        ("halfmoon", 2, [(2,), (2,)]),
        ("cagem", 3, [(1, 28, 28), (1, 28, 28), (1, 8, 8)]),
        (
            LITERATURE,
            8,
            [
                *[(1, 28, 28), (3, 32, 32), (3, 64, 64), (12, 1000)],
                *[(9, 128), (9, 128), (2000,), (1, 28, 28)],
            ],
        ),
    ],
)
def test_shipped_specs_are_valid_and_mirror(
    own: Vocabulary, stem: str, count: int, inputs: list[tuple[int, ...]]
) -> None:
    (path,) = PACKAGED.glob(f"{stem}.*")
    specs = validate_document(path, own)
    assert len(specs) == count
    assert [spec.input_shape for spec in specs] == inputs
    for spec in specs:
        assert make_plan(spec, own).decoder[-1].output_shape == spec.input_shape


@pytest.mark.parametrize(("stem", "count"), [("classifier", 1), ("cluttered", 6)])
def test_shipped_classifiers_are_valid(own: Vocabulary, stem: str, count: int) -> None:
    (path,) = PACKAGED.glob(f"{stem}.*")
    specs = validate_document(path, own)
    assert len(specs) == count
    for spec in specs:
        assert make_plan(spec, own).decoder == ()
        assert spec.head.type == "classifier"


@pytest.mark.parametrize(
    ("stem", "latent_sizes"),
    [
        ("mnist", [32, 120, 10, 10]),
        ("coil20", [320, 400, 200, 200, 80, 32, 1, 20, 32, 20]),
        ("digits", [32, 10]),
    ],
)
def test_latent_sizes(own: Vocabulary, stem: str, latent_sizes: list[int]) -> None:
    for index, size in enumerate(latent_sizes):
        spec = load_spec(str(index), own, stem=stem)
        assert make_plan(spec, own).latent_size == size


def test_names_say_what_the_layers_are(own: Vocabulary) -> None:
    parts = {
        "Conv2D": lambda c: (
            f"c-{c['filter_size'][0]}-{c['num_filters']}"
            + (f"-s{c['stride']}" if c["stride"] != 1 else "")
        ),
        "Dense": lambda c: f"fc-{c['num_units']}",
        "MaxPool2D": lambda c: "p",
        "MaxPool2D*": lambda c: "p",
    }
    for path, index, name in shipped_archs():
        if path.stem in {*SYSTEMS, *CLASSIFIERS, LITERATURE}:
            continue
        layers = load_spec(f"{path}:{index}", own).layers
        said = [parts[layer.type](layer.config) for layer in layers if layer.type in parts]
        # the seed did not name the layer that only flattens: 3136 or 5120 units under fc-32
        assert set(name.split("_")) <= set(said)
        assert name.split("_")[-1] == said[-1]


@pytest.mark.parametrize(("stem", "head"), [*SYSTEMS.items()])
def test_a_system_goes_by_its_name_and_has_its_head(own: Vocabulary, stem: str, head: str) -> None:
    names = [name for path, _, name in shipped_archs() if path.stem == stem]
    for name in names:
        spec = load_spec(name, own)
        assert spec.head.type == head
        assert make_plan(spec, own).stochastic
    prefix = {"spiral": "gmvae", "serket3000": "serket", "omniglot": "lvae"}.get(stem, stem)
    prefixes = {prefix, "vae"} if stem == "lvae" else {prefix}  # with its usual rival
    prefixes = {"adgm", "sdgm"} if head == "auxiliary" else prefixes
    assert {name.split("-")[0] for name in names} == prefixes


@pytest.mark.parametrize(
    "stem", ["s3vdc", "gmvae", "spiral", "serket3000", "lvae", "omniglot", "auxiliary"]
)
def test_what_is_trained_from_scratch_can_be(own: Vocabulary, stem: str) -> None:
    for name in [name for path, _, name in shipped_archs() if path.stem == stem]:
        spec = load_spec(name, own)
        kind: Any = own.heads[spec.head.type]
        assert kind.scratch_problem(spec.head.config) is None


def test_only_the_seventh_coil_network_has_no_batch_norm(own: Vocabulary) -> None:
    switches = [load_spec(str(index), own, stem="coil20").use_batch_norm for index in range(8)]
    assert switches == [True] * 6 + [False, True]


@pytest.mark.parametrize("name", ["gmvae-mnist-conv", "gmvae-svhn"])
def test_gmvae_normalises_every_hidden_layer_of_its_convolutional_decoders(
    own: Vocabulary, name: str
) -> None:
    decoder = make_plan(load_spec(name, own), own).decoder
    with_weights = [layer for layer in decoder if layer.type in ("Dense", "Deconv2D")]
    for layer in with_weights[:-1]:
        above = decoder[layer.index + 1].type
        assert layer.batch_norm or above == "BatchNorm", layer.name
    assert not with_weights[-1].batch_norm


def test_gmvae_for_svhn_infers_the_cluster_by_bayes_rule(own: Vocabulary) -> None:
    head = load_spec("gmvae-svhn", own).head
    assert head is not None
    wanted = {"posterior": "bayes", "alpha": 0, "eta": 1, "minimum_information": 0}
    assert {key: head.config[key] for key in wanted} == wanted


def test_the_two_hierarchies_for_mnist_differ_in_their_inference_alone(own: Vocabulary) -> None:
    ladder, usual = (dict(load_spec(name, own).tree) for name in ("lvae-mnist", "vae-mnist-5"))
    heads = [dict(tree.pop("head")) for tree in (ladder, usual)]
    assert [head.pop("inference") for head in heads] == ["top_down", "bottom_up"]
    assert heads[0] == heads[1]
    del ladder["name"], usual["name"]
    assert ladder == usual


def test_the_hierarchy_for_omniglot_is_that_for_mnist_with_its_own_epochs(own: Vocabulary) -> None:
    here, there = (dict(load_spec(name, own).tree) for name in ("lvae-omniglot", "lvae-mnist"))
    assert (here.pop("name"), there.pop("name")) == ("lvae-omniglot", "lvae-mnist")
    assert here.pop("train") == {**there.pop("train"), "epochs": 1500}
    assert here == there


def test_the_hierarchy_for_mnist_has_the_sizes_of_the_paper_in_both_halves(own: Vocabulary) -> None:
    plan = make_plan(load_spec("lvae-mnist", own), own)
    assert plan.level_sizes == (64, 32, 16, 8, 4)
    assert [layer.output_shape[0] for layer in plan.priors] == [8, 16, 32, 64]
    hidden = [layer.config["num_units"] for layer in plan.encoder if layer.type == "Dense"]
    assert hidden == [width for width in (512, 256, 128, 64, 32) for _ in range(2)]
    decoded = [layer.config["num_units"] for layer in plan.decoder if layer.type == "Dense"]
    assert decoded == [*reversed(hidden), 784]
    unnormalised = [layer.name for layer in plan.decoder if not layer.batch_norm]
    assert unnormalised == ["decoder_14_dense", "decoder_15_reshape"]
