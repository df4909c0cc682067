"""FASHION: Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017), articles of clothing in grey, 28 x 28.

All 70,000 images, the training files first; FASHION-TRAIN and FASHION-TEST are the two halves.
"""

from __future__ import annotations

from archbuild.data.sets.idx_halves import TEST, TRAIN, Family, Selection, sources

FAMILY = Family(
    title="Fashion-MNIST",
    arch_stem="fashion",
    class_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    class_sizes={"train": (6000,) * 10, "test": (1000,) * 10},
    # not the data folder itself: files of these names that lie there are MNIST's
    folders=(
        "FASHION",
        "fashion",
        "FashionMNIST",
        "fashionmnist",
        "Fashion-MNIST",
        "fashion-mnist",
        "Fashion_MNIST",
        "fashion_mnist",
    ),
    archives=("fashion-mnist.npz", "fashion_mnist.npz", "fashionmnist.npz"),
    keras_name="fashion_mnist",
    megabytes=30,
)

SOURCES = sources(
    FAMILY,
    (
        Selection(
            "FASHION",
            "70,000 images of clothes, 28 x 28, 10 classes; downloaded where not found",
            {**TRAIN, **TEST},
        ),
        Selection(
            "FASHION-TRAIN",
            "the 60,000 training images of FASHION",
            TRAIN,
            held_out="FASHION-TEST",
        ),
        Selection("FASHION-TEST", "the 10,000 test images of FASHION", TEST),
    ),
)
