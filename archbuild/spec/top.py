"""The keys at the top of a spec; those of ``augment`` and of the stages have files of their own."""

from __future__ import annotations

from typing import Any, Final

from archbuild.spec import fields
from archbuild.spec.field import Field

CURRENT_VERSION: Final = 1
DEFAULT_HEAD: Final = "kld"
MIRROR: Final = "mirror"
TIED: Final = "tied"
NO_DECODER: Final = "none"
DECODER_WORDS: Final = (MIRROR, TIED, NO_DECODER)
"""What the decoder is called where no list states it."""
MAX_LAYERS: Final = 500
DEFAULT_MAX_PARAMETERS: Final = 500_000_000
"""2 GB in float32, 8 GB with gradients and Adam's moments."""

NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._+\-]{0,119}$"
NAME_RULE: Final = "letters, digits and . _ - +, a letter or digit first, at most 120 in all"


def _layer_list(side: str, least: int) -> dict[str, Any]:
    items = {"$ref": f"#/definitions/{side}_layer"}
    return {"type": "array", "minItems": least, "maxItems": MAX_LAYERS, "items": items}


NO_LABELS: Final = "none"
SEPARATORS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "space": " "}
NEGATIVE_BINOMIAL: Final = "negative_binomial"
ZERO_INFLATED: Final = "zero_inflated_negative_binomial"
OF_COUNTS: Final = (NEGATIVE_BINOMIAL, ZERO_INFLATED)
"""Kinds of reconstruction that take counts, with a dispersion of every feature."""
TWO_OUTPUTS: Final = ("gaussian", ZERO_INFLATED)
"""Kinds of reconstruction whose decoder ends in two layers: the mean's and another's."""
ON_LOGITS: Final = ("bernoulli", *OF_COUNTS)
"""Kinds of reconstruction whose decoder ends in logits, without a non-linearity."""
SAMPLE: Final = "sample"
"""The ``binarise`` that draws pixels."""
NO_CHANNELS: Final = "none"
CHANNEL_PLACES: Final = ("first", "last", NO_CHANNELS)
MASK: Final = "mask"
EMBEDDING: Final = "embedding"
COLUMN_KINDS: Final = (
    "number",
    "category",
    EMBEDDING,
    "boolean",
    "date",
    "label",
    "identifier",
    "ignore",
)
DATA_FIELDS: Final[tuple[Field, ...]] = (
    fields.text(
        "labels", f"The label column of a table; {NO_LABELS}: no labels are read.", default=None
    ),
    fields.boolean("header", "Whether the first line of a text table is a header.", default=None),
    fields.choice(
        "separator",
        list(SEPARATORS),
        "The character between the cells of a text table.",
        default=None,
    ),
    fields.choice("decimal", [".", ","], "The decimal sign of a text table.", default=None),
    fields.choice(
        "channels",
        list(CHANNEL_PLACES),
        f"The place of an array's channel axis; {NO_CHANNELS}: it has none.",
        default=None,
    ),
    fields.choice(
        "rows", ["first", "last"], "The axis of an array that counts its rows.", default=None
    ),
    fields.number("divide_by", "The number that every value is divided by.", above=0, default=None),
    fields.text(
        "array", "The array that holds the rows, of a file that has several.", default=None
    ),
    fields.choice(
        "counts",
        ["none", "log_normalise"],
        "What is done with counts before they are scaled; log_normalise: log(1 + 10,000 x / s), "
        "s the sum of the row.",
        default=None,
    ),
    fields.choice(
        "gaps",
        ["impute", MASK],
        "What stands for missing values; impute: the mean of the column, and a feature that marks "
        "them; mask: 0 after scaling, and the loss leaves them out. Absent: impute for tables, "
        "mask for series.",
        default=None,
    ),
    Field(
        "columns",
        {"type": "object", "additionalProperties": {"type": "string", "enum": [*COLUMN_KINDS]}},
        None,
        f"The kind of columns of a table: {', '.join(COLUMN_KINDS)}.",
    ),
    fields.implicit(
        fields.integer(
            "skip_lines",
            "Lines above the header of a text table, or rows of a sheet, that are left out.",
            minimum=0,
            maximum=1_000_000,
            default=None,
        )
    ),
    fields.implicit(
        Field(
            "missing",
            {
                "type": "array",
                "items": {"type": ["string", "number"]},
                "maxItems": 1000,
                "description": "a list of texts and numbers",
            },
            None,
            "Further texts and numbers of a table that stand for missing values, such as -99.",
        )
    ),
)

