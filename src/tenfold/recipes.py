"""The named recipes: one table. A variant is `dataclasses.replace` of one that is there."""

from dataclasses import replace
from typing import NamedTuple

from tenfold.augmentation import Elastic, Rotate, Scale, Shear, Shift
from tenfold.errors import lookup
from tenfold.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Whitening,
)
from tenfold.network import Network
from tenfold.recipe import Adam, AdamW, Averaging, Distillation, NonDigits, OneCycle, Recipe

SEED = Recipe(
    network=Network(Dense(64), ReLU(), Dense(32), ReLU(), Dense(10)),
    epochs=100,
)

# Pooling comes before normalisation: it leaves a quarter of the values to normalise, and the largest
# of four is the same one before and after (for a positive gain).
CNN = Recipe(
    network=Network(
        Conv2D(16, bias=False), MaxPool(), BatchNorm(), ReLU(),
        Conv2D(32, bias=False), MaxPool(), BatchNorm(), ReLU(),
        Conv2D(64, bias=False), MaxPool(), BatchNorm(), ReLU(),
        Dropout(0.3),
        Dense(10),
    ),
    optimizer=AdamW(learning_rate=0.008, weight_decay=0.01),
    schedule=OneCycle(),
    batch_size=128,
    epochs=5,
    validation_share=0.1,
)  # fmt: skip


SMALL_CHANGES = (Shift(2.0), Rotate(10.0), Scale(0.1))

# The first layer is made, not trained, which saves a third of the convolutions' work. One normalisation,
# after the pooling, is all that the time allows; a hidden layer costs little and tells much.
FAST = Recipe(
    network=Network(
        Whitening(16, 5, stride=2, padding="valid"), ReLU(),
        Conv2D(16, padding="valid", bias=False), MaxPool(), BatchNorm(), ReLU(),
        Dense(128), ReLU(),
        Dense(10),
    ),
    optimizer=Adam(learning_rate=0.02, beta_1=0.7, beta_2=0.9),
    schedule=OneCycle(),
    batch_size=256,
    precision="mixed",
    epochs=1,
    validation_share=0.0,
    label_smoothing=0.1,
    test_time_shifts=1,
)  # fmt: skip

STANDARD = replace(
    FAST,
    network=Network(
        Whitening(12, 5, stride=2, padding="valid"), ReLU(),
        Conv2D(32, padding="valid", bias=False), MaxPool(), BatchNorm(), ReLU(),
        Conv2D(64, padding="valid", bias=False), BatchNorm(), ReLU(),
        Dense(128), ReLU(),
        Dense(10),
    ),
    epochs=12,
    validation_share=0.1,
    augmentation=SMALL_CHANGES,
)  # fmt: skip

SCRATCH_CNN = replace(FAST, engine="numpy", epochs=8, augmentation=SMALL_CHANGES)

# As people write: slanted, and no line quite where it was. Without the bends a dense layer learns by heart which
# pixels are inked.
HANDS = (*SMALL_CHANGES, Shear(10.0), Elastic(1.0))

MLP = Recipe(
    network=Network(
        Dense(1200, bias=False), BatchNorm(), ReLU(), Dropout(0.1),
        Dense(1200, bias=False), BatchNorm(), ReLU(), Dropout(0.1),
        Dense(10),
    ),
    optimizer=AdamW(learning_rate=0.003, beta_2=0.99, weight_decay=0.05),
    schedule=OneCycle(),
    batch_size=256,
    precision="mixed",
    epochs=40,
    validation_share=0.0,
    augmentation=HANDS,
    label_smoothing=0.05,
    averaging=Averaging(0.998),
    test_time_shifts=1,
)  # fmt: skip

# Bends of half a pixel: those of a whole one, which keep a dense layer from learning by heart, cost a convolutional
# network as many images as none at all (docs/experiments.md).
SLIGHT_BENDS = (*SMALL_CHANGES, Shear(10.0), Elastic(0.5))

STRONG = replace(
    STANDARD,
    network=Network(
        Whitening(16, 5, padding="valid"), ReLU(), MaxPool(),
        Conv2D(32, padding="valid", bias=False), BatchNorm(), ReLU(),
        Conv2D(48, padding="valid", bias=False), BatchNorm(), ReLU(),
        Conv2D(64, padding="valid", bias=False), MaxPool(), BatchNorm(), ReLU(),
        Dense(128), ReLU(),
        Dense(10),
    ),
    optimizer=AdamW(learning_rate=0.005, beta_2=0.99, weight_decay=0.1),
    epochs=30,
    validation_share=0.0,
    augmentation=SLIGHT_BENDS,
    averaging=Averaging(0.998),
    members=3,
)  # fmt: skip

# A network of twice the work was no better, nor were more than 60 epochs to be told from 40 (docs/experiments.md).
RECORD = replace(STRONG, epochs=60, members=1)

RECORD_ENSEMBLE = replace(RECORD, members=5)

