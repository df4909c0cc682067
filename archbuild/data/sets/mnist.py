"""MNIST and three selections of it.

MNIST is all 70,000 images, the training files first. MNIST-60K is what the TUM project clustered:
the first 50,000 training images and the 10,000 test images, without the 10,000 that the pickled
version of its time set aside for validation. MNIST-TRAIN is the 60,000 training images, and
MNIST-TEST the 10,000 test images, which are not in MNIST-TRAIN.
"""

from __future__ import annotations

from archbuild.data.sets.idx_halves import TEST, TRAIN, Family, Selection, sources

_VALIDATION_STARTS = 50_000

FAMILY = Family(
    title="MNIST",
    arch_stem="mnist",
    class_names=tuple("0123456789"),
    class_sizes={
        "train": (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
        "test": (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
    },
    folders=("MNIST", "mnist", "."),
    archives=("mnist.npz",),
    keras_name="mnist",
    megabytes=11,
)

SOURCES = sources(
    FAMILY,
    (
        Selection(
            "MNIST",
            "70,000 handwritten digits, 28 x 28, 10 classes; downloaded where not found",
            {**TRAIN, **TEST},
        ),
        Selection(
            "MNIST-60K",
            "the 60,000 images of MNIST that the TUM project clustered",
            {"train": slice(_VALIDATION_STARTS), **TEST},
        ),
        Selection(
            "MNIST-TRAIN",
            "the 60,000 training images of MNIST",
            TRAIN,
            held_out="MNIST-TEST",
        ),
        Selection("MNIST-TEST", "the 10,000 test images of MNIST", TEST),
    ),
)