TOP_FIELDS: Final[tuple[Field, ...]] = (
    Field(
        "spec_version",
        {"const": CURRENT_VERSION},
        CURRENT_VERSION,
        "The version of the spec language; absent: the classic form.",
    ),
    Field(
        "name",
        {"type": "string", "pattern": NAME_PATTERN, "description": NAME_RULE},
        doc=f"Name of the spec and of its run folder: {NAME_RULE}.",
    ),
    Field(
        "aliases",
        {
            "type": "array",
            "items": {"type": "string", "pattern": NAME_PATTERN, "description": NAME_RULE},
            "maxItems": 20,
            "uniqueItems": True,
        },
        [],
        "Other names by which -a finds the spec; no other spec of the file may have them.",
    ),
    fields.integer("batch_size", "Rows in one training step.", maximum=1_000_000, default=256),
    fields.boolean(
        "use_batch_norm",
        "Batch normalisation after every convolution and deconvolution but the output.",
        default=False,
    ),
    fields.choice(
        "reconstruction",
        ["squared_error", "bernoulli", "gaussian", *OF_COUNTS],
        "Reconstruction loss: squared error, or the negative log-likelihood of the distribution.",
        default="squared_error",
    ),
    fields.choice(
        "scaling",
        ["none", "minmax", "standardise"],
        "Scaling of the data before they enter the network.",
        default="none",
    ),
    fields.choice(
        "binarise",
        ["none", SAMPLE],
        "Values from 0 to 1 as probabilities; sample: each is drawn as 0 or 1, anew for each batch "
        "in training, and always the same for whatever follows it.",
        default="none",
    ),
    fields.activation(
        "output_non_linearity",
        "The activation of the decoder's last layer; absent: that of the first encoder layer.",
        default=None,
    ),
    Field("layers", _layer_list("encoder", 2), doc="The encoder, from Input to the bottleneck."),
    Field(
        "decoder",
        {"anyOf": [{"enum": [*DECODER_WORDS]}, _layer_list("decoder", 1)]},
        MIRROR,
        "The decoder: 'mirror' derives it from the encoder, 'tied' gives it the encoder's kernels "
        "too, a list states its layers; 'none': there is none, for classifiers.",
    ),
    fields.section(
        "data",
        DATA_FIELDS,
        "How the data are read; each key overrules what is guessed without it.",
        default=None,
    ),
    Field(
        "augment",
        {"$ref": "#/definitions/augment"},
        None,
        "Random changes to rows while training; absent: none.",
    ),
    Field(
        "supervision",
        {"$ref": "#/definitions/supervision"},
        None,
        "Labels that training may read, for heads that use some; absent: none.",
    ),
    Field(
        "head",
        {"$ref": "#/definitions/head"},
        None,
        f"The clustering head; absent: {DEFAULT_HEAD} with its defaults.",
    ),
    Field(
        "pretrain",
        {"$ref": "#/definitions/pretrain"},
        None,
        "Settings of pretraining, which learns to reconstruct.",
    ),
    Field(
        "cluster", {"$ref": "#/definitions/cluster"}, None, "Settings of refining with the head."
    ),
    Field(
        "train",
        {"$ref": "#/definitions/train"},
        None,
        "Settings of training head and network together.",
    ),
    fields.integer(
        "max_parameters",
        "Largest number of parameters; a larger network is refused.",
        maximum=10**13,
        default=DEFAULT_MAX_PARAMETERS,
    ),
)

ALL_LABELS: Final = "all"
SUPERVISION_FIELDS: Final[tuple[Field, ...]] = (
    fields.integer(
        "labels",
        "Number of rows that keep their label; all: every row that has one.",
        minimum=1,
        maximum=10**12,
        word=ALL_LABELS,
    ),
    fields.boolean(
        "per_class",
        "Equally many labelled rows from each class, as far as it has rows.",
        default=True,
    ),
    fields.integer(
        "batch_size",
        "Labelled rows that are added to each batch, whose other rows then count as unlabelled; "
        "absent: none, labelled rows come where they lie among the others.",
        maximum=1_000_000,
        default=None,
    ),
)