# Convolutions of a single pixel between the others halve the channels, and with them what the others cost. What a
# dense layer on a picture would take buys a fourth convolution. The teacher's labels are not smoothed: that would wash out
# what it says beside the digit itself, which is what is taught (Müller, Kornblith & Hinton 2019, arXiv 1906.02629).
TINY = replace(
    STANDARD,
    network=Network(
        Whitening(8, 5, stride=2), ReLU(),
        Conv2D(16, bias=False), BatchNorm(), ReLU(),
        Conv2D(8, 1, bias=False), BatchNorm(), ReLU(),
        Conv2D(16, bias=False), MaxPool(), BatchNorm(), ReLU(),
        Conv2D(8, 1, bias=False), BatchNorm(), ReLU(),
        Conv2D(16, bias=False), BatchNorm(), ReLU(),
        Conv2D(8, 1, bias=False), BatchNorm(), ReLU(),
        Conv2D(16, padding="valid", bias=False), BatchNorm(), ReLU(),
        GlobalAveragePool(),
        Dense(10),
    ),
    optimizer=Adam(learning_rate=0.02, beta_2=0.99),
    epochs=80,
    validation_share=0.0,
    augmentation=(*SMALL_CHANGES, Shear(5.0)),
    label_smoothing=0.0,
    averaging=Averaging(0.998),
    distillation=Distillation(replace(STANDARD, label_smoothing=0.0)),
)  # fmt: skip

# For pictures that no data set has: people write in forms that MNIST's writers did not, and much that is photographed
# is no digit at all. The network is small: it travels with the package.
EVERYDAY = replace(
    STRONG,
    network=Network(
        Whitening(16, 5, stride=2, padding="valid"), ReLU(),
        Conv2D(32, padding="valid", bias=False), BatchNorm(), ReLU(),
        Conv2D(48, padding="valid", bias=False), MaxPool(), BatchNorm(), ReLU(),
        Conv2D(64, bias=False), BatchNorm(), ReLU(),
        Conv2D(96, padding="valid", bias=False), BatchNorm(), ReLU(),
        Dense(128), ReLU(),
        Dense(10),
    ),
    members=1,
    epochs=20,
    validation_share=0.1,
    augmentation=HANDS,
    written_digits=0.2,
    non_digits=NonDigits(share=0.2, accepted=0.02),
    calibrated=True,
)  # fmt: skip


class Expected(NamedTuple):
    """What a recipe has been measured to reach; a test holds it against the record.

    Attributes:
        accuracy: the 95 % t-interval of the mean over `seeds` runs, on MNIST's 10,000 test images, 0..1.
        seeds: runs.
        seconds: of training, the median run.
        record: where the runs stand, in the project.
    """

    accuracy: tuple[float, float]
    seeds: int
    seconds: float
    record: str


class Named(NamedTuple):
    """A recipe, in a sentence what it is for, and what it reaches where that has been measured."""

    recipe: Recipe
    purpose: str
    expected: Expected | None = None


RECIPES = {
    "seed": Named(SEED, "the classic first network (64-32-10), as a Keras user writes it"),
    "seed-numpy": Named(
        replace(SEED, engine="numpy"), "the same network and training, written out by hand in NumPy"
    ),
    "mlp": Named(
        MLP,
        "fully connected, with batch normalisation and dropout",
        Expected((0.99362, 0.9949), 5, 212.6, "results/mlp.json"),
    ),
    "cnn": Named(CNN, "a small convolutional network, trained plainly"),
    "fast": Named(
        FAST,
        "one pass over the images, in the shortest time",
        Expected((0.9915, 0.99192), 30, 1.7, "results/fast.json"),
    ),
    "standard": Named(
        STANDARD,
        "the default: a small network that sees every image changed a little each time",
        Expected((0.99507, 0.99547), 10, 29.2, "results/standard.json"),
    ),
    "strong": Named(
        STRONG,
        "three networks that answer together",
        Expected((0.99687, 0.99721), 5, 602.5, "results/strong.json"),
    ),
    "record": Named(
        RECORD,
        "one network of `strong`, trained for twice as long",
        Expected((0.99662, 0.99726), 10, 464.5, "results/record.json"),
    ),
    "record-ensemble": Named(
        RECORD_ENSEMBLE,
        "five of `record` that answer together",
        Expected((0.99685, 0.99761), 3, 6004.4, "results/record-ensemble.json"),
    ),
    "tiny": Named(
        TINY,
        "fewer than 6,000 parameters, taught by `standard`",
        Expected((0.99418, 0.99512), 10, 455.3, "results/tiny.json"),
    ),
    "everyday": Named(EVERYDAY, "for people's own pictures; says when one shows no digit"),
    "scratch-cnn": Named(
        SCRATCH_CNN,
        "a convolutional network written out by hand in NumPy",
        Expected((0.99403, 0.99501), 5, 28.0, "results/scratch-cnn.json"),
    ),
}
DEFAULT = "standard"


def named_recipe(name: str) -> Recipe:
    """The recipe called `name`; UnknownName with the nearest name otherwise."""
    return lookup(RECIPES, name, "recipe").recipe
